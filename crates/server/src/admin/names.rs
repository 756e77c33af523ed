//! Names of patients and providers: opened for those whose role sees them, and never
//! without an entry in the audit log.

use std::fmt;

use uuid::Uuid;
use vestibule_store::{Appointment, Attendee, AuditAction, AuditSubject, StoreError};

use super::{Admin, Administrator};
use crate::{conferencing::Seen, launch::Shared};

/// The names of one appointment. `Debug` does not show them.
pub(super) struct AppointmentNames {
    /// The service name, where it can be opened.
    pub(super) service_name: Option<String>,
    /// The participants' names, by participant, where they can be opened.
    pub(super) participants: Vec<(Uuid, Option<String>)>,
}

/// The names of appointments and of who was there; `None` where the role does not see
/// them. That they were looked at is recorded first.
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
    for (appointment, _) in appointments {
        let subject = AuditSubject::appointment(appointment.id);
        administrator
            .record(admin, AuditAction::NamesSeen, Some(subject), "")
            .await?;
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

impl fmt::Debug for AppointmentNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppointmentNames(…)")
    }
}
