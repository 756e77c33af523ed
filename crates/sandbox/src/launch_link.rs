//! How the EHR launches Vestibule: SMART `iss` and `launch`, and the context
//! of the visit, encrypted; and its direct join links, which carry the context
//! alone.

use std::fmt;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_launch::{crypto::LaunchCipher, encode_component};
use zeroize::Zeroizing;

use crate::{
    appointment::{Appointment, Patient},
    opaque::Opaque,
    visit::{Visit, Visitor},
};

/// How the EHR is set up to launch Vestibule: its integration (FDI) record.
pub(crate) struct LaunchRecord {
    pub(crate) provider_url: Url,
    pub(crate) patient_url: Url,
    /// Where direct join links for patients and whom they invite lead.
    pub(crate) guest_direct_url: Option<Url>,
    /// Where direct join links for clinicians lead.
    pub(crate) provider_direct_url: Option<Url>,
    /// The parameter that carries the encrypted context.
    pub(crate) parameter: String,
    pub(crate) cipher: LaunchCipher,
    pub(crate) method: LaunchMethod,
}

/// How the browser is sent to the launch URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum LaunchMethod {
    Get,
    Post,
}

/// One launch, ready to be followed.
pub(crate) struct LaunchLink {
    action: Url,
    method: LaunchMethod,
    fields: [Field; 3],
}

/// A parameter of the launch URL or a field of the launch form.
#[derive(Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl LaunchRecord {
    pub(crate) fn link(
        &self,
        visit: Visit,
        issuer: &str,
        launch: &Opaque,
        rng: &mut dyn CryptoRng,
    ) -> LaunchLink {
        let action = match visit.visitor {
            Visitor::Provider => &self.provider_url,
            Visitor::Patient(_) => &self.patient_url,
        };
        let context = context(visit.appointment, visit.patient());
        LaunchLink {
            action: action.clone(),
            method: self.method,
            fields: [
                Field::new("iss", issuer),
                Field::new("launch", launch.as_str()),
                Field::new(&self.parameter, &self.encrypted(&context, rng)),
            ],
        }
    }

    /// What "Send Video Visit Link" sends: a link that joins without a sign-in
    /// to the EHR. A provider's says so inside, and first: whatever comes later could be
    /// written by whoever was sent a patient's. None where the EHR is not set up for it.
    pub(crate) fn direct_link(&self, visit: Visit, rng: &mut dyn CryptoRng) -> Option<Url> {
        let url = match visit.visitor {
            Visitor::Provider => &self.provider_direct_url,
            Visitor::Patient(_) => &self.guest_direct_url,
        };
        let mut url = url.clone()?;
        let mut context = context(visit.appointment, visit.patient());
        if matches!(visit.visitor, Visitor::Provider) {
            context.insert_str(0, "role=provider&");
        }
        url.query_pairs_mut()
            .append_pair(&self.parameter, &self.encrypted(&context, rng));
        Some(url)
    }

    fn encrypted(&self, context: &str, rng: &mut dyn CryptoRng) -> String {
        self.cipher.encrypt(context, rng)
    }
}

impl LaunchLink {
    pub(crate) fn method(&self) -> LaunchMethod {
        self.method
    }

    /// The launch URL without the parameters of this launch.
    pub(crate) fn action(&self) -> &str {
        self.action.as_str()
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The launch URL with the parameters of this launch.
    pub(crate) fn url(&self) -> Url {
        let mut url = self.action.clone();
        url.query_pairs_mut()
            .extend_pairs(self.fields.iter().map(|field| (&field.name, &field.value)));
        url
    }
}

impl Field {
    fn new(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }
}

impl fmt::Debug for LaunchLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchLink")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The context of the visit as a query string, the same for both roles. What
/// the EHR does not know stands there without a value.
fn context(appointment: &Appointment, patient: Option<&Patient>) -> Zeroizing<String> {
    let department = appointment
        .department
        .as_ref()
        .map_or("", |department| department.name);
    let name = |part: fn(&Patient) -> &'static str| encode_component(patient.map_or("", part));
    Zeroizing::new(format!(
        "csn={}&fname={}&mname={}&lname={}&encfacnpiname={}",
        encode_component(appointment.csn),
        name(|patient| patient.first_name),
        name(|patient| patient.middle_name),
        name(|patient| patient.last_name),
        encode_component(department),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appointment::SCHEDULE;

    fn of(index: usize) -> Zeroizing<String> {
        context(&SCHEDULE[index], SCHEDULE[index].patients.only())
    }

    #[test]
    fn the_context_names_the_patient_and_the_department() {
        assert_eq!(
            *of(0),
            "csn=6ea6d1427f684721abd21c1634386f7b6&fname=Beverley&mname=P&lname=Spinder&encfacnpiname=Radiology"
        );
    }

    #[test]
    fn the_context_of_a_visit_without_department_has_an_empty_one() {
        assert_eq!(
            *of(1),
            "csn=5ec8f1667f531781afe19c1774322f7b8&fname=Kai&mname=Oosman&lname=Picardo&encfacnpiname="
        );
    }

    #[test]
    fn values_of_the_context_are_percent_encoded() {
        assert_eq!(
            *of(2),
            "csn=91b07c5d2e4f48a6b3d85f60c7e2a914d&fname=Zo%C3%AB&mname=&lname=Marchetti-%C3%85ngstr%C3%B6m&encfacnpiname=Heart%20%26%20Circulation"
        );
    }

    #[test]
    fn the_context_of_a_group_visit_names_whoever_launches_and_nobody_for_the_provider() {
        let group = &SCHEDULE[3];
        let second = context(group, group.patients.all().get(1));
        assert!(second.contains("&fname=Tom&mname=A&lname=Okafor&"));
        assert_eq!(
            *of(3),
            "csn=c47a90e1d5b84f3c8e26170fa9d3b5527&fname=&mname=&lname=&encfacnpiname=Pain%20Clinic"
        );
    }
}
