//! Names of patients and providers: opened for those whose role sees them, and never
//! without an entry in the audit log.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_store::{
    Appointment, AppointmentId, Attendee, AuditAction, AuditSubject, StoreError,
};

use super::{Admin, Administrator};
use crate::{conferencing::Seen, expiring::Expiring, launch::Shared};

/// How long looking on is one look: a page is fetched anew whenever it changes.
const LOOK: Duration = Duration::from_secs(5 * 60);

/// Most looks that are known.
const MOST_LOOKS: usize = 10_000;

/// Who looked at what, from where.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Look {
    administrator: String,
    identity: Option<String>,
    source: String,
    at: LookedAt,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum LookedAt {
    Appointment(AppointmentId),
    AuditLog,
}

/// The looks of the last while, each of which is in the audit log.
pub(super) struct Looks(Mutex<Expiring<Look, ()>>);

impl Look {
    fn of(administrator: &Administrator, at: LookedAt) -> Self {
        Self {
            administrator: administrator.name.clone(),
            identity: administrator.identity.clone(),
            source: administrator.source.clone(),
            at,
        }
    }
}

impl Looks {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Expiring::new(LOOK, MOST_LOOKS)))
    }

    fn are_known(&self, look: &Look, now: UnixTime) -> bool {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.get(look, now).is_some()
    }

    fn learn(&self, look: Look, now: UnixTime) {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.put(look, (), now);
    }
}

/// The names of one appointment. `Debug` does not show them.
pub(super) struct AppointmentNames {
    /// The service name, where it can be opened.
    pub(super) service_name: Option<String>,
    /// The participants' names, by participant, where they can be opened.
    pub(super) participants: Vec<(Uuid, Option<String>)>,
}

/// The names of appointments and of who was there; `None` where the role does not see
/// them. That they were looked at is recorded first; whoever goes on looking at an
/// appointment within five minutes has looked once.
///
/// # Errors
/// Where it cannot be recorded: then nobody sees them.
pub(super) async fn of_appointments(
    admin: &Admin,
    administrator: &Administrator,
    appointments: &[(&Appointment, &[Attendee])],
) -> Result<Option<Vec<AppointmentNames>>, StoreError> {
    if !administrator.may_see_names {
        return Ok(None);
    }
    let now = admin.tools.now();
    let looks = appointments.iter().map(|(appointment, _)| {
        let at = LookedAt::Appointment(appointment.id);
        (Look::of(administrator, at), *appointment)
    });
    let new: Vec<_> = looks
        .filter(|(look, _)| !admin.looks.are_known(look, now))
        .collect();
    if !new.is_empty() {
        let entry = |(_, appointment): &(Look, &Appointment)| {
            // The encounter's key tells it apart when the appointment is long forgotten.
            let subject = AuditSubject::encounter(appointment.encounter);
            let details = appointment_details(appointment.id);
            administrator.entry(AuditAction::NamesSeen, Some(subject), &details)
        };
        let entries = new.iter().map(entry).collect();
        admin.tools.store.record_audit_all(entries, now).await?;
    }
    for (look, _) in new {
        admin.looks.learn(look, now);
    }
    let open = |(appointment, attendees): &(&Appointment, &[Attendee])| {
        let sealer = &admin.tools.sealer;
        let shared = Shared::open(sealer, appointment);
        let name_of = |attendee: &Attendee| {
            let participant = &attendee.participant;
            let seen = Seen::open(sealer, appointment.profile, participant).ok();
            (participant.participant, seen.map(|seen| seen.display_name))
        };
        AppointmentNames {
            service_name: shared.ok().map(|shared| shared.service_name.clone()),
            participants: attendees.iter().map(name_of).collect(),
        }
    };
    Ok(Some(appointments.iter().map(open).collect()))
}

/// How the audit log names the appointment of an encounter.
fn appointment_details(appointment: AppointmentId) -> String {
    format!("{APPOINTMENT}{appointment}")
}

/// The appointment in the details of an entry about an encounter.
pub(super) fn appointment_in(details: &str) -> Option<AppointmentId> {
    details.strip_prefix(APPOINTMENT)?.parse().ok()
}

const APPOINTMENT: &str = "appointment ";

/// Records that somebody looks at the audit log. Whoever goes on looking within five
/// minutes has looked once.
///
/// # Errors
/// Where it cannot be recorded: then nobody sees it.
pub(super) async fn of_audit_log(
    admin: &Admin,
    administrator: &Administrator,
) -> Result<(), StoreError> {
    let look = Look::of(administrator, LookedAt::AuditLog);
    let now = admin.tools.now();
    if admin.looks.are_known(&look, now) {
        return Ok(());
    }
    let read = AuditAction::AuditRead;
    administrator.record(admin, read, None, "").await?;
    admin.looks.learn(look, now);
    Ok(())
}

impl fmt::Debug for AppointmentNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppointmentNames(…)")
    }
}
