//! The token of a visit: renewed, replaced, given back.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::scene::{
    GRANTED, break_stream, let_go, open, press, refuse_beacons, requested, screen, screen_after,
    shown, stream_url, token_of, type_in, until,
};

#[wasm_bindgen_test]
async fn the_token_is_renewed_after_a_third_of_its_life_and_given_back_on_leaving() {
    let short = GRANTED.replace("120", "3");
    let renewed = r#"{"status":"success","result":{"token":"t2","expires":"120"}}"#;
    let asked = open(
        "#/?conference=visit&name=Ada",
        &[(200, &short), (200, renewed)],
    )
    .await;
    screen("joined").await;
    assert!(stream_url().ends_with("/events?token=t"));
    requested(&asked, "refresh_token").await;
    assert_eq!(token_of(&asked, 1).as_deref(), Some("t"));

    // The stream that breaks is opened again with the new token.
    let before = break_stream();
    let reopened = Closure::<dyn FnMut() -> bool>::new(move || stream_url() != before);
    JsFuture::from(until(reopened.as_ref().unchecked_ref()))
        .await
        .unwrap();
    assert!(
        stream_url().ends_with("/events?token=t2"),
        "{}",
        stream_url()
    );

    press("[data-screen=joined] [data-action=leave]");
    screen("left").await;
    requested(&asked, "release_token").await;
    let beacon = Array::from(&asked.get(2)).get(2).as_string().unwrap();
    assert!(beacon.ends_with("/release_token?token=t2"), "{beacon}");
}

#[wasm_bindgen_test]
async fn one_who_leaves_where_beacons_are_refused_has_left_and_given_the_token_back() {
    let asked = open("#/?conference=visit&name=Ada", &[(200, GRANTED)]).await;
    screen("joined").await;
    refuse_beacons();
    press("[data-screen=joined] [data-action=leave]");
    screen("left").await;
    requested(&asked, "release_token").await;
    assert!(shown("[data-action=rejoin]"));
}

#[wasm_bindgen_test]
async fn a_token_that_the_node_no_longer_knows_is_replaced_by_another() {
    let short = GRANTED.replace("120", "3");
    let refused = r#"{"status":"failed","result":"Invalid token"}"#;
    let again = GRANTED.replace(r#""t""#, r#""t2""#);
    let answers = [(200, short.as_str()), (403, refused), (200, &again)];
    let asked = open("#/?conference=visit&name=Ada", &answers).await;
    screen("joined").await;
    screen_after(&asked, 2, "joined").await;
    assert!(stream_url().ends_with("token=t2"), "{}", stream_url());
}

#[wasm_bindgen_test]
async fn a_node_that_is_away_when_the_token_is_due_is_asked_again() {
    let short = GRANTED.replace("120", "3");
    let renewed = r#"{"status":"success","result":{"token":"t2","expires":"120"}}"#;
    let answers = [(200, short.as_str()), (0, "offline"), (200, renewed)];
    let asked = open("#/?conference=visit&name=Ada", &answers).await;
    screen("joined").await;
    requested(&asked, "refresh_token").await;
    let twice = {
        let asked = asked.clone();
        Closure::<dyn FnMut() -> bool>::new(move || asked.length() == 3)
    };
    JsFuture::from(until(twice.as_ref().unchecked_ref()))
        .await
        .unwrap();
    assert!(shown("[data-screen=joined]"));
}

#[wasm_bindgen_test]
async fn a_token_that_is_granted_after_another_was_asked_for_is_given_back() {
    let late = GRANTED.replace(r#""t""#, r#""late""#);
    let asked = open(
        "#/?conference=visit&name=Ada",
        &[(0, "held"), (200, GRANTED), (200, &late)],
    )
    .await;
    press("[data-screen=connecting] [data-action=cancel]");
    screen("left").await;
    press("[data-action=rejoin]");
    screen("name").await;
    type_in("name", "Ada");
    screen("joined").await;
    let_go();
    requested(&asked, "release_token").await;
    let released = Array::from(&asked.get(2)).get(2).as_string().unwrap();
    assert!(
        released.ends_with("/conferences/visit/release_token?token=late"),
        "{released}"
    );
    assert!(shown("[data-screen=joined]"));
    assert!(stream_url().ends_with("token=t"), "{}", stream_url());
}
