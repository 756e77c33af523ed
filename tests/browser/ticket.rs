//! Links with a ticket, which the launch API redeems.

use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::scene::{GRANTED, HOST_PIN, address, hasten, open, pins, press, screen, shown, text_of};

#[wasm_bindgen_test]
async fn a_ticket_is_redeemed_and_one_that_is_refused_is_a_failure_for_good() {
    let ticket = "#/?ticket=0123456789abcdefghjkmnpqrstvwxyz";
    let launch = r#"{"telehealth_request_id":"614221f4-3a5c-4d1f-8df6-3ae27188df54",
        "conference":"visit","display_name":"Ada","role":"host","pin":"12345678","node":""}"#;
    let asked = open(ticket, &[(200, launch), (403, HOST_PIN), (200, GRANTED)]).await;
    screen("joined").await;
    assert_eq!(pins(&asked), [None, Some("12345678".into())]);
    assert!(!address().contains("ticket"), "{}", address());

    let problem = r#"{"status":410,"title":"used","error_name":"launch_ticket_invalid",
        "telehealth_request_id":"614221f4-3a5c-4d1f-8df6-3ae27188df54","utc_time":""}"#;
    open(ticket, &[(410, problem)]).await;
    screen("failed").await;
    assert!(!shown("[data-action=retry]"));
    assert_eq!(text_of("[data-fill=error_name]"), "launch_ticket_invalid");
    assert_eq!(
        text_of("[data-fill=telehealth_request_id]"),
        "614221f4-3a5c-4d1f-8df6-3ae27188df54"
    );
}

#[wasm_bindgen_test]
async fn a_ticket_that_could_not_be_redeemed_now_can_be_tried_again() {
    let launch = r#"{"telehealth_request_id":"614221f4-3a5c-4d1f-8df6-3ae27188df54",
        "conference":"visit","display_name":"Ada","role":"guest","node":""}"#;
    let away = r#"{"status":503,"title":"away","error_name":"internal_error",
        "telehealth_request_id":"614221f4-3a5c-4d1f-8df6-3ae27188df54","utc_time":""}"#;
    for failure in [
        (0, "offline"),
        (503, away),
        (200, "<html>a captive portal</html>"),
    ] {
        // A network that is away is asked twice.
        let away = matches!(failure, (0, _)).then_some(failure);
        let answers: Vec<_> = away
            .into_iter()
            .chain([failure, (200, launch), (200, GRANTED)])
            .collect();
        open("#/?ticket=0123456789abcdefghjkmnpqrstvwxyz", &answers).await;
        screen("failed").await;
        assert!(shown("[data-action=retry]"), "{failure:?}");
        press("[data-action=retry]");
        screen("joined").await;
    }
}

#[wasm_bindgen_test]
async fn a_wait_that_the_launch_api_asks_for_is_none_of_its_own_time_to_answer() {
    let launch = r#"{"telehealth_request_id":"614221f4-3a5c-4d1f-8df6-3ae27188df54",
        "conference":"visit","display_name":"Ada","role":"guest","node":""}"#;
    // The deadline and the wait are both of eight seconds.
    let at_its_own_pace = hasten(8_000);
    let busy = r#"{"status":429,"title":"busy","error_name":"too_many_requests"}"#;
    open(
        "#/?ticket=0123456789abcdefghjkmnpqrstvwxyz",
        &[(429, busy), (200, launch), (200, GRANTED)],
    )
    .await;
    screen("joined").await;
    at_its_own_pace.call0(&JsValue::NULL).unwrap();
}
