//! What else the page asks before somebody is in: role, extension, single sign-on.

use js_sys::{Array, JSON, Reflect};
use wasm_bindgen_test::wasm_bindgen_test;

use super::scene::{
    GRANTED, HOST_PIN, message_from, open, own_origin, pins, press, screen, screen_after, shown,
    type_in,
};

#[wasm_bindgen_test]
async fn a_link_without_role_asks_who_is_joining() {
    let asked = open(
        "#/?conference=visit&name=Ada",
        &[(403, HOST_PIN), (403, HOST_PIN), (200, GRANTED)],
    )
    .await;
    screen("role").await;
    press("[data-action=host]");
    screen("pin").await;
    assert!(shown("[data-form=pin] [data-when=host]") && !shown("[data-form=pin] [data-when=any]"));
    assert_eq!(pins(&asked).len(), 1);
}

#[wasm_bindgen_test]
async fn an_extension_is_asked_for_and_sent() {
    let asked = open(
        "#/?conference=visit&name=Ada",
        &[
            (
                403,
                r#"{"result":{"conference_extension":"required","conference_extension_type":"mssip"}}"#,
            ),
            (404, r#"{"status":"failed","result":"Conference extension not found"}"#),
            (200, GRANTED),
        ],
    ).await;
    screen("extension").await;
    assert!(shown("[data-form=extension] [data-when=mssip]"));
    type_in("extension", "7");
    screen_after(&asked, 2, "extension").await;
    assert!(shown("#extension-fault"));
    type_in("extension", "8");
    screen("joined").await;
    let last = Array::from(&asked.get(2)).get(2).as_string().unwrap();
    let body = JSON::parse(&last).unwrap();
    assert_eq!(
        Reflect::get(&body, &"conference_extension".into()).unwrap(),
        "8"
    );
}

#[wasm_bindgen_test]
async fn single_sign_on_goes_from_choice_to_provider_to_token() {
    let asked = open(
        "#/?conference=visit&name=Ada",
        &[
            (403, r#"{"result":{"idp":[{"name":"Hospital","uuid":"idp-1"}],"version":{}}}"#),
            (
                403,
                r#"{"result":{"redirect_url":"https://idp.example/","redirect_idp":{"name":"Hospital","uuid":"idp-1"}}}"#,
            ),
            (200, GRANTED),
        ],
    ).await;
    screen("provider").await;
    press("[data-list=providers] button");
    screen("sign-in").await;
    assert!(shown("[data-link=sign-in][href='https://idp.example/']"));
    let message = JSON::parse(r#"{"result":"success","token":"sso"}"#).unwrap();
    message_from("https://elsewhere.example", message.clone());
    let own_origin = own_origin();
    assert_eq!(
        pins(&asked).len(),
        2,
        "another origin's token counts for nothing"
    );
    message_from(&own_origin, message);
    screen("joined").await;
    let last = Array::from(&asked.get(2)).get(2).as_string().unwrap();
    assert!(
        last.contains(r#""chosen_idp":"idp-1""#) && last.contains(r#""sso_token":"sso""#),
        "{last}"
    );
}
