//! Zoom's encrypted EMR link, as Zoom's own sample for EHR vendors makes it:
//! AES-128-CBC under a key that is derived from the API secret.

use rand::CryptoRng;
use url::Url;
use vestibule_launch::{crypto::LaunchCipher, encode_component};
use zeroize::Zeroizing;

use crate::{
    appointment::CLINICIAN,
    basic::BasicUser,
    visit::{Visit, Visitor},
};

/// How the EHR is set up to launch visits by Zoom's link.
pub(crate) struct ZoomRecord {
    /// Without the parameters, such as `https://applications.zoom.us/telehealth`.
    pub(crate) url: Url,
    /// The API key.
    pub(crate) org_id: String,
    pub(crate) cipher: LaunchCipher,
    /// Who may notify the EHR, where it asks for that.
    pub(crate) notification: Option<BasicUser>,
}

impl ZoomRecord {
    pub(crate) fn link(&self, visit: Visit, rng: &mut dyn CryptoRng) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("org_id", &self.org_id)
            .append_pair("data", &self.cipher.encrypt(&context(visit), rng));
        url
    }
}

/// `usertype` is 1 for a provider and 2 for a patient.
fn context(visit: Visit) -> Zeroizing<String> {
    let (user_type, user_id, first_name, last_name) = match visit.visitor {
        Visitor::Provider => (
            1,
            CLINICIAN.user_id,
            CLINICIAN.first_name,
            CLINICIAN.last_name,
        ),
        Visitor::Patient(patient) => (2, patient.dstu2_id, patient.first_name, patient.last_name),
    };
    Zeroizing::new(format!(
        "usertype={user_type}&userid={}&sessionid={}&firstname={}&lastname={}",
        encode_component(user_id),
        encode_component(visit.appointment.csn),
        encode_component(first_name),
        encode_component(last_name),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appointment::Appointment;

    #[test]
    fn the_context_says_who_comes_to_which_session() {
        let appointment = Appointment::find("3").unwrap();
        let of = |visitor| {
            context(Visit {
                appointment,
                visitor,
            })
        };
        assert_eq!(
            *of(Visitor::Provider),
            "usertype=1&userid=MHALVORSEN&sessionid=91b07c5d2e4f48a6b3d85f60c7e2a914d&firstname=Mira&lastname=Halvorsen"
        );
        assert_eq!(
            *of(Visitor::Patient(appointment.patients.only().unwrap())),
            "usertype=2&userid=TZmA8kLp9GtSc1Wf2Vh3BnB&sessionid=91b07c5d2e4f48a6b3d85f60c7e2a914d&firstname=Zo%C3%AB&lastname=Marchetti-%C3%85ngstr%C3%B6m"
        );
    }
}
