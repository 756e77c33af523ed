//! Links that join a visit without a launch, and who asks whether they are good.

use serde::Serialize;
use vestibule_launch::EhrRole;

use super::{Ehr, sign_in::bearer};
use crate::{
    appointment::{Appointment, SCHEDULE},
    direct_launch::{self, DirectLaunchAnswer, DirectLaunchFault},
    journal::Event,
    opaque::Opaque,
    visit::{Visit, Visitor},
};

/// The links of one person to one visit: those that the EHR is set up for.
#[derive(Serialize)]
pub(crate) struct VisitLinks {
    pub(crate) appointment: &'static str,
    pub(crate) role: EhrRole,
    /// The number of the patient in the visit, from 1; none for the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) patient: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) direct: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zoom: Option<String>,
}

impl Ehr {
    /// The links of the whole schedule: of each appointment the provider's
    /// first, then each patient's.
    pub(crate) fn links(&self) -> Vec<VisitLinks> {
        SCHEDULE
            .iter()
            .flat_map(|appointment| {
                let patients = appointment.patients.all().iter().enumerate();
                let provider = self.links_of(appointment, Visitor::Provider, None);
                std::iter::once(provider).chain(patients.map(|(index, patient)| {
                    self.links_of(appointment, Visitor::Patient(patient), Some(index + 1))
                }))
            })
            .collect()
    }

    /// A backend asks for a token for a direct join link: its `Authorization`
    /// header and its body.
    pub(crate) fn direct_launch_token(
        &self,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Result<DirectLaunchAnswer, DirectLaunchFault> {
        let now = self.clock.now();
        let mut moving = self.lock();
        let (server, rng) = moving.parts();
        let is_backend =
            bearer(authorization).is_some_and(|token| server.is_of_backend(token, now));
        let found = if is_backend {
            direct_launch::appointment_of(body, &self.launch.cipher)
        } else {
            Err(DirectLaunchFault::Unauthorized)
        };
        let outcome = found.and_then(direct_launch::is_open);
        let token = Opaque::generate(rng);
        let appointment = found.ok().map(|appointment| appointment.id);
        let event = match outcome {
            Ok(()) => Event::DirectLaunchTokenIssued { appointment },
            Err(fault) => Event::DirectLaunchTokenRefused {
                appointment,
                reason: fault.to_string(),
            },
        };
        moving.record(event, now);
        outcome.map(|()| DirectLaunchAnswer::new(&token))
    }

    fn links_of(
        &self,
        appointment: &'static Appointment,
        visitor: Visitor,
        patient: Option<usize>,
    ) -> VisitLinks {
        let visit = Visit {
            appointment,
            visitor,
        };
        let mut moving = self.lock();
        let (_, rng) = moving.parts();
        let direct = self.launch.direct_link(visit, rng);
        let zoom = self.zoom.as_ref().map(|zoom| zoom.link(visit, rng));
        VisitLinks {
            appointment: appointment.id,
            role: visit.role(),
            patient,
            direct: direct.map(String::from),
            zoom: zoom.map(String::from),
        }
    }
}
