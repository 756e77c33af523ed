//! The audit log: who looked at or changed what.

use uuid::Uuid;
use vestibule_launch::{RequestId, UnixTime};

use crate::{AppointmentId, EncounterKey, Position, TimeRange};

macro_rules! words {
    ($(#[$doc:meta])+ $name:ident { $($(#[$variant_doc:meta])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])+ $variant,)+
        }

        impl $name {
            /// Each of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in the store.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one with this word.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }
    };
}

words! {
    /// What somebody did.
    AuditAction {
        /// Signed in.
        SignedIn = "signed_in",
        /// Tried to sign in, with a wrong password for example.
        SignInFailed = "sign_in_failed",
        /// Signed out.
        SignedOut = "signed_out",
        /// Asked for what their role does not allow.
        Refused = "refused",
        /// Looked at the names of patients or providers.
        NamesSeen = "names_seen",
        /// Found the appointment of an encounter.
        EncounterFound = "encounter_found",
        /// Looked at the audit log.
        AuditRead = "audit_read",
        /// Downloaded a table.
        Exported = "exported",
        /// Made a write-back due again that was given up.
        SentAgain = "sent_again",
        /// Had a profile checked.
        ProfileChecked = "profile_checked",
        /// Stored a new profile.
        ProfileCreated = "profile_created",
        /// Changed fields of a profile.
        ProfileChanged = "profile_changed",
        /// Removed a profile.
        ProfileRemoved = "profile_removed",
    }
}

words! {
    /// What kind of thing was looked at or changed.
    SubjectKind {
        /// A launch; the id is its request id.
        Launch = "launch",
        /// An appointment; the id is its number in the store.
        Appointment = "appointment",
        /// An encounter; the id is its key, in hexadecimal digits. It is the same when the
        /// appointment is long forgotten.
        Encounter = "encounter",
        /// A telehealth profile; the id is its UUID.
        Profile = "profile",
        /// A write-back; the id is its number in the store.
        WriteBack = "write_back",
        /// A listing; the id is its name.
        Table = "table",
    }
}

/// What was looked at or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSubject {
    /// Its kind.
    pub kind: SubjectKind,
    /// Which one.
    pub id: String,
}

impl AuditSubject {
    /// A launch.
    pub fn launch(request_id: RequestId) -> Self {
        Self::of(SubjectKind::Launch, &request_id)
    }

    /// An appointment.
    pub fn appointment(appointment: AppointmentId) -> Self {
        Self::of(SubjectKind::Appointment, &appointment)
    }

    /// An encounter.
    pub fn encounter(key: EncounterKey) -> Self {
        let digits = key.as_bytes().iter().map(|byte| format!("{byte:02x}"));
        Self::of(SubjectKind::Encounter, &digits.collect::<String>())
    }

    /// A telehealth profile.
    pub fn profile(uuid: Uuid) -> Self {
        Self::of(SubjectKind::Profile, &uuid)
    }

    /// A write-back.
    pub fn write_back(id: i64) -> Self {
        Self::of(SubjectKind::WriteBack, &id)
    }

    /// A listing.
    pub fn table(name: &'static str) -> Self {
        Self::of(SubjectKind::Table, &name)
    }

    fn of(kind: SubjectKind, id: &impl ToString) -> Self {
        Self {
            kind,
            id: id.to_string(),
        }
    }
}

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// The administrator's name; `None` where nobody of that name is known. What was
    /// typed there is not kept: it may be a password.
    pub administrator: Option<String>,
    /// Who that is at the provider that vouches for the administrator, by subject and
    /// issuer: of the name alone another one may have been given the same.
    pub identity: Option<String>,
    /// The administrator's role.
    pub role: Option<String>,
    /// The address that the request came from, or the command or file that it was done by.
    pub source: String,
    /// What was done.
    pub action: AuditAction,
    /// To what.
    pub subject: Option<AuditSubject>,
    /// More of it, without names and values: the fields that were changed for example.
    /// The caller caps its length.
    pub details: String,
}

/// An entry as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Grows with every entry.
    pub number: i64,
    /// When.
    pub at: UnixTime,
    /// What.
    pub entry: NewAuditEntry,
}

impl AuditEntry {
    /// Where it stands in the listing.
    pub fn position(&self) -> Position<i64> {
        Position {
            at: self.at,
            id: self.number,
        }
    }
}

/// Which entries. What is `None` is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this time.
    pub time: Option<TimeRange>,
    /// By this administrator.
    pub administrator: Option<String>,
    /// Of this kind.
    pub action: Option<AuditAction>,
    /// On something of this kind.
    pub kind: Option<SubjectKind>,
    /// On this.
    pub subject: Option<AuditSubject>,
}
