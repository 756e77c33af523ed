//! Faults, by their row in the matrix of what can go wrong: `row_NN_…`. Those of other
//! topics stand beside their topic, under the same names.

use reqwest::Response;
use vestibule_launch::{ErrorName, RequestId};

use crate::support::{KEY, log};

mod row_01_02_metadata;
mod row_03_dns;
mod row_04_to_07_token_endpoint;
mod row_08_tls;
mod row_09_clock_skew;
mod row_10_11_repeats;
mod row_14_15_return;
mod row_24_26_parameters;
mod row_25_28_profiles;
mod row_27_29_templates;
mod row_33_scanners;
mod row_35_client_secret;
mod server_itself;

/// What no failure may tell, neither on its page nor in the log.
const SECRETS: [&str; 12] = [
    KEY,
    "Beverley",
    "Spinder",
    "Radiology",
    "encounter-4711",
    "launch-token-",
    "code-of-the-ehr",
    "access-token-of-the-ehr",
    "refresh-token-of-the-ehr",
    "client-secret-of-the-ehr",
    "old-secret-of-the-ehr",
    "user-of-the-ehr",
];

/// What holds of every failure: a page with request id, time and name; a status that
/// says whose turn it is; and no secret, neither there nor in the log. Gives the request
/// id.
pub(crate) async fn assert_invariants(
    response: Response,
    status: u16,
    name: ErrorName,
) -> RequestId {
    assert_eq!(response.status(), status, "{name}");
    let headers = response.headers().clone();
    let text = response.text().await.unwrap();
    assert!(!headers.contains_key("location"));
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert!(
        headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(
        matches!(status, 400..=499 | 502..=504) || name == ErrorName::Template,
        "{status} says that Vestibule itself is broken"
    );
    assert!(text.contains(name.as_str()), "{name} in {text}");
    assert!(text.contains("2027-01-1"), "the time in {text}");
    assert!(text.contains("<ol"), "what to do next in {text}");
    let request_id = request_id(&text);
    let log = log::text();
    let told = format!("request_id={request_id} error_name={name}");
    assert!(log.contains(&told), "{told} in {log}");
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    request_id
}

/// The request id on a page.
fn request_id(text: &str) -> RequestId {
    let is_id = |character: char| character.is_ascii_hexdigit() || character == '-';
    text.split(|character: char| !is_id(character))
        .find_map(|word| (word.len() == 36).then(|| word.parse().ok())?)
        .expect("a request id on the page")
}
