//! What holds of every page of a failure and of the log beside it, whichever server showed
//! it and why.

use reqwest::header::HeaderMap;
use vestibule_launch::RequestId;
use vestibule_test_log::canary;

/// What no failure may tell, neither on its page nor in the log: whole, or how it begins.
pub(crate) const SECRETS: [&str; 16] = [
    canary::KEY,
    canary::FIRST_NAME,
    canary::LAST_NAME,
    canary::PROVIDER_LAST_NAME,
    "Radiology",
    "encounter-4711",
    canary::LAUNCH_TOKEN,
    canary::CODE,
    canary::ACCESS_TOKEN,
    canary::REFRESH_TOKEN,
    canary::CLIENT_SECRET,
    canary::OLD_CLIENT_SECRET,
    "user-of-the-ehr",
    "patient secret",
    "secret of the providers",
    "password of the",
];

/// The first secret in a text.
pub(crate) fn secret_in(text: &str) -> Option<&'static str> {
    SECRETS.into_iter().find(|secret| text.contains(secret))
}

/// All that is wrong with a page, in words.
pub(crate) fn violations(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    if request_id(page).is_none() {
        found.push("without a request id".to_owned());
    }
    if !has_time(page) {
        found.push("without a time".to_owned());
    }
    if !page.contains("<ol") {
        found.push("without what to do next".to_owned());
    }
    if let Some(secret) = secret_in(page) {
        found.push(format!("with the secret {secret}"));
    }
    found
}

/// The headers are as those of all of them.
pub(crate) fn assert_headers(headers: &HeaderMap) {
    assert!(!headers.contains_key("location"));
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let content_type = headers["content-type"].to_str().unwrap();
    assert!(content_type.starts_with("text/html"), "{content_type}");
}

/// The page is as all of them are, and so are its headers. Gives its request id.
pub(crate) fn assert_page(headers: &HeaderMap, page: &str) -> RequestId {
    assert_headers(headers);
    assert!(page.contains("<html"), "{page}");
    let found = violations(page);
    assert!(found.is_empty(), "{found:?}: {page}");
    request_id(page).unwrap()
}

/// The log tells of the failure with this request id, and no secret.
pub(crate) fn assert_logged(log: &str, request_id: RequestId) {
    let told = format!("request_id={request_id} error_name=");
    assert!(log.contains(&told), "{told} in {log}");
    assert_no_secret(log);
}

pub(crate) fn assert_no_secret(log: &str) {
    let secret = secret_in(log);
    assert!(secret.is_none(), "{secret:?} in {log}");
}

/// The first request id of a text.
pub(crate) fn request_id(text: &str) -> Option<RequestId> {
    let is_id = |character: char| character.is_ascii_hexdigit() || character == '-';
    text.split(|character: char| !is_id(character))
        .find_map(|word| (word.len() == 36).then(|| word.parse().ok())?)
}

/// Whether there is a time as RFC 3339 has it, in UTC.
pub(crate) fn has_time(text: &str) -> bool {
    const SHAPE: &str = "dddd-dd-ddTdd:dd:ddZ";
    text.as_bytes().windows(SHAPE.len()).any(|window| {
        let mut pairs = window.iter().zip(SHAPE.bytes());
        pairs.all(|(found, shape)| match shape {
            b'd' => found.is_ascii_digit(),
            other => *found == other,
        })
    })
}
