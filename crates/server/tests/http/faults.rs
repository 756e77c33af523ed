//! Faults, by their row in the matrix of what can go wrong: `row_NN_…`. Those of other
//! topics stand beside their topic, under the same names.

use reqwest::Response;
use vestibule_launch::{ErrorName, RequestId};

use crate::{failure_page, support::log};

mod row_01_02_metadata;
mod row_03_dns;
mod row_04_05_time_and_repeat;
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
    assert!(
        matches!(status, 400..=499 | 502..=504) || name == ErrorName::Template,
        "{status} says that Vestibule itself is broken"
    );
    let request_id = failure_page::assert_page(&headers, &text);
    assert!(text.contains(name.as_str()), "{name} in {text}");
    assert!(text.contains("2027-01-1"), "the time in {text}");
    let log = log::text();
    let told = format!("request_id={request_id} error_name={name}");
    assert!(log.contains(&told), "{told} in {log}");
    failure_page::assert_no_secret(&log);
    request_id
}
