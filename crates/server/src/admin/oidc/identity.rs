//! Who somebody is, by an identity token (OpenID Connect Core 1.0, section 3.1.3.7).
//!
//! The token comes from the provider's token endpoint over TLS, which stands for its
//! signature (number 6 of that section). It is taken from nowhere else.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::Deserialize;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;
use vestibule_launch::UnixTime;

use super::OidcConfig;
use crate::admin::Role;

/// How far the provider's clock may be from this one's.
const LEEWAY: Duration = Duration::from_secs(60);

/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// Longest subject, in bytes: OpenID Connect Core 1.0, section 2.
const LONGEST_SUBJECT: usize = 255;

/// An administrator by the provider's word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) name: String,
    /// Subject and issuer: together nobody else's, for ever (OpenID Connect Core 1.0,
    /// section 5.7). The name may become another person's.
    pub(super) identity: String,
    /// None where none of the groups has a role.
    pub(super) role: Option<Role>,
    pub(super) may_see_names: bool,
}

/// Why a token lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum IdentityFault {
    #[error("the identity token cannot be read")]
    Malformed,
    #[error("the identity token is of another issuer")]
    Issuer,
    #[error("the identity token is for another application")]
    Audience,
    #[error("the identity token is expired, or from the future; compare the clocks")]
    Time,
    #[error("the identity token belongs to another sign-in")]
    Nonce,
    #[error("the identity token has no usable name; see name_claim")]
    NoName,
    #[error("the identity token has no usable subject")]
    NoSubject,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nonce: String,
    #[serde(flatten)]
    other: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Reads a token that the provider's token endpoint has just given.
pub(super) fn identity(
    config: &OidcConfig,
    token: &str,
    nonce: &str,
    now: UnixTime,
) -> Result<Identity, IdentityFault> {
    let claims = claims(token).ok_or(IdentityFault::Malformed)?;
    if claims.iss != config.issuer {
        return Err(IdentityFault::Issuer);
    }
    check_audience(config, &claims)?;
    check_time(&claims, now)?;
    if !bool::from(claims.nonce.as_bytes().ct_eq(nonce.as_bytes())) {
        return Err(IdentityFault::Nonce);
    }
    let text = |claim: &str, longest: usize| {
        let text = claims.other.get(claim).and_then(Value::as_str);
        text.filter(|text| {
            (1..=longest).contains(&text.len()) && !text.chars().any(char::is_control)
        })
    };
    let name = text(&config.name_claim, LONGEST_NAME).ok_or(IdentityFault::NoName)?;
    let subject = text("sub", LONGEST_SUBJECT).ok_or(IdentityFault::NoSubject)?;
    let groups = groups(claims.other.get(&config.groups_claim));
    let role = groups.iter().filter_map(|group| config.roles.get(*group));
    Ok(Identity {
        name: name.to_owned(),
        identity: format!("{subject} at {}", config.issuer),
        role: role.max().copied(),
        may_see_names: groups.iter().any(|group| config.names.contains(*group)),
    })
}

/// The payload of a JWS in compact form.
fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let payload = Base64UrlUnpadded::decode_vec(payload).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn check_audience(config: &OidcConfig, claims: &Claims) -> Result<(), IdentityFault> {
    let is_us = |id: &String| *id == config.client_id;
    let (is_meant, are_several) = match &claims.aud {
        Audience::One(one) => (is_us(one), false),
        Audience::Several(all) => (all.iter().any(is_us), all.len() > 1),
    };
    let is_authorised = match &claims.azp {
        Some(party) => is_us(party),
        None => !are_several,
    };
    if is_meant && is_authorised {
        Ok(())
    } else {
        Err(IdentityFault::Audience)
    }
}

fn check_time(claims: &Claims, now: UnixTime) -> Result<(), IdentityFault> {
    let (now, leeway) = (now.as_millis() as f64 / 1000.0, LEEWAY.as_secs_f64());
    if now < claims.exp + leeway && claims.iat <= now + leeway {
        Ok(())
    } else {
        Err(IdentityFault::Time)
    }
}

/// A list of texts, or one text.
fn groups(claim: Option<&Value>) -> Vec<&str> {
    match claim {
        Some(Value::String(group)) => vec![group],
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

    fn config() -> OidcConfig {
        toml::from_str(
            "issuer = \"https://id.example.org\"\nclient_id = \"vestibule\"\n\
             redirect_uri = \"https://admin.example.org/admin/oidc/callback\"\n\
             names = [\"clinicians\"]\n\
             [roles]\nlookers = \"view\"\noperators = \"operate\"\n",
        )
        .unwrap()
    }

    fn good() -> Value {
        json!({
            "iss": "https://id.example.org", "aud": "vestibule", "sub": "1",
            "exp": 1_800_000_300, "iat": 1_800_000_000, "nonce": "n-once",
            "preferred_username": "ada", "groups": ["lookers", "operators", "others"],
        })
    }

    fn token(claims: &Value) -> String {
        let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        format!(
            "{}.{}.c2ln",
            part("{\"alg\":\"RS256\"}"),
            part(&claims.to_string())
        )
    }

    fn read(claims: &Value) -> Result<Identity, IdentityFault> {
        identity(&config(), &token(claims), "n-once", NOW)
    }

    #[test]
    fn a_good_token_names_the_administrator_and_the_highest_role() {
        let ada = Identity {
            name: "ada".into(),
            identity: "1 at https://id.example.org".into(),
            role: Some(Role::Operate),
            may_see_names: false,
        };
        assert_eq!(read(&good()), Ok(ada));
        let mut claims = good();
        claims["groups"] = json!(["lookers", "clinicians"]);
        claims["aud"] = json!(["vestibule"]);
        let identity = read(&claims).unwrap();
        let role = Some(Role::View);
        assert_eq!((identity.role, identity.may_see_names), (role, true));
    }

    #[test]
    fn who_has_no_role_is_known_all_the_same() {
        for groups in [json!(["others"]), json!(null)] {
            let mut claims = good();
            claims["groups"] = groups;
            let identity = read(&claims).unwrap();
            assert_eq!((identity.name.as_str(), identity.role), ("ada", None));
        }
    }

    #[test]
    fn a_token_that_is_not_for_this_sign_in_lets_nobody_in() {
        for (claim, value, fault) in [
            (
                "iss",
                json!("https://id.example.org/"),
                IdentityFault::Issuer,
            ),
            ("iss", json!(null), IdentityFault::Malformed),
            ("aud", json!("another"), IdentityFault::Audience),
            ("aud", json!([]), IdentityFault::Audience),
            (
                "aud",
                json!(["vestibule", "another"]),
                IdentityFault::Audience,
            ),
            ("azp", json!("another"), IdentityFault::Audience),
            ("exp", json!(1_799_999_940), IdentityFault::Time),
            ("exp", json!("soon"), IdentityFault::Malformed),
            ("iat", json!(1_800_000_061), IdentityFault::Time),
            ("iat", json!(null), IdentityFault::Malformed),
            ("nonce", json!("other"), IdentityFault::Nonce),
            ("nonce", json!(null), IdentityFault::Malformed),
            ("preferred_username", json!(""), IdentityFault::NoName),
            ("preferred_username", json!(7), IdentityFault::NoName),
            ("preferred_username", json!("a\nb"), IdentityFault::NoName),
            ("sub", json!(null), IdentityFault::NoSubject),
            ("sub", json!(""), IdentityFault::NoSubject),
            ("sub", json!("1".repeat(256)), IdentityFault::NoSubject),
        ] {
            let mut claims = good();
            claims[claim] = value.clone();
            assert_eq!(read(&claims), Err(fault), "{claim} {value}");
        }
        let mut several = good();
        several["aud"] = json!(["vestibule", "another"]);
        several["azp"] = json!("vestibule");
        assert!(read(&several).is_ok());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = token(&good());
        for text in [
            "",
            ".",
            "..",
            "a.b",
            "a.!.c",
            &format!("{good}.d"),
            "a.e30.c",
        ] {
            let read = identity(&config(), text, "n-once", NOW);
            assert_eq!(read, Err(IdentityFault::Malformed), "{text}");
        }
    }
}
