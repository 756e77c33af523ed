//! What the server remembers of profiles, launches, appointments, aliases and tickets,
//! of EHR sessions, of who is in a visit, and of what is to be written back.
//!
//! A store never sees a name, a PIN or a token: those come to it sealed, and it
//! hands the sealed bytes back. It reads no clock either; `now` is an argument.

mod admin_session;
mod appointment;
mod audit;
mod bearer;
mod course;
mod keys;
mod launch;
mod launch_event;
mod limit;
mod listing;
mod measure;
mod migrations;
mod overcome;
mod overview;
mod period;
mod postgres;
mod profile;
mod rows;
mod session;
mod sqlite;
mod store;
mod tables;
mod ticket;
mod visit;
mod visit_length;
mod write_back;

pub use admin_session::AdminSession;
pub use appointment::{Appointment, AppointmentId, NewAppointment};
pub use audit::{AuditAction, AuditEntry, AuditFilter, AuditSubject, NewAuditEntry, SubjectKind};
pub use bearer::{Bearer, NewBearer};
pub use course::{Course, LaunchStep, StepTaken};
pub use keys::{
    AdminSessionHash, AliasHash, BearerHash, BrowserHash, EncounterKey, Fingerprint, LimitKey,
    TicketHash,
};
pub use launch::{
    Begun, Completed, Completion, Consumed, FailedLaunch, FailureSource, FoundAlias, GivenLink,
    Launch, LaunchState, NewLaunch,
};
pub use launch_event::{LaunchEventRecord, NewLaunchEvent, Recorded, Reported};
pub use limit::{AttemptLimit, Attempted, Bucket, Taken};
pub use overview::{
    AppointmentFilter, AppointmentRow, Attempt, Attendee, Group, Grouping, LaunchCount,
    LaunchDurations, LaunchFilter, LaunchProgress, LaunchRow, Measure, NotAPosition, Page, Part,
    Per, Position, SentAgain, Step, Summary, TimeRange, VisitProgress, WriteBackFilter,
    WriteBackProgress, WriteBackRow,
};
pub use postgres::{PostgresAddress, PostgresStore};
pub use profile::{Inserted, ProfileNumber, StoredProfile, Updated};
pub use session::{NewSession, SENT_AGAIN_WITHIN, Session};
pub use sqlite::SqliteStore;
pub use store::{
    AdminSessions, Audit, JoinLinks, LaunchEvents, Launches, Limits, Overview, Profiles, Sessions,
    Store, StoreError, Visits, WriteBacks,
};
pub use tables::Tables;
pub use ticket::{NewTicket, Redeemed, Redemption};
pub use visit::{Applied, Change, EventId, Participant, Presence, VisitEvent};
pub use visit_length::{VisitLength, VisitLengths};
pub use write_back::{
    NewWriteBack, NotTold, Reason, Unsent, WriteBack, WriteBackKind, WriteBackRecord,
    WriteBackState,
};
