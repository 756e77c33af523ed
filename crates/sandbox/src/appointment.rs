//! The appointments of the simulated EHR: invented people, fixed data.

use std::fmt;

use serde::Serialize;

/// A video visit that the EHR has scheduled.
#[derive(Serialize)]
pub(crate) struct Appointment {
    /// What the EHR's own pages call it.
    pub(crate) id: &'static str,
    pub(crate) day: &'static str,
    /// Time of day.
    pub(crate) time: &'static str,
    pub(crate) standing: Standing,
    /// Contact serial number: `unique_encounter_id` to Vestibule.
    pub(crate) csn: &'static str,
    /// Who is invited: more than one in a group visit.
    pub(crate) patients: Patients,
    /// Department of the encounter, where the EHR names one.
    pub(crate) department: Option<Department>,
    /// FHIR id of the encounter.
    pub(crate) fhir_encounter: &'static str,
    /// FHIR id of the appointment.
    pub(crate) fhir_appointment: &'static str,
}

/// Whether people may join now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Over,
    Open,
    NotOpenYet,
}

/// The patients of a visit: one, or the several of a group visit.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Patients(&'static [Patient]);

/// An invented patient.
#[derive(Serialize)]
pub(crate) struct Patient {
    pub(crate) first_name: &'static str,
    pub(crate) middle_name: &'static str,
    pub(crate) last_name: &'static str,
    /// FHIR id of the patient.
    pub(crate) fhir_id: &'static str,
    /// FHIR id of the patient in the older DSTU2 interface.
    pub(crate) dstu2_id: &'static str,
    /// YYYY-MM-DD.
    pub(crate) birth_date: &'static str,
}

/// A department of the invented hospital.
#[derive(Serialize)]
pub(crate) struct Department {
    pub(crate) name: &'static str,
    /// FHIR id of the location.
    pub(crate) fhir_location: &'static str,
    /// The EHR's own id of the department.
    pub(crate) id: &'static str,
}

/// The clinician whose schedule it is.
pub(crate) struct Clinician {
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    /// What the EHR calls the user.
    pub(crate) user_id: &'static str,
    /// FHIR id of the practitioner.
    pub(crate) fhir_id: &'static str,
}

/// Who is signed in at the clinician's pages.
pub(crate) static CLINICIAN: Clinician = Clinician {
    first_name: "Mira",
    last_name: "Halvorsen",
    user_id: "MHALVORSEN",
    fhir_id: "ePrM2vKd7HtQe9Lw4Xs6ZnQ3",
};

static BEVERLEY: [Patient; 1] = [Patient {
    first_name: "Beverley",
    middle_name: "P",
    last_name: "Spinder",
    fhir_id: "eSpDnKq7TzW0mBv1fXh2AaQ3",
    dstu2_id: "TSpDnKq7TzW0mBv1fXh2AaB",
    birth_date: "1958-03-14",
}];

static KAI: [Patient; 1] = [Patient {
    first_name: "Kai",
    middle_name: "Oosman",
    last_name: "Picardo",
    fhir_id: "ePcKo2Bn3VmXe4Ry5Ud6LsQ3",
    dstu2_id: "TPcKo2Bn3VmXe4Ry5Ud6LsB",
    birth_date: "1991-11-02",
}];

static ZOE: [Patient; 1] = [Patient {
    first_name: "Zoë",
    middle_name: "",
    last_name: "Marchetti-Ångström",
    fhir_id: "eZmA8kLp9GtSc1Wf2Vh3BnQ3",
    dstu2_id: "TZmA8kLp9GtSc1Wf2Vh3BnB",
    birth_date: "1974-07-29",
}];

static GROUP: [Patient; 2] = [
    Patient {
        first_name: "Ines",
        middle_name: "",
        last_name: "Tavares",
        fhir_id: "eTvI5rMd8KxQw2Jp6Nc9YhQ3",
        dstu2_id: "TTvI5rMd8KxQw2Jp6Nc9YhB",
        birth_date: "1966-01-20",
    },
    Patient {
        first_name: "Tom",
        middle_name: "A",
        last_name: "Okafor",
        fhir_id: "eOkT3wZb7LsVg4Rm1Fq8DxQ3",
        dstu2_id: "TOkT3wZb7LsVg4Rm1Fq8DxB",
        birth_date: "1983-05-09",
    },
];

/// The schedule, in the order of time as the clinician sees it: today first.
pub(crate) static SCHEDULE: [Appointment; 6] = [
    Appointment {
        id: "1",
        day: "Today",
        time: "09:00",
        standing: Standing::Open,
        csn: "6ea6d1427f684721abd21c1634386f7b6",
        patients: Patients(&BEVERLEY),
        department: Some(Department {
            name: "Radiology",
            fhir_location: "eRdLg4Yh8PsUo5Jc6Nw7EtQ3",
            id: "10501101",
        }),
        fhir_encounter: "eNcA1mVx9LkRb2Zp3Gs4HyQ3",
        fhir_appointment: "eApA5qTf6WdJu7Co8Xi9KlQ3",
    },
    Appointment {
        id: "2",
        day: "Today",
        time: "09:40",
        standing: Standing::Open,
        csn: "5ec8f1667f531781afe19c1774322f7b8",
        patients: Patients(&KAI),
        department: None,
        fhir_encounter: "eNcB7hGj8TqWz9Pk1Fa2MrQ3",
        fhir_appointment: "eApB3sYc4HvNd5Lo6Ex7UiQ3",
    },
    Appointment {
        id: "3",
        day: "Today",
        time: "10:20",
        standing: Standing::Open,
        csn: "91b07c5d2e4f48a6b3d85f60c7e2a914d",
        patients: Patients(&ZOE),
        department: Some(Department {
            name: "Heart & Circulation",
            fhir_location: "eHcA4dXr5JyMq6Tz7Ok8PuQ3",
            id: "10501204",
        }),
        fhir_encounter: "eNcC9wEb1RiVg2Hs3Dl4YxQ3",
        fhir_appointment: "eApC6nUm7KoFj8Zt9Qa1CvQ3",
    },
    Appointment {
        id: "4",
        day: "Today",
        time: "11:00",
        standing: Standing::Open,
        csn: "c47a90e1d5b84f3c8e26170fa9d3b5527",
        patients: Patients(&GROUP),
        department: Some(Department {
            name: "Pain Clinic",
            fhir_location: "ePnC2vBk6XoHs9Mt3Wd7GyQ3",
            id: "10501307",
        }),
        fhir_encounter: "eNcD5tLr2YpKf8Wj6Bn9SvQ3",
        fhir_appointment: "eApD1gHx4ZmCq7Rs3Vk5TwQ3",
    },
    Appointment {
        id: "5",
        day: "Yesterday",
        time: "15:30",
        standing: Standing::Over,
        csn: "28d7be034c9f4a61957e3f12c0a6d8e41",
        patients: Patients(&KAI),
        department: None,
        fhir_encounter: "eNcE4xNm6QsDh1Vg9Kt7RbQ3",
        fhir_appointment: "eApE8jWc2FpLz5Yd6Xo3MvQ3",
    },
    Appointment {
        id: "6",
        day: "Next Tuesday",
        time: "09:00",
        standing: Standing::NotOpenYet,
        csn: "f09c63ab7e1d42d58b40a7c95e28f1369",
        patients: Patients(&BEVERLEY),
        department: Some(Department {
            name: "Radiology",
            fhir_location: "eRdLg4Yh8PsUo5Jc6Nw7EtQ3",
            id: "10501101",
        }),
        fhir_encounter: "eNcF3kPz7TgXw2Hd5Lm8CqQ3",
        fhir_appointment: "eApF9sVb4RnJy6Kt1Wc7ZhQ3",
    },
];

impl Appointment {
    /// The scheduled appointment with this id.
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        SCHEDULE.iter().find(|appointment| appointment.id == id)
    }

    /// The scheduled appointment with this contact serial number.
    pub(crate) fn find_by_csn(csn: &str) -> Option<&'static Self> {
        SCHEDULE.iter().find(|appointment| appointment.csn == csn)
    }
}

impl Patients {
    pub(crate) fn all(&self) -> &'static [Patient] {
        self.0
    }

    /// The patient of a visit that is not a group visit.
    pub(crate) fn only(&self) -> Option<&'static Patient> {
        match self.0 {
            [patient] => Some(patient),
            _ => None,
        }
    }
}

impl fmt::Debug for Appointment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appointment")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patient").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appointment_is_found_by_its_id_and_by_its_serial_number() {
        let found = Appointment::find("2").unwrap();
        assert_eq!(found.patients.only().unwrap().last_name, "Picardo");
        let by_csn = Appointment::find_by_csn("5ec8f1667f531781afe19c1774322f7b8");
        assert_eq!(by_csn.unwrap().id, "2");
        assert!(Appointment::find("7").is_none());
        assert!(Appointment::find_by_csn("").is_none());
    }

    #[test]
    fn no_two_appointments_share_an_identifier() {
        for (index, one) in SCHEDULE.iter().enumerate() {
            for other in &SCHEDULE[index + 1..] {
                assert_ne!(one.id, other.id);
                assert_ne!(one.csn, other.csn);
                assert_ne!(one.fhir_encounter, other.fhir_encounter);
                assert_ne!(one.fhir_appointment, other.fhir_appointment);
            }
        }
    }

    #[test]
    fn there_is_a_group_visit_one_that_is_over_and_one_that_is_not_open_yet() {
        let standings: Vec<_> = SCHEDULE.iter().map(|visit| visit.standing).collect();
        assert!(standings.contains(&Standing::Over));
        assert!(standings.contains(&Standing::NotOpenYet));
        for visit in &SCHEDULE {
            assert!(!visit.patients.all().is_empty());
            assert_eq!(visit.patients.only().is_none(), visit.id == "4");
        }
    }

    #[test]
    fn debug_output_does_not_show_the_patient() {
        let debug = format!("{:?} {:?}", SCHEDULE[0], BEVERLEY);
        assert!(!debug.contains("Spinder") && !debug.contains("Beverley"));
    }
}
