//! Answers of the token endpoint (RFC 6749 sections 5.1 and 5.2; SMART App
//! Launch 2.2, "Launch context arrives with your access token").

use std::{collections::BTreeMap, fmt, time::Duration};

use http::{Response, StatusCode};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::{MAX_BODY_BYTES, OAuthError};

/// How long an access token lives where the answer does not say: Epic's default.
const DEFAULT_EXPIRES_IN: Duration = Duration::from_secs(3600);
/// The longest life that is believed; it keeps sums with points in time finite.
const MAX_EXPIRES_IN: Duration = Duration::from_secs(366 * 24 * 3600);

/// Tokens, and the launch context that came with them. [`Tokens`](crate::Tokens)
/// keeps the tokens.
pub struct TokenResponse {
    /// The access token: visible ASCII, otherwise opaque.
    pub access_token: SecretString,
    /// The refresh token, where the client may have one.
    pub refresh_token: Option<SecretString>,
    /// The OpenID Connect identity token, not verified.
    pub id_token: Option<SecretString>,
    /// How long the access token lives from the answer on: 3600 seconds where
    /// the answer does not say, a year at most.
    pub expires_in: Duration,
    /// The scopes granted, where the answer says so.
    pub scope: Option<String>,
    /// FHIR id of the patient.
    pub patient: Option<String>,
    /// FHIR id of the encounter.
    pub encounter: Option<String>,
    /// FHIR id of the appointment.
    pub appointment: Option<String>,
    /// Whether the page must show which patient it is about.
    pub need_patient_banner: Option<bool>,
    /// Every other field: what an EHR's administrator adds to the launch
    /// context arrives here.
    pub other: BTreeMap<String, Value>,
}

/// Why there are no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The EHR refused, with this code.
    #[error("the EHR refused the token request: {0}")]
    Refused(OAuthError),
    /// The EHR answered with this HTTP status and no OAuth2 error.
    #[error("the EHR answered the token request with status {0}")]
    Status(u16),
    /// The answer is longer than [`MAX_BODY_BYTES`].
    #[error("the EHR's token answer is longer than 64 KiB")]
    TooLarge,
    /// The answer is no token response; the text says what is wrong with it.
    #[error("the EHR's token answer cannot be used: {0}")]
    Malformed(&'static str),
}

impl TokenResponse {
    /// Reads the answer to a [`TokenRequest`](crate::TokenRequest). Unknown
    /// fields are kept, not judged.
    pub fn from_response(response: &Response<Vec<u8>>) -> Result<Self, TokenError> {
        if response.body().len() > MAX_BODY_BYTES {
            return Err(TokenError::TooLarge);
        }
        // Some servers refuse with status 200, so that is looked for first.
        let refusal: Option<Map<String, Value>> = serde_json::from_slice(response.body()).ok();
        if let Some(error) = refusal.as_ref().and_then(|fields| fields.get("error"))
            && let Some(Ok(error)) = error.as_str().map(str::parse)
        {
            return Err(TokenError::Refused(error));
        }
        if response.status() != StatusCode::OK {
            return Err(TokenError::Status(response.status().as_u16()));
        }
        let mut fields: BTreeMap<String, Value> = serde_json::from_slice(response.body())
            .map_err(|_| TokenError::Malformed("it is not a JSON object"))?;

        if let Some(token_type) = text(&mut fields, "token_type", "token_type is not text")?
            && !token_type.eq_ignore_ascii_case("bearer")
        {
            return Err(TokenError::Malformed("token_type is not bearer"));
        }
        let access_token = text(&mut fields, "access_token", "access_token is not text")?
            .ok_or(TokenError::Malformed("it has no access_token"))?;
        if !is_sendable(&access_token) {
            return Err(TokenError::Malformed(
                "access_token cannot be sent in a header",
            ));
        }
        Ok(Self {
            access_token: access_token.into(),
            refresh_token: text(&mut fields, "refresh_token", "refresh_token is not text")?
                .map(Into::into),
            id_token: text(&mut fields, "id_token", "id_token is not text")?.map(Into::into),
            expires_in: expires_in(fields.remove("expires_in"))?,
            scope: text(&mut fields, "scope", "scope is not text")?,
            patient: text(&mut fields, "patient", "patient is not text")?,
            encounter: text(&mut fields, "encounter", "encounter is not text")?,
            appointment: text(&mut fields, "appointment", "appointment is not text")?,
            need_patient_banner: fields.remove("need_patient_banner").as_ref().and_then(flag),
            other: fields,
        })
    }
}

/// Whether an access token can stand in a header: visible ASCII.
pub(crate) fn is_sendable(access_token: &str) -> bool {
    !access_token.is_empty() && access_token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Shows which fields there are and none of their values: they are tokens and
/// identify patients.
impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .field("refresh_token", &self.refresh_token.is_some())
            .field("id_token", &self.id_token.is_some())
            .field("patient", &self.patient.is_some())
            .field("encounter", &self.encounter.is_some())
            .field("appointment", &self.appointment.is_some())
            .finish_non_exhaustive()
    }
}

/// A field of text; numbers are taken as such, for servers that send ids as numbers.
fn text(
    fields: &mut BTreeMap<String, Value>,
    name: &str,
    otherwise: &'static str,
) -> Result<Option<String>, TokenError> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(TokenError::Malformed(otherwise)),
    }
}

fn expires_in(value: Option<Value>) -> Result<Duration, TokenError> {
    let seconds = match value {
        None | Some(Value::Null) => return Ok(DEFAULT_EXPIRES_IN),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    seconds
        .filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
        .map(|seconds| Duration::from_secs_f64(seconds.min(MAX_EXPIRES_IN.as_secs_f64())))
        .ok_or(TokenError::Malformed(
            "expires_in is not a number of seconds",
        ))
}

/// SMART defines a boolean; Epic sends it as text.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(status: u16, body: impl Into<Vec<u8>>) -> Result<TokenResponse, TokenError> {
        TokenResponse::from_response(
            &Response::builder()
                .status(status)
                .body(body.into())
                .unwrap(),
        )
    }

    #[test]
    fn reads_an_answer_shaped_like_epics() {
        let tokens = read(
            200,
            r#"{"access_token":"Nt54hJmDb-_.~+/=","token_type":"bearer","expires_in":3240,"scope":"launch openid",
                "id_token":"e.y.j","__epic.dstu2.patient":"T1","patient":"T1wI5bk8n1YVgvWk9D05BmRV0Pi3ECImNSK8DKyKltsMB",
                "encounter":"e1","appointment":"a1","loginDepartment":"d1","state":"s","need_patient_banner":"false",
                "smart_style_url":"https://ehr.example/style.json"}"#,
        )
        .unwrap();
        assert_eq!(tokens.access_token.expose_secret(), "Nt54hJmDb-_.~+/=");
        assert_eq!(tokens.expires_in, Duration::from_secs(3240));
        assert_eq!(tokens.scope.as_deref(), Some("launch openid"));
        assert_eq!(
            tokens.patient.as_deref(),
            Some("T1wI5bk8n1YVgvWk9D05BmRV0Pi3ECImNSK8DKyKltsMB")
        );
        assert_eq!(tokens.encounter.as_deref(), Some("e1"));
        assert_eq!(tokens.appointment.as_deref(), Some("a1"));
        assert_eq!(tokens.need_patient_banner, Some(false));
        assert!(tokens.refresh_token.is_none() && tokens.id_token.is_some());
        assert_eq!(tokens.other["loginDepartment"], "d1");
        assert_eq!(tokens.other.len(), 4);
    }

    #[test]
    fn takes_the_variants_that_servers_send() {
        let expires = |json: &str| {
            read(
                200,
                format!(r#"{{"access_token":"a","token_type":"Bearer"{json}}}"#),
            )
            .map(|t| t.expires_in.as_secs())
        };
        assert_eq!(expires(""), Ok(3600));
        assert_eq!(expires(r#","expires_in":null"#), Ok(3600));
        assert_eq!(expires(r#","expires_in":"120""#), Ok(120));
        assert_eq!(expires(r#","expires_in":120.0"#), Ok(120));
        assert_eq!(expires(r#","expires_in":0"#), Ok(0));
        assert_eq!(expires(r#","expires_in":1e300"#), Ok(366 * 24 * 3600));
        for bad in [
            r#","expires_in":-1"#,
            r#","expires_in":"soon""#,
            r#","expires_in":"NaN""#,
            r#","expires_in":[]"#,
        ] {
            assert!(
                matches!(expires(bad), Err(TokenError::Malformed(_))),
                "{bad}"
            );
        }
        let banner = |json: &str| {
            read(
                200,
                format!(r#"{{"access_token":"a","need_patient_banner":{json}}}"#),
            )
            .unwrap()
            .need_patient_banner
        };
        assert_eq!(banner("true"), Some(true));
        assert_eq!(banner(r#""True""#), Some(true));
        assert_eq!(banner(r#""maybe""#), None);
        assert_eq!(
            read(200, r#"{"access_token":"a","patient":7}"#)
                .unwrap()
                .patient
                .as_deref(),
            Some("7")
        );
    }

    #[test]
    fn a_long_opaque_token_is_neither_parsed_nor_cut() {
        let token = "x".repeat(50_000);
        let tokens = read(200, format!(r#"{{"access_token":"{token}"}}"#)).unwrap();
        assert_eq!(tokens.access_token.expose_secret(), token);
    }

    #[test]
    fn refusals_are_told_from_failures() {
        for status in [200, 400, 401] {
            assert_eq!(
                read(
                    status,
                    r#"{"error":"invalid_grant","error_description":"used"}"#
                )
                .unwrap_err(),
                TokenError::Refused("invalid_grant".parse().unwrap())
            );
        }
        assert_eq!(
            read(502, "<html>Bad gateway</html>").unwrap_err(),
            TokenError::Status(502)
        );
        assert_eq!(
            read(400, r#"{"error":"a\nb"}"#).unwrap_err(),
            TokenError::Status(400)
        );
        assert_eq!(read(302, "").unwrap_err(), TokenError::Status(302));
        assert_eq!(
            read(200, vec![b' '; MAX_BODY_BYTES + 1]).unwrap_err(),
            TokenError::TooLarge
        );
    }

    #[test]
    fn answers_without_a_usable_token_are_malformed() {
        for body in [
            "<html>Sign in</html>",
            "",
            "[]",
            // An array is no refusal, whatever stands in it: it could be a token.
            r#"["t0ken"]"#,
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"a\r\nX: y"}"#,
            r#"{"access_token":{}}"#,
            r#"{"access_token":"a","token_type":"DPoP"}"#,
            r#"{"access_token":"a","patient":{}}"#,
        ] {
            assert!(
                matches!(read(200, body), Err(TokenError::Malformed(_))),
                "{body}"
            );
        }
    }

    #[test]
    fn debug_shows_no_token_and_no_patient() {
        let tokens = read(
            200,
            r#"{"access_token":"t0ken","refresh_token":"t0ken","id_token":"t0ken","patient":"p4tient",
                "encounter":"p4tient","appointment":"p4tient","name":"p4tient"}"#,
        )
        .unwrap();
        let shown = format!("{tokens:?}");
        assert!(
            !shown.contains("t0ken") && !shown.contains("p4tient"),
            "{shown}"
        );
    }
}
