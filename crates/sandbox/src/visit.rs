//! Who is in which visit, as the EHR knows from the button that was pressed.

use vestibule_launch::EhrRole;

use crate::appointment::{Appointment, CLINICIAN, Patient};

/// Somebody in the visit of an appointment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    pub(crate) appointment: &'static Appointment,
    pub(crate) visitor: Visitor,
}

/// Somebody who is signed in to the EHR.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Visitor {
    /// The clinician of the schedule.
    Provider,
    /// One of the appointment's patients.
    Patient(&'static Patient),
}

impl Visit {
    pub(crate) fn role(self) -> EhrRole {
        match self.visitor {
            Visitor::Provider => EhrRole::Provider,
            Visitor::Patient(_) => EhrRole::Patient,
        }
    }

    /// The patient whom the visit is about. The provider of a group visit has
    /// none: it is about several.
    pub(crate) fn patient(self) -> Option<&'static Patient> {
        match self.visitor {
            Visitor::Provider => self.appointment.patients.only(),
            Visitor::Patient(patient) => Some(patient),
        }
    }

    /// FHIR reference of who is signed in, such as `Patient/e…3`.
    pub(crate) fn user(self) -> String {
        match self.visitor {
            Visitor::Provider => format!("Practitioner/{}", CLINICIAN.fhir_id),
            Visitor::Patient(patient) => format!("Patient/{}", patient.fhir_id),
        }
    }

    /// FHIR id of who is signed in.
    pub(crate) fn user_id(self) -> &'static str {
        match self.visitor {
            Visitor::Provider => CLINICIAN.fhir_id,
            Visitor::Patient(patient) => patient.fhir_id,
        }
    }

    /// The name with which who is signed in signs in.
    pub(crate) fn user_name(self) -> String {
        match self.visitor {
            Visitor::Provider => CLINICIAN.user_id.to_owned(),
            Visitor::Patient(patient) => patient.dstu2_id.to_uppercase(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(id: &str, visitor: Visitor) -> Visit {
        Visit {
            appointment: Appointment::find(id).unwrap(),
            visitor,
        }
    }

    #[test]
    fn a_provider_s_visit_is_about_the_patient_unless_it_is_a_group_visit() {
        let single = visit("1", Visitor::Provider);
        assert_eq!(single.patient().unwrap().last_name, "Spinder");
        let group = visit("4", Visitor::Provider);
        assert!(group.patient().is_none());
        assert_eq!(group.user(), "Practitioner/ePrM2vKd7HtQe9Lw4Xs6ZnQ3");
    }

    #[test]
    fn a_patient_s_visit_is_about_that_patient() {
        let patients = Appointment::find("4").unwrap().patients.all();
        for patient in patients {
            let visit = visit("4", Visitor::Patient(patient));
            assert_eq!(visit.role(), EhrRole::Patient);
            assert_eq!(visit.patient().unwrap().fhir_id, patient.fhir_id);
            assert_eq!(visit.user(), format!("Patient/{}", patient.fhir_id));
        }
    }
}
