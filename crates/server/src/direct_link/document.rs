//! `[direct_links]` of a profile: how the EHR is asked whether a link is good.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use vestibule_launch::crypto::InitializationVector;

use super::{LinkCheck, ProviderLinks};
use crate::{
    field_call::FieldForm,
    profile::{
        TokenResponseMap,
        field::{FieldError, longest, required, text, url, wrong},
    },
};

/// Below the base of the EHR's web services: ours, for want of Epic's.
const PATH: &str = "api/telehealth/direct-launch-token";

/// Most fields in a call, and the longest name or constant, in characters.
const MOST_FIELDS: usize = 32;
const LONGEST_NAME: usize = 64;
const LONGEST_CONSTANT: usize = 255;

/// The table, unchecked. All of it is optional, and none of the defaults is verified:
/// the EHR's documentation of the call is not public.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DirectLinksDocument {
    /// Where the EHR is asked: `api/telehealth/direct-launch-token` below
    /// `telehealth_integration_oauth2_base_api_url`.
    pub url: Option<String>,
    /// How the fields are sent: `post-json`.
    pub form: FieldForm,
    /// What the EHR calls each value: `link = "link"`.
    pub fields: Option<BTreeMap<String, LinkValue>>,
    /// Fields whose value is always the same.
    pub constants: BTreeMap<String, String>,
    /// What the EHR calls launch information in its answer, where it completes the
    /// link's.
    pub answer: TokenResponseMap,
    /// How a provider's link is known.
    pub provider: ProviderLinksDocument,
}

/// `[direct_links.provider]`: how the EHR says that a link is a provider's. A link that
/// does not say so joins as a guest, or not at all.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderLinksDocument {
    /// The encrypted parameter that says it, before all others: `role`.
    pub parameter: String,
    /// The field of the EHR's answer that says it. Where it is named, it alone counts.
    pub answer: Option<String>,
    /// What they say: `provider`.
    pub value: String,
}

impl Default for ProviderLinksDocument {
    fn default() -> Self {
        Self {
            parameter: "role".to_owned(),
            answer: None,
            value: "provider".to_owned(),
        }
    }
}

/// A value that a field can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkValue {
    /// The encrypted parameter as it came.
    Link,
    /// The appointment.
    UniqueEncounterId,
    /// The EHR's conference, or else the appointment.
    ConferenceId,
    /// The EHR's identifier of who was invited; empty where the link has none.
    ExternalId,
    /// `patient` or `provider`.
    Role,
}

impl DirectLinksDocument {
    /// Checks the table; `base` is the profile's
    /// `telehealth_integration_oauth2_base_api_url`.
    pub(crate) fn check(&self, base: Option<&str>) -> Result<LinkCheck, FieldError> {
        const URL: &str = "direct_links.url";
        const FIELDS: &str = "direct_links.fields";
        const CONSTANTS: &str = "direct_links.constants";
        let url = match &self.url {
            Some(given) => url(URL, given)?,
            None => {
                let base = required(URL, &base)?.trim_end_matches('/');
                url(URL, &format!("{base}/{PATH}"))?
            }
        };
        let fields = self.fields.clone().unwrap_or_else(|| {
            let link = ("link".to_owned(), LinkValue::Link);
            BTreeMap::from([link])
        });
        if fields.is_empty() {
            return wrong(
                FIELDS,
                "is empty, so the EHR could not tell one link from another",
            );
        }
        if fields.len() + self.constants.len() > MOST_FIELDS {
            return wrong(FIELDS, "are more than 32, constants included");
        }
        for name in fields.keys() {
            text(FIELDS, name, LONGEST_NAME)?;
        }
        for (name, value) in &self.constants {
            text(CONSTANTS, name, LONGEST_NAME)?;
            longest(CONSTANTS, value, LONGEST_CONSTANT)?;
            if fields.contains_key(name) {
                return wrong(CONSTANTS, &format!("{name} is among the fields too"));
            }
        }
        Ok(LinkCheck {
            url,
            form: self.form,
            fields,
            constants: self.constants.clone(),
            answer: self.answer.clone(),
        })
    }

    /// Checks `[direct_links.provider]` of a profile with this initialisation vector.
    pub(crate) fn check_provider(
        &self,
        initialization_vector: InitializationVector,
    ) -> Result<ProviderLinks, FieldError> {
        let ProviderLinksDocument {
            parameter,
            answer,
            value,
        } = &self.provider;
        text("direct_links.provider.parameter", parameter, LONGEST_NAME)?;
        text("direct_links.provider.value", value, LONGEST_CONSTANT)?;
        if let Some(answer) = answer {
            text("direct_links.provider.answer", answer, LONGEST_NAME)?;
        }
        if answer.is_none() && value.contains(['%', '&', '+']) {
            return wrong(
                "direct_links.provider.value",
                "must be without %, & and +, which stand for something else in encrypted parameters",
            );
        }
        if answer.is_none() && initialization_vector != InitializationVector::Zero {
            return wrong(
                "direct_links.provider.answer",
                "is missing: with an initialization_vector that comes with the link, \
                 whoever has a patient's link could make it a provider's; name the field \
                 of the EHR's answer that says that a link is a provider's",
            );
        }
        Ok(ProviderLinks {
            parameter: parameter.clone(),
            answer: answer.clone(),
            value: value.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Option<&str> = Some("https://ehr.example.org/interconnect/");

    fn check(table: &str) -> Result<LinkCheck, FieldError> {
        let document: DirectLinksDocument = toml::from_str(table).unwrap();
        document.check(BASE)
    }

    #[test]
    fn without_a_table_the_link_is_posted_below_the_base() {
        let check = check("").unwrap();
        assert_eq!(
            check.url.as_str(),
            "https://ehr.example.org/interconnect/api/telehealth/direct-launch-token"
        );
        assert_eq!(check.form, FieldForm::PostJson);
        assert_eq!(check.fields, [("link".to_owned(), LinkValue::Link)].into());
        let nowhere = DirectLinksDocument::default().check(None);
        assert_eq!(nowhere.err().unwrap().0, "direct_links.url");
    }

    #[test]
    fn all_of_the_call_can_be_said() {
        let check = check(
            r#"
            url = "https://ehr.example.org/launchtoken"
            form = "get"
            fields = { ContactID = "unique_encounter_id", UserID = "external_id", UserType = "role" }
            constants = { ContactIDType = "CSN" }
            answer = { fname = "PatientFirstName" }
            "#,
        )
        .unwrap();
        assert_eq!(check.url.path(), "/launchtoken");
        assert_eq!(check.form, FieldForm::Get);
        assert_eq!(check.fields["ContactID"], LinkValue::UniqueEncounterId);
        assert_eq!(check.constants["ContactIDType"], "CSN");
        assert_eq!(check.answer.fname.as_deref(), Some("PatientFirstName"));
    }

    #[test]
    fn a_provider_s_link_says_that_it_is_one() {
        let provider = |table: &str| {
            let document: DirectLinksDocument = toml::from_str(table).unwrap();
            document.check_provider(InitializationVector::Zero)
        };
        let usual = provider("").unwrap();
        assert_eq!((&*usual.parameter, &*usual.value), ("role", "provider"));
        let other = "provider = { parameter = \"kind\", value = \"2\", answer = \"type\" }";
        assert_eq!(provider(other).unwrap().answer.as_deref(), Some("type"));
        for empty in ["parameter", "value", "answer"] {
            let (field, _) = provider(&format!("provider.{empty} = \"\"")).unwrap_err();
            assert_eq!(field, format!("direct_links.provider.{empty}"));
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_field() {
        let many: String = (0..33)
            .map(|number| format!("f{number} = \"link\"\n"))
            .collect();
        for (table, field) in [
            (r#"url = "http://ehr.example.org/""#, "direct_links.url"),
            ("fields = {}", "direct_links.fields"),
            (r#"fields = { " " = "link" }"#, "direct_links.fields"),
            (&format!("[fields]\n{many}"), "direct_links.fields"),
            (r#"constants = { link = "x" }"#, "direct_links.constants"),
        ] {
            assert_eq!(check(table).err().unwrap().0, field, "{table}");
        }
        for unknown in ["colour = 1", "fields = { a = \"pin\" }", "form = \"put\""] {
            assert!(toml::from_str::<DirectLinksDocument>(unknown).is_err());
        }
    }
}
