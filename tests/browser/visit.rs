//! Links as they are opened, and visits as they go on.

use js_sys::{Array, JSON};
use wasm_bindgen_test::wasm_bindgen_test;

use super::scene::{GRANTED, address, open, screen, shown, tell, text_of};

#[wasm_bindgen_test]
async fn the_link_is_gone_from_the_address_before_anything_is_asked() {
    let link = "#/?conference=visit&pin=12345678&name=Ada";
    let asked = open(link, &[(200, GRANTED)]).await;
    screen("joined").await;
    let address_then = Array::from(&asked.get(0)).get(3).as_string().unwrap();
    for address in [address_then, address()] {
        assert!(
            !address.contains("12345678") && !address.contains("Ada"),
            "{address}"
        );
    }
}

#[wasm_bindgen_test]
async fn a_waiting_guest_is_in_when_the_node_says_so_and_out_when_it_says_so() {
    let waiting = GRANTED.replace("HOST", "GUEST");
    open("#/?conference=visit&name=Ada", &[(200, &waiting)]).await;
    // The node says nothing of how the conference stands.
    screen("waiting").await;
    let update = r#"{"uuid":"me","display_name":"Ada","role":"guest","service_type":"conference"}"#;
    tell("participant_update", JSON::parse(update).unwrap());
    screen("waiting").await;
    tell(
        "conference_update",
        JSON::parse(r#"{"started":true}"#).unwrap(),
    );
    screen("joined").await;
    assert!(shown("#participants bdi"));
    let reason = r#"{"reason":"All conference hosts departed hosted conference"}"#;
    tell("disconnect", JSON::parse(reason).unwrap());
    screen("ended").await;
}

#[wasm_bindgen_test]
async fn hostile_names_of_others_are_shown_as_text() {
    open("#/?conference=visit&name=Ada", &[(200, GRANTED)]).await;
    screen("joined").await;
    let update = r#"{"uuid":"x","display_name":"<img src=x onerror=alert(1)>","role":"guest","service_type":"conference"}"#;
    tell("participant_create", JSON::parse(update).unwrap());
    assert!(!shown("#participants img"));
    assert!(text_of("#participants").contains("<img src=x"));
}
