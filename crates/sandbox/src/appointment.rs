//! The appointments of the simulated EHR: invented people, fixed data.

use std::fmt;

use serde::Serialize;

/// A video visit that the EHR has scheduled for today.
#[derive(Serialize)]
pub(crate) struct Appointment {
    /// What the EHR's own pages call it.
    pub(crate) id: &'static str,
    /// Time of day.
    pub(crate) time: &'static str,
    /// Contact serial number: `unique_encounter_id` to Vestibule.
    pub(crate) csn: &'static str,
    pub(crate) patient: Patient,
    /// Department of the encounter, where the EHR names one.
    pub(crate) department: Option<Department>,
    /// FHIR id of the encounter.
    pub(crate) fhir_encounter: &'static str,
    /// FHIR id of the appointment.
    pub(crate) fhir_appointment: &'static str,
}

/// An invented patient.
#[derive(Serialize)]
pub(crate) struct Patient {
    pub(crate) first_name: &'static str,
    pub(crate) middle_name: &'static str,
    pub(crate) last_name: &'static str,
    /// FHIR id of the patient.
    pub(crate) fhir_id: &'static str,
}

/// A department of the invented hospital.
#[derive(Serialize)]
pub(crate) struct Department {
    pub(crate) name: &'static str,
    /// FHIR id of the location.
    pub(crate) fhir_location: &'static str,
}

/// Today's schedule, in the order of time.
pub(crate) static SCHEDULE: [Appointment; 3] = [
    Appointment {
        id: "1",
        time: "09:00",
        csn: "6ea6d1427f684721abd21c1634386f7b6",
        patient: Patient {
            first_name: "Beverley",
            middle_name: "P",
            last_name: "Spinder",
            fhir_id: "eSpDnKq7TzW0mBv1fXh2AaQ3",
        },
        department: Some(Department {
            name: "Radiology",
            fhir_location: "eRdLg4Yh8PsUo5Jc6Nw7EtQ3",
        }),
        fhir_encounter: "eNcA1mVx9LkRb2Zp3Gs4HyQ3",
        fhir_appointment: "eApA5qTf6WdJu7Co8Xi9KlQ3",
    },
    Appointment {
        id: "2",
        time: "09:40",
        csn: "5ec8f1667f531781afe19c1774322f7b8",
        patient: Patient {
            first_name: "Kai",
            middle_name: "Oosman",
            last_name: "Picardo",
            fhir_id: "ePcKo2Bn3VmXe4Ry5Ud6LsQ3",
        },
        department: None,
        fhir_encounter: "eNcB7hGj8TqWz9Pk1Fa2MrQ3",
        fhir_appointment: "eApB3sYc4HvNd5Lo6Ex7UiQ3",
    },
    Appointment {
        id: "3",
        time: "10:20",
        csn: "91b07c5d2e4f48a6b3d85f60c7e2a914d",
        patient: Patient {
            first_name: "Zoë",
            middle_name: "",
            last_name: "Marchetti-Ångström",
            fhir_id: "eZmA8kLp9GtSc1Wf2Vh3BnQ3",
        },
        department: Some(Department {
            name: "Heart & Circulation",
            fhir_location: "eHcA4dXr5JyMq6Tz7Ok8PuQ3",
        }),
        fhir_encounter: "eNcC9wEb1RiVg2Hs3Dl4YxQ3",
        fhir_appointment: "eApC6nUm7KoFj8Zt9Qa1CvQ3",
    },
];

impl Appointment {
    /// The scheduled appointment with this id.
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        SCHEDULE.iter().find(|appointment| appointment.id == id)
    }
}

impl fmt::Debug for Appointment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appointment")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appointment_is_found_by_its_id() {
        assert_eq!(
            Appointment::find("2").map(|found| found.patient.last_name),
            Some("Picardo")
        );
        assert!(Appointment::find("4").is_none());
    }

    #[test]
    fn no_two_appointments_share_an_identifier() {
        for (index, one) in SCHEDULE.iter().enumerate() {
            for other in &SCHEDULE[index + 1..] {
                assert_ne!(one.id, other.id);
                assert_ne!(one.csn, other.csn);
                assert_ne!(one.patient.fhir_id, other.patient.fhir_id);
                assert_ne!(one.fhir_encounter, other.fhir_encounter);
                assert_ne!(one.fhir_appointment, other.fhir_appointment);
            }
        }
    }

    #[test]
    fn debug_output_does_not_show_the_patient() {
        let debug = format!("{:?}", SCHEDULE[0]);
        assert!(!debug.contains("Spinder") && !debug.contains("Beverley"));
    }
}
