//! How the EHR launches Vestibule: SMART `iss` and `launch`, and the context
//! of the visit, encrypted.

use std::fmt;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_launch::{EhrRole, crypto::LaunchCipher, encode_component};
use zeroize::Zeroizing;

use crate::{appointment::Appointment, opaque::Opaque};

/// How the EHR is set up to launch Vestibule: its integration (FDI) record.
pub(crate) struct LaunchRecord {
    pub(crate) provider_url: Url,
    pub(crate) patient_url: Url,
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
        role: EhrRole,
        issuer: &str,
        launch: &Opaque,
        appointment: &Appointment,
        rng: &mut dyn CryptoRng,
    ) -> LaunchLink {
        let action = match role {
            EhrRole::Provider => &self.provider_url,
            EhrRole::Patient => &self.patient_url,
        };
        LaunchLink {
            action: action.clone(),
            method: self.method,
            fields: [
                Field::new("iss", issuer),
                Field::new("launch", launch.as_str()),
                Field::new(
                    &self.parameter,
                    &self.cipher.encrypt(&context(appointment), rng),
                ),
            ],
        }
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
fn context(appointment: &Appointment) -> Zeroizing<String> {
    let department = appointment
        .department
        .as_ref()
        .map_or("", |department| department.name);
    Zeroizing::new(format!(
        "csn={}&fname={}&mname={}&lname={}&encfacnpiname={}",
        encode_component(appointment.csn),
        encode_component(appointment.patient.first_name),
        encode_component(appointment.patient.middle_name),
        encode_component(appointment.patient.last_name),
        encode_component(department),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appointment::SCHEDULE;

    #[test]
    fn the_context_names_the_patient_and_the_department() {
        assert_eq!(
            *context(&SCHEDULE[0]),
            "csn=6ea6d1427f684721abd21c1634386f7b6&fname=Beverley&mname=P&lname=Spinder&encfacnpiname=Radiology"
        );
    }

    #[test]
    fn the_context_of_a_visit_without_department_has_an_empty_one() {
        assert_eq!(
            *context(&SCHEDULE[1]),
            "csn=5ec8f1667f531781afe19c1774322f7b8&fname=Kai&mname=Oosman&lname=Picardo&encfacnpiname="
        );
    }

    #[test]
    fn values_of_the_context_are_percent_encoded() {
        assert_eq!(
            *context(&SCHEDULE[2]),
            "csn=91b07c5d2e4f48a6b3d85f60c7e2a914d&fname=Zo%C3%AB&mname=&lname=Marchetti-%C3%85ngstr%C3%B6m&encfacnpiname=Heart%20%26%20Circulation"
        );
    }
}
