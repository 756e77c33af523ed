use std::{format, fs, path::Path, string::String};

use proptest::prelude::*;
use vestibule_launch::Role;

use super::{Answer, ExtensionKind, Session, expires};

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn read(status: u32, body: &str) -> Answer {
    Answer::read(status, &json(body))
}

fn captured(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors/pexip-client-api")
        .join(name);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: the vectors are needed", path.display()))
}

#[test]
fn captured_tokens_of_pexip_are_read() {
    for name in ["request_token_v35.json", "request_token_v36.json"] {
        let answer = captured(name);
        assert_eq!(read(200, &answer), Answer::Granted, "{name}");
        let session = Session::read(&json(&answer)).unwrap();
        assert!(session.token.as_str().is_some_and(|token| token.len() > 10));
        assert_eq!(session.role, Role::Host);
        assert_eq!(session.expires, 120);
        assert!(!session.waiting);
    }
}

#[test]
fn captured_refusals_are_told_apart_by_status_not_by_the_word_in_the_body() {
    assert!(matches!(
        read(404, &captured("conference_not_found.json")),
        Answer::NotFound
    ));
    for word in ["success", "failed", "failure"] {
        let refusal = format!(r#"{{"status":"{word}","result":"Invalid PIN"}}"#);
        assert!(matches!(read(403, &refusal), Answer::WrongPin), "{word}");
        let prompt =
            format!(r#"{{"status":"{word}","result":{{"pin":"required","guest_pin":"none"}}}}"#);
        assert!(matches!(
            read(403, &prompt),
            Answer::PinWanted {
                host_pin: true,
                guest_pin: false,
                extension: None
            }
        ));
    }
}

#[test]
fn both_forms_of_an_extension_prompt_are_read() {
    for (json, kind) in [
        (
            r#"{"result":{"conference_extension":"required","conference_extension_type":"mssip"}}"#,
            ExtensionKind::Mssip,
        ),
        (
            r#"{"result":{"conference_extension":"standard"}}"#,
            ExtensionKind::Standard,
        ),
    ] {
        let Answer::ExtensionWanted(found) = read(403, json) else {
            panic!("{json}");
        };
        assert_eq!(found, kind);
    }
}

#[test]
fn a_pin_and_an_extension_can_be_wanted_at_once() {
    let json = r#"{"result":{"pin":"required","guest_pin":"required","version":{},
        "conference_extension":"standard"}}"#;
    assert!(matches!(
        read(403, json),
        Answer::PinWanted {
            host_pin: true,
            guest_pin: true,
            extension: Some(ExtensionKind::Standard)
        }
    ));
}

#[test]
fn identity_providers_are_offered_and_only_https_redirects_followed() {
    for (providers, any) in [(r#"[{"name":"H","uuid":"u"}]"#, true), ("[]", false)] {
        let answer = format!(r#"{{"result":{{"idp":{providers},"version":{{}}}}}}"#);
        assert_eq!(read(403, &answer), Answer::ProviderWanted { any });
    }
    let redirect = |url: &str| {
        read(
            403,
            &format!(
                r#"{{"result":{{"redirect_url":"{url}","redirect_idp":{{"name":"H","uuid":"u"}}}}}}"#
            ),
        )
    };
    assert!(matches!(
        redirect("https://idp.example/"),
        Answer::SignInWanted
    ));
    assert!(matches!(redirect("javascript:alert(1)"), Answer::Malformed));
    assert!(matches!(redirect("http://idp.example/"), Answer::Malformed));
}

#[test]
fn what_is_no_answer_of_the_api_is_malformed_or_unavailable() {
    assert!(matches!(read(200, "<html>"), Answer::Malformed));
    assert!(matches!(read(200, r#"{"result":"ok"}"#), Answer::Malformed));
    assert!(matches!(read(200, r#"{"result":{}}"#), Answer::Malformed));
    assert!(matches!(read(302, ""), Answer::Malformed));
    assert!(matches!(read(404, "<html>"), Answer::NotFound));
    for status in [0, 429, 500, 502, 503, 504, 529] {
        assert!(matches!(read(status, "<html>"), Answer::Unavailable));
    }
    assert!(matches!(
        read(415, r#"{"status":"failed","result":"Unsupported"}"#),
        Answer::Refused
    ));
    assert!(matches!(
        read(
            403,
            r#"{"result":"Participant exceeded PIN entry retries"}"#
        ),
        Answer::PinLocked
    ));
}

#[test]
fn seconds_are_read_as_text_and_as_number() {
    let read = |json: &str| expires(&serde_json::from_str::<serde_json::Value>(json).unwrap());
    for written in [r#""240""#, "240", "240.0"] {
        assert_eq!(
            read(&format!(r#"{{"expires":{written}}}"#)),
            240,
            "{written}"
        );
    }
    assert_eq!(read("{}"), 120);
    assert_eq!(read(r#"{"expires":"soon"}"#), 120);
}

proptest! {
    #[test]
    fn no_answer_panics(status in 100u32..1000, body in ".{0,200}") {
        read(status, &body);
        read(status, &format!(r#"{{"status":"failed","result":{body:?}}}"#));
    }
}
