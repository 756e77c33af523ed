//! Whatever an EHR, or somebody in its place, answers: an error, never a panic.

use http::Response;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use vestibule_launch::UnixTime;
use vestibule_smart::{
    AssertionKey, Callback, ClockSkew, KeyKind, MAX_BODY_BYTES, Metadata, TokenEndpoint,
    TokenResponse, Tokens, is_protected,
};

const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";

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
        "issuer",
        "jwks_uri",
        "capabilities",
        "resourceType",
        "rest",
        "security",
        "extension",
        "url",
        "valueUri",
        "obtained_at",
        "expires_at",
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
        Just("\"CapabilityStatement\"".to_owned()),
        Just(format!("\"{OAUTH_URIS}\"")),
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
    let statement = (url(), url(), json()).prop_map(|(authorize, token, odd)| {
        format!(
            r#"{{"resourceType":"CapabilityStatement","rest":[{{"security":{odd}}},{{"security":{{"extension":[{odd},
                {{"url":"{OAUTH_URIS}","extension":[{odd},{{"url":"authorize","valueUri":{authorize}}},
                {{"url":"token","valueUri":{token}}}]}}]}}}}]}}"#
        )
    });
    let tokens = (prop_oneof!["[!-~]{1,40}", ".{0,20}"], json()).prop_map(|(token, expires)| {
        let token = serde_json::Value::from(token);
        format!(r#"{{"access_token":{token},"expires_in":{expires}}}"#)
    });
    prop_oneof![metadata, statement, tokens]
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
        let response = response(status, body);
        for metadata in [
            Metadata::from_response(&response),
            Metadata::from_capability_statement(&response),
        ].into_iter().flatten() {
            prop_assert_eq!(status, 200);
            let hosts = [metadata.authorization_endpoint().as_str().to_owned(), metadata.token_endpoint().to_string()];
            for endpoint in hosts {
                let loopback = endpoint.starts_with("http://localhost") || endpoint.starts_with("http://127.");
                prop_assert!(endpoint.starts_with("https://") || loopback, "{}", endpoint);
            }
            let kept = serde_json::to_string(&metadata).expect("metadata is JSON");
            prop_assert_eq!(serde_json::from_str::<Metadata>(&kept).ok(), Some(metadata));
        }
    }

    #[test]
    fn anything_kept_as_tokens_or_metadata_is_read_or_refused(text in json()) {
        if let Ok(tokens) = serde_json::from_str::<Tokens>(&text) {
            prop_assert!(tokens.authorization().is_sensitive());
            let _ = tokens.renew_at();
        }
        let _ = serde_json::from_str::<Metadata>(&text);
    }

    #[test]
    fn any_token_answer_gives_a_sendable_token_or_an_error(
        status in prop_oneof![Just(200_u16), 100..1000_u16], body in body(),
    ) {
        if let Ok(tokens) = TokenResponse::from_response(&response(status, body)) {
            prop_assert_eq!(status, 200);
            let token = tokens.access_token.expose_secret();
            prop_assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
            let kept = Tokens::new(&tokens, UnixTime::from_millis(i64::MAX));
            prop_assert!(kept.expires_at().as_millis() > 0);
        }
    }

    #[test]
    fn any_redirect_gives_a_state_or_an_error(
        query in prop_oneof![
            "\\PC{0,200}",
            "((code|state|error|error_description|iss|x)=[a-z%0-9+]{0,8}&?){0,6}",
        ],
    ) {
        if let Ok(callback) = Callback::from_query(&query) {
            prop_assert!(!callback.state().is_empty());
        }
    }

    #[test]
    fn any_date_measures_or_does_not(
        date in prop_oneof!["\\PC{0,40}", "[A-Z][a-z]{2}, [0-9]{1,3} (Jan|Feb|Nov) [0-9]{1,6} [0-9:]{5,8} GMT"],
        now in any::<i64>(),
    ) {
        let mut headers = http::HeaderMap::new();
        if let Ok(date) = date.parse() {
            headers.insert("date", date);
        }
        if let Some(skew) = ClockSkew::of_answer(&headers, UnixTime::from_millis(now)) {
            prop_assert!(!skew.to_string().is_empty());
        }
    }

    #[test]
    fn any_text_is_a_protected_endpoint_or_none(
        text in prop_oneof!["\\PC{0,60}", "(http|https):(//)?[a-z@#:./0-9\\[\\]]{0,20}"],
    ) {
        if let Ok(endpoint) = text.parse::<TokenEndpoint>() {
            prop_assert_eq!(endpoint.as_str(), &text);
            let url = endpoint.uri().to_string().parse().expect("a URI here is a URL");
            prop_assert!(is_protected(&url));
        }
    }
}

/// Private keys with something wrong about them, and texts that look like some.
fn pem() -> impl Strategy<Value = String> {
    let key = AssertionKey::generate(KeyKind::P384).expect("a key can be made");
    let pem = key.to_pem().to_string();
    let length = pem.len();
    let spoilt = (Just(pem), 0..length, any::<char>()).prop_map(|(mut pem, at, character)| {
        pem.replace_range(at..=at, &character.to_string());
        pem
    });
    let labels = "(EC |RSA |ENCRYPTED )?(PRIVATE KEY|CERTIFICATE|PUBLIC KEY)";
    let invented = (labels, "[A-Za-z0-9+/=\r\n -]{0,200}").prop_map(|(label, body)| {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    });
    prop_oneof![spoilt, invented, "\\PC{0,200}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_pem_is_a_key_that_signs_or_an_error(pem in pem()) {
        if let Ok(key) = AssertionKey::from_pem(&pem) {
            let again = AssertionKey::from_pem(&key.to_pem()).expect("a key that was read");
            prop_assert_eq!(again.public_jwk(), key.public_jwk());
        }
    }
}
