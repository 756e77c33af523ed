//! The few FHIR R4 resources that a video application may want to read.

use serde_json::{Value, json};

use crate::{
    appointment::{CLINICIAN, Patient, Standing},
    authorization_server::Grant,
    visit::{Visit, Visitor},
};

/// A kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceType {
    Patient,
    Encounter,
    Practitioner,
}

/// Why a resource is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FhirFault {
    #[error("use an access token of a launch that is good now")]
    Unauthorized,
    #[error("the access token was not granted the scope to read this")]
    Scope,
    #[error("there is no such resource in the context of the launch")]
    NotFound,
}

/// A resource in the context of a grant: nothing else is shown, whatever is
/// asked for.
pub(crate) fn read(grant: Grant, kind: ResourceType, id: &str) -> Result<Value, FhirFault> {
    let Grant { visit, scopes } = grant;
    let asked = format!("{}/{id}", kind.as_str());
    let is_user = visit.user() == asked;
    let may = |scope| scopes.contains(scope) || (is_user && scopes.contains("fhirUser"));
    match kind {
        ResourceType::Patient => {
            if !may("patient/Patient.read") {
                return Err(FhirFault::Scope);
            }
            let patient = visit.patient().filter(|patient| patient.fhir_id == id);
            patient.map(patient_resource).ok_or(FhirFault::NotFound)
        }
        ResourceType::Encounter => {
            if !scopes.contains("patient/Encounter.read") {
                return Err(FhirFault::Scope);
            }
            if visit.appointment.fhir_encounter != id {
                return Err(FhirFault::NotFound);
            }
            Ok(encounter_resource(visit))
        }
        ResourceType::Practitioner => {
            if !scopes.contains("fhirUser") {
                return Err(FhirFault::Scope);
            }
            match visit.visitor {
                Visitor::Provider if is_user => Ok(practitioner_resource()),
                Visitor::Provider | Visitor::Patient(_) => Err(FhirFault::NotFound),
            }
        }
    }
}

impl ResourceType {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Patient, Self::Encounter, Self::Practitioner]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "Patient",
            Self::Encounter => "Encounter",
            Self::Practitioner => "Practitioner",
        }
    }
}

impl FhirFault {
    /// The issue type of the OperationOutcome.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unauthorized => "login",
            Self::Scope => "forbidden",
            Self::NotFound => "not-found",
        }
    }

    /// What FHIR says of a request that failed.
    pub(crate) fn outcome(self) -> Value {
        json!({
            "resourceType": "OperationOutcome",
            "issue": [{
                "severity": "error",
                "code": self.code(),
                "diagnostics": self.to_string(),
            }],
        })
    }
}

fn patient_resource(patient: &Patient) -> Value {
    let given: Vec<_> = [patient.first_name, patient.middle_name]
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect();
    json!({
        "resourceType": "Patient",
        "id": patient.fhir_id,
        "active": true,
        "name": [{ "use": "official", "family": patient.last_name, "given": given }],
        "birthDate": patient.birth_date,
    })
}

fn encounter_resource(visit: Visit) -> Value {
    let appointment = visit.appointment;
    let status = match appointment.standing {
        Standing::Over => "finished",
        Standing::Open => "in-progress",
        Standing::NotOpenYet => "planned",
    };
    let mut encounter = json!({
        "resourceType": "Encounter",
        "id": appointment.fhir_encounter,
        "identifier": [{ "use": "usual", "system": "urn:oid:1.2.840.114350.1.13.0.1.7.3.698084.8", "value": appointment.csn }],
        "status": status,
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "VR",
            "display": "virtual",
        },
        "appointment": [{ "reference": format!("Appointment/{}", appointment.fhir_appointment) }],
        "participant": [{
            "individual": { "reference": format!("Practitioner/{}", CLINICIAN.fhir_id) },
        }],
    });
    if let Some(patient) = visit.patient() {
        encounter["subject"] = json!({ "reference": format!("Patient/{}", patient.fhir_id) });
    }
    if let Some(department) = &appointment.department {
        encounter["location"] = json!([{ "location": {
            "reference": format!("Location/{}", department.fhir_location),
            "display": department.name,
        }}]);
    }
    encounter
}

fn practitioner_resource() -> Value {
    json!({
        "resourceType": "Practitioner",
        "id": CLINICIAN.fhir_id,
        "active": true,
        "name": [{
            "use": "official",
            "family": CLINICIAN.last_name,
            "given": [CLINICIAN.first_name],
            "prefix": ["Dr"],
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{appointment::Appointment, scope::Scopes};

    const ALL: &str = "launch fhirUser patient/Patient.read patient/Encounter.read";

    fn grant(id: &str, visitor: Visitor, scopes: &str) -> Grant {
        Grant {
            visit: Visit {
                appointment: Appointment::find(id).unwrap(),
                visitor,
            },
            scopes: Scopes::granted(scopes),
        }
    }

    #[test]
    fn a_provider_reads_the_patient_the_encounter_and_themselves() {
        let grant = grant("1", Visitor::Provider, ALL);
        let patient = read(grant, ResourceType::Patient, "eSpDnKq7TzW0mBv1fXh2AaQ3").unwrap();
        assert_eq!(patient["name"][0]["given"], json!(["Beverley", "P"]));
        let encounter = read(grant, ResourceType::Encounter, "eNcA1mVx9LkRb2Zp3Gs4HyQ3").unwrap();
        assert_eq!(
            encounter["subject"]["reference"],
            "Patient/eSpDnKq7TzW0mBv1fXh2AaQ3"
        );
        let user = read(grant, ResourceType::Practitioner, CLINICIAN.fhir_id).unwrap();
        assert_eq!(user["name"][0]["family"], "Halvorsen");
    }

    #[test]
    fn nothing_outside_of_the_context_is_shown() {
        let one = grant("1", Visitor::Provider, ALL);
        let kai = "ePcKo2Bn3VmXe4Ry5Ud6LsQ3";
        for (kind, id) in [
            (ResourceType::Patient, kai),
            (ResourceType::Encounter, "eNcB7hGj8TqWz9Pk1Fa2MrQ3"),
            (ResourceType::Practitioner, "other"),
        ] {
            assert_eq!(read(one, kind, id), Err(FhirFault::NotFound));
        }
        let group = grant("4", Visitor::Provider, ALL);
        let member = group.visit.appointment.patients.all()[0].fhir_id;
        assert_eq!(
            read(group, ResourceType::Patient, member),
            Err(FhirFault::NotFound)
        );
    }

    #[test]
    fn each_kind_needs_its_scope_and_the_user_only_their_own() {
        let patient = Appointment::find("1").unwrap().patients.only().unwrap();
        let provider = grant("1", Visitor::Provider, "launch");
        for (kind, id) in [
            (ResourceType::Patient, patient.fhir_id),
            (ResourceType::Encounter, "eNcA1mVx9LkRb2Zp3Gs4HyQ3"),
            (ResourceType::Practitioner, CLINICIAN.fhir_id),
        ] {
            assert_eq!(read(provider, kind, id), Err(FhirFault::Scope));
        }
        let themselves = grant("1", Visitor::Patient(patient), "launch fhirUser");
        assert!(read(themselves, ResourceType::Patient, patient.fhir_id).is_ok());
    }
}
