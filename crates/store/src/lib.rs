//! What the server remembers of profiles, launches, appointments, aliases and tickets,
//! of EHR sessions, of who is in a visit, and of what is to be written back.
//!
//! A store never sees a name, a PIN or a token: those come to it sealed, and it
//! hands the sealed bytes back. It reads no clock either; `now` is an argument.

mod appointment;
mod bearer;
mod keys;
mod launch;
mod launch_event;
mod limit;
mod postgres;
mod profile;
mod session;
mod sqlite;
mod store;
mod tables;
mod ticket;
mod visit;
mod write_back;

pub use appointment::{Appointment, AppointmentId, NewAppointment};
pub use bearer::{Bearer, NewBearer};
pub use keys::{
    AliasHash, BearerHash, BrowserHash, EncounterKey, Fingerprint, LimitKey, TicketHash,
};
pub use launch::{
    Begun, Completed, Completion, Consumed, FailureSource, FoundAlias, GivenLink, Launch,
    LaunchState, NewLaunch,
};
pub use launch_event::{LaunchEventRecord, NewLaunchEvent, Recorded, Reported};
pub use limit::{AttemptLimit, Attempted, Bucket, Taken};
pub use postgres::{PostgresAddress, PostgresStore};
pub use profile::{Inserted, ProfileNumber, StoredProfile, Updated};
pub use session::{NewSession, Session};
pub use sqlite::SqliteStore;
pub use store::{
    JoinLinks, LaunchEvents, Launches, Limits, Profiles, Sessions, Store, StoreError, Visits,
    WriteBacks,
};
pub use tables::Tables;
pub use ticket::{NewTicket, Redeemed, Redemption};
pub use visit::{Applied, Change, EventId, Participant, Presence, VisitEvent};
pub use write_back::{Lane, NewWriteBack, Unsent, WriteBack, WriteBackRecord, WriteBackState};
