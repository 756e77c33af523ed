//! Nodes that are away, and conferences that are not there.

use wasm_bindgen_test::wasm_bindgen_test;

use super::scene::{GRANTED, open, press, screen, shown, skip_wait, text_of};

#[wasm_bindgen_test]
async fn a_node_that_cannot_be_reached_can_be_tried_again() {
    for failure in [
        (0, "offline"),
        (0, "abort"),
        (
            503,
            r#"{"status":"failed","result":"503 Service Unavailable"}"#,
        ),
        (502, "<html>Bad Gateway</html>"),
        (200, "<html>a captive portal</html>"),
    ] {
        open("#/?conference=visit&name=Ada", &[failure, (200, GRANTED)]).await;
        screen("failed").await;
        assert!(
            shown("[data-copy], [data-fill=error_name]") && shown("[data-action=retry]"),
            "{failure:?}"
        );
        press("[data-action=retry]");
        screen("joined").await;
    }
}

#[wasm_bindgen_test]
async fn a_node_that_never_answers_is_given_up_after_a_minute() {
    skip_wait(60_000);
    let answers = [(0, "silent"), (200, GRANTED)];
    open("#/?conference=visit&name=Ada", &answers).await;
    screen("failed").await;
    assert_eq!(
        text_of("[data-fill=error_name]"),
        "conferencing_node_unavailable"
    );
    press("[data-action=retry]");
    screen("joined").await;
}

#[wasm_bindgen_test]
async fn a_conference_that_is_not_there_is_a_failure_for_good() {
    let not_found = r#"{"status":"failed","result":"Neither conference nor gateway found"}"#;
    for refusal in [
        (404, not_found),
        (415, r#"{"status":"failed","result":"Unsupported"}"#),
        (
            403,
            r#"{"status":"failed","result":"Participant exceeded PIN entry retries"}"#,
        ),
    ] {
        open("#/?conference=visit&name=Ada", &[refusal]).await;
        screen("failed").await;
        assert!(!shown("[data-action=retry]"), "{refusal:?}");
    }
}
