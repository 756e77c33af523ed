//! PINs: who is asked for one, and how long it is remembered.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::scene::{
    BOTH_PINS, GRANTED, HOST_PIN, PAGE, WRONG_PIN, answered, begin, finds_secret, lay_out,
    leave_before, open, open_secret_link, pins, screen, screen_after, script_node, shown, type_in,
    type_secret, until,
};

#[wasm_bindgen_test]
async fn a_guest_link_asks_twice_and_never_sends_a_pin() {
    let asked = open(
        "#/?conference=visit&name=Ada&role=guest",
        &[(403, HOST_PIN), (200, GRANTED)],
    )
    .await;
    screen("joined").await;
    assert_eq!(pins(&asked), [None, Some("none".into())]);
}

#[wasm_bindgen_test]
async fn a_wrong_pin_is_said_and_the_field_is_ready_for_the_next() {
    let asked = open(
        "#/?conference=visit&name=Ada",
        &[(403, BOTH_PINS), (403, WRONG_PIN), (200, GRANTED)],
    )
    .await;
    screen("pin").await;
    assert!(!shown("#pin-fault"));
    type_in("pin", "not a pin");
    let fault = Closure::<dyn FnMut() -> bool>::new(|| shown("#pin-fault"));
    JsFuture::from(until(fault.as_ref().unchecked_ref()))
        .await
        .unwrap();
    assert_eq!(pins(&asked).len(), 1, "what is no PIN is not sent");
    type_in("pin", "1111");
    screen_after(&asked, 2, "pin").await;
    assert!(shown("#pin-fault"));
    type_in("pin", "2222");
    screen("joined").await;
    assert_eq!(
        pins(&asked),
        [None, Some("1111".into()), Some("2222".into())]
    );
}

#[wasm_bindgen_test]
async fn a_pin_is_in_the_memory_of_the_module_until_the_token_is_granted_and_not_after() {
    leave_before().await;
    lay_out(PAGE);
    script_node(answered(&[(403, HOST_PIN), (200, GRANTED)]));
    open_secret_link();
    begin();
    assert!(finds_secret(&wasm_bindgen::memory()), "the search is one");
    screen("joined").await;
    assert!(!finds_secret(&wasm_bindgen::memory()), "the PIN is gone");
}

#[wasm_bindgen_test]
async fn a_pin_that_was_typed_is_not_in_the_memory_of_the_module_once_it_was_used() {
    let answers = [(403, BOTH_PINS), (403, WRONG_PIN), (200, GRANTED)];
    let asked = open("#/?conference=visit&name=Ada", &answers).await;
    screen("pin").await;
    type_secret();
    screen_after(&asked, 2, "pin").await;
    type_secret();
    screen("joined").await;
    assert!(!finds_secret(&wasm_bindgen::memory()), "the PIN is gone");
}
