//! Whatever an EHR, or somebody in its place, answers: an error, never a panic.

use http::Response;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use vestibule_smart::{Callback, MAX_BODY_BYTES, Metadata, TokenResponse};

/// JSON of any shape that uses the field names that are looked for.
fn json() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "access_token",
        "token_type",
        "expires_in",
        "patient",
        "need_patient_banner",
        "error",
        "authorization_endpoint",
        "token_endpoint",
        "code_challenge_methods_supported",
        "x",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<f64>()
            .prop_filter("JSON has no such number", |f| f.is_finite())
            .prop_map(|f| f.to_string()),
        any::<i128>().prop_map(|value| value.to_string()),
        ".{0,20}".prop_map(|text| serde_json::Value::from(text).to_string()),
        Just("\"https://ehr.example/x\"".to_owned()),
        Just("\"bearer\"".to_owned()),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((name.clone(), inner), 0..8).prop_map(|fields| {
                let fields: Vec<String> = fields
                    .into_iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// Answers that are nearly right, so that the good path is tried too.
fn nearly_right() -> impl Strategy<Value = String> {
    let url = || {
        prop_oneof![
            3 => "https://[a-z]{1,8}(:[0-9]{1,5})?(/[a-z%{}|^\"<>? ]{0,12})?",
            1 => "(http|ftp|https|javascript):(//)?[a-z@#:/\\[\\]]{0,12}",
        ]
        .prop_map(serde_json::Value::from)
    };
    let metadata = (url(), url()).prop_map(|(authorize, token)| {
        format!(r#"{{"authorization_endpoint":{authorize},"token_endpoint":{token}}}"#)
    });
    let tokens = (prop_oneof!["[!-~]{1,40}", ".{0,20}"], json()).prop_map(|(token, expires)| {
        let token = serde_json::Value::from(token);
        format!(r#"{{"access_token":{token},"expires_in":{expires}}}"#)
    });
    prop_oneof![metadata, tokens]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..512),
        json().prop_map(String::into_bytes),
        nearly_right().prop_map(String::into_bytes),
        (0..2_usize).prop_map(|more| vec![b'['; MAX_BODY_BYTES + more]),
    ]
}

fn response(status: u16, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).expect("100 to 999 are statuses");
    response
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_metadata_answer_gives_protected_endpoints_or_an_error(
        status in prop_oneof![Just(200_u16), 100..1000_u16], body in body(),
    ) {
        if let Ok(metadata) = Metadata::from_response(&response(status, body)) {
            prop_assert_eq!(status, 200);
            let hosts = [metadata.authorization_endpoint().as_str().to_owned(), metadata.token_endpoint().to_string()];
            for endpoint in hosts {
                let loopback = endpoint.starts_with("http://localhost") || endpoint.starts_with("http://127.");
                prop_assert!(endpoint.starts_with("https://") || loopback, "{}", endpoint);
            }
        }
    }

    #[test]
    fn any_token_answer_gives_a_sendable_token_or_an_error(
        status in prop_oneof![Just(200_u16), 100..1000_u16], body in body(),
    ) {
        if let Ok(tokens) = TokenResponse::from_response(&response(status, body)) {
            prop_assert_eq!(status, 200);
            let token = tokens.access_token.expose_secret();
            prop_assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn any_redirect_gives_a_state_or_an_error(
        query in prop_oneof![
            "\\PC{0,200}",
            "((code|state|error|error_description|x)=[a-z%0-9+]{0,8}&?){0,6}",
        ],
    ) {
        if let Ok(callback) = Callback::from_query(&query) {
            prop_assert!(!callback.state().is_empty());
        }
    }
}
