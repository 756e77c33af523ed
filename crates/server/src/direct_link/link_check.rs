//! Asking the EHR whether a direct join link is good now.

use std::collections::BTreeMap;

use http::{HeaderValue, Request, Response, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::Url;
use vestibule_launch::{EhrRole, EncounterId, LaunchContext};
use zeroize::Zeroizing;

use super::LinkValue;
use crate::{
    dialect::DialectError,
    field_call::{FieldForm, field_call},
    launch::token_fields,
    profile::TokenResponseMap,
};

/// The EHR's call, as a profile says it.
#[derive(Clone, Debug)]
pub struct LinkCheck {
    /// Where it goes.
    pub url: Url,
    /// How the fields are sent.
    pub form: FieldForm,
    /// What is asked.
    pub fields: BTreeMap<String, LinkValue>,
    /// What is asked always.
    pub constants: BTreeMap<String, String>,
    /// What the answer may add to the link.
    pub answer: TokenResponseMap,
}

/// The EHR says that a link is good, and perhaps more of its appointment.
pub struct LinkAnswer(Map<String, Value>);

/// Why the EHR's answer does not let anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefused {
    /// The link is for an old appointment, for one that is not open yet, or for none.
    #[error("the EHR says that the link is not valid now (status {0})")]
    NotValid(StatusCode),
    /// The access token is not good for this.
    #[error("the EHR does not accept the backend application's access token for direct join links")]
    Token,
    /// The link was opened as a provider's, and nothing says that it is one.
    #[error(
        "the direct join link is not a provider's; if it is, put role=provider first into \
         the text that the EHR's record encrypts, or name the field of the EHR's answer \
         that says so in direct_links.provider.answer"
    )]
    NotForProviders,
    /// The EHR cannot say now.
    #[error("the EHR cannot say whether the link is valid (status {0})")]
    Unavailable(StatusCode),
}

impl LinkCheck {
    /// The question. It carries the token: not to be logged.
    ///
    /// # Errors
    /// Where the link is too long for the EHR's URL, or the token none for a header.
    pub fn request(
        &self,
        link: &SecretString,
        context: &LaunchContext,
        role: EhrRole,
        access_token: &SecretString,
    ) -> Result<Request<Vec<u8>>, http::Error> {
        let encounter = context.unique_encounter_id.as_str();
        let asked = self.fields.iter().map(|(name, value)| {
            let value = match value {
                LinkValue::Link => link.expose_secret(),
                LinkValue::UniqueEncounterId => encounter,
                LinkValue::ConferenceId => context.conference_id.as_deref().unwrap_or(encounter),
                LinkValue::ExternalId => context.external_id.as_deref().unwrap_or(""),
                LinkValue::Role => role.as_str(),
            };
            (name.as_str(), value)
        });
        let always = self
            .constants
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<_> = asked.chain(always).collect();
        let mut request = field_call(&self.url, self.form, &fields)?;
        let bearer = Zeroizing::new(format!("Bearer {}", access_token.expose_secret()));
        let mut bearer = HeaderValue::from_str(&bearer)?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        Ok(request)
    }
}

impl LinkAnswer {
    /// Reads the EHR's answer. Any success is a yes; what a body that is no JSON object
    /// says is left alone.
    ///
    /// # Errors
    /// [`LinkRefused`].
    pub fn read(response: &Response<Vec<u8>>) -> Result<Self, LinkRefused> {
        let status = response.status();
        match status.as_u16() {
            200..=299 => Ok(Self(
                serde_json::from_slice(response.body()).unwrap_or_default(),
            )),
            401 => Err(LinkRefused::Token),
            408 | 429 => Err(LinkRefused::Unavailable(status)),
            400..=499 => Err(LinkRefused::NotValid(status)),
            _ => Err(LinkRefused::Unavailable(status)),
        }
    }

    /// Completes what the link says with what the answer does. What both say must be
    /// the same appointment.
    ///
    /// # Errors
    /// [`DialectError::ParametersInvalid`] where it is not.
    pub fn complete(
        &self,
        context: LaunchContext,
        map: &TokenResponseMap,
    ) -> Result<LaunchContext, DialectError> {
        if let Some(encounter) = map
            .unique_encounter_id
            .as_deref()
            .and_then(|name| self.text(name))
            && EncounterId::parse(&encounter).as_ref() != Some(&context.unique_encounter_id)
        {
            return Err(DialectError::ParametersInvalid);
        }
        Ok(token_fields::fill(context, map, |name| self.text(name)))
    }

    /// Whether a field says this.
    pub fn says(&self, name: &str, value: &str) -> bool {
        self.text(name).as_deref() == Some(value)
    }

    fn text(&self, name: &str) -> Option<String> {
        token_fields::text(self.0.get(name)?)
    }
}

#[cfg(test)]
mod tests {
    use vestibule_launch::{LaunchParameters, ParameterMap, PlusSign};

    use super::*;

    fn context(text: &str) -> LaunchContext {
        let parameters = LaunchParameters::parse(text, PlusSign::Literal).unwrap();
        LaunchContext::from_parameters(&parameters, &ParameterMap::default()).unwrap()
    }

    fn check(fields: &[(&str, LinkValue)]) -> LinkCheck {
        LinkCheck {
            url: "https://ehr.example.org/check".parse().unwrap(),
            form: FieldForm::PostJson,
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
            constants: [("kind".to_owned(), "video".to_owned())].into(),
            answer: TokenResponseMap::default(),
        }
    }

    fn answer(status: u16, body: &str) -> Result<LinkAnswer, LinkRefused> {
        let response = Response::builder().status(status);
        LinkAnswer::read(&response.body(body.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn every_value_can_be_asked_with() {
        let check = check(&[
            ("a", LinkValue::Link),
            ("b", LinkValue::UniqueEncounterId),
            ("c", LinkValue::ConferenceId),
            ("d", LinkValue::ExternalId),
            ("e", LinkValue::Role),
        ]);
        let ask = |text| {
            let link = "AB+/=".into();
            let request = check
                .request(&link, &context(text), EhrRole::Provider, &"t0ken".into())
                .unwrap();
            assert_eq!(request.headers()["authorization"], "Bearer t0ken");
            assert!(request.headers()["authorization"].is_sensitive());
            serde_json::from_slice::<Value>(request.body()).unwrap()
        };
        assert_eq!(
            ask("csn=1&epicuserid=u"),
            serde_json::json!({"a": "AB+/=", "b": "1", "c": "1", "d": "u", "e": "provider", "kind": "video"})
        );
        assert_eq!(ask("csn=1&conferenceid=2")["c"], "2");
        assert_eq!(ask("csn=1")["d"], "");
    }

    #[test]
    fn any_success_is_a_yes() {
        for (status, body) in [
            (200, "{\"launch_token\": \"x\"}"),
            (200, ""),
            (200, "[]"),
            (200, "<html>"),
            (204, ""),
            (201, "{}"),
        ] {
            assert!(answer(status, body).is_ok(), "{status} {body}");
        }
    }

    #[test]
    fn a_refusal_is_the_link_s_the_token_s_or_the_ehr_s() {
        let refused = |status| answer(status, "{\"error\": \"x\"}").err().unwrap();
        for status in [400, 403, 404, 409, 410, 422, 425] {
            assert!(matches!(refused(status), LinkRefused::NotValid(_)));
        }
        assert_eq!(refused(401), LinkRefused::Token);
        for status in [302, 408, 429, 500, 502, 503] {
            assert!(matches!(refused(status), LinkRefused::Unavailable(_)));
        }
    }

    #[test]
    fn an_answer_completes_a_link_and_changes_nothing_of_it() {
        let map: TokenResponseMap = toml::from_str(
            "unique_encounter_id = \"csn\"\nfname = \"first\"\nlname = \"last\"\nexternal_id = \"user\"",
        )
        .unwrap();
        let complete = |body: &str, text: &str| {
            let answer = answer(200, body).unwrap();
            answer.complete(context(text), &map)
        };
        let body = r#"{"csn": 4711, "first": " Ada ", "last": "", "user": "u1", "other": {}}"#;
        let completed = complete(body, "csn=4711").unwrap();
        assert_eq!(completed.launch_information.fname.as_deref(), Some("Ada"));
        assert_eq!(completed.launch_information.lname, None);
        assert_eq!(completed.external_id.as_deref(), Some("u1"));
        let completed = complete(body, "csn=4711&fname=Grace&epicuserid=u2").unwrap();
        assert_eq!(completed.launch_information.fname.as_deref(), Some("Grace"));
        assert_eq!(completed.external_id.as_deref(), Some("u2"));
        assert!(complete("{}", "csn=4711").is_ok());
        assert!(
            complete(r#"{"first": ["A"], "user": "a\nb"}"#, "csn=1").unwrap() == context("csn=1")
        );
        assert_eq!(
            complete(body, "csn=4712"),
            Err(DialectError::ParametersInvalid)
        );
    }
}
