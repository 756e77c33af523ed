//! What the server remembers of launches, appointments, aliases and tickets.
//!
//! A store never sees a name, a PIN or a token: those come to it sealed, and it
//! hands the sealed bytes back. It reads no clock either; `now` is an argument.

mod appointment;
mod keys;
mod launch;
mod sqlite;
mod store;
mod ticket;

pub use appointment::{Appointment, AppointmentId, NewAppointment};
pub use keys::{AliasHash, BrowserHash, EncounterKey, Fingerprint, TicketHash};
pub use launch::{
    Begun, Completed, Completion, Consumed, FailureSource, FoundAlias, Launch, LaunchState,
    NewLaunch,
};
pub use sqlite::SqliteStore;
pub use store::{Store, StoreError};
pub use ticket::{NewTicket, Redeemed, Redemption};
