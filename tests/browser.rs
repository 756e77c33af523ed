//! The shim in a real browser, against a scripted node: every answer that the
//! embedded node never gives, too.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::cell::RefCell;

use js_sys::{Array, Function, JSON, Promise, Reflect};
use vestibule::{Options, start};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(inline_js = r#"
export function lay_out(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  // Beside the runner's own elements, which it needs. A root of its own: the visits
  // before listen to theirs.
  document.getElementById("stage")?.remove();
  const stage = document.createElement("div");
  stage.id = "stage";
  document.body.append(stage);
  window.stage = stage.attachShadow({ mode: "open" });
  window.stage.append(...page.body.childNodes);
}

// A node and a launch API that answer from a list, and keep what they were asked and
// what the address bar held then.
export function script_node(answers) {
  const asked = [];
  navigator.sendBeacon = (url) => {
    asked.push([new URL(url, location.href).pathname.split("/").pop(), null, url, location.href]);
    return true;
  };
  window.fetch = async (url, options) => {
    const request = new Request(url, options);
    const name = new URL(request.url).pathname.split("/").pop();
    const body = await request.text();
    asked.push([name, request.headers.get("pin"), body, location.href, request.headers.get("token")]);
    if (name === "error") throw new TypeError("offline");
    const answer = answers.shift();
    if (answer === "offline") throw new TypeError("offline");
    if (answer === "silent") {
      return new Promise((_, reject) => {
        request.signal.addEventListener("abort", () => reject(request.signal.reason));
      });
    }
    if (answer === "abort") throw new DOMException("aborted", "AbortError");
    if (answer === "held") await new Promise((resolve) => { window.let_go = resolve; });
    const [status, text] = answer === "held" ? answers.shift() : answer;
    const headers = status === 429 ? { "Retry-After": "8" } : {};
    return new Response(text, { status, headers });
  };
  window.EventSource = class extends EventTarget {
    constructor(url) {
      super();
      window.stream = this;
      this.url = url;
    }
    set onerror(callback) { this.broken = callback; }
    close() {}
  };
  return asked;
}

// As browsers do that send no JSON by beacons.
export function refuse_beacons() {
  navigator.sendBeacon = () => { throw new DOMException("no JSON", "SecurityError"); };
}

export function tell(event, data) {
  window.stream.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(data) }));
}

// The next wait of so many milliseconds is over at once.
export function skip_wait(milliseconds) {
  const wait = window.setTimeout;
  window.setTimeout = (callback, delay) => {
    if (delay !== milliseconds) return wait(callback, delay);
    window.setTimeout = wait;
    return wait(callback, 0);
  };
}

// Every wait of so many milliseconds takes a fifth of a second.
export function hasten(milliseconds) {
  const wait = window.setTimeout;
  window.setTimeout = (callback, delay) => wait(callback, delay === milliseconds ? 200 : delay);
  return () => { window.setTimeout = wait; };
}

// The answer that is held comes now, with the next one of the list.
export function let_go() {
  window.let_go();
}

export function break_stream() {
  const url = window.stream.url;
  window.stream.broken?.(new Event("error"));
  return url;
}

export function stream_url() {
  return window.stream.url;
}

export function text_of(selector) {
  return window.stage.querySelector(selector)?.textContent ?? "";
}

// A message as a page of that origin posts it.
export function message_from(origin, data) {
  dispatchEvent(new MessageEvent("message", { origin, data }));
}

export function until(condition) {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    (function look() {
      const found = condition();
      if (found) resolve(found);
      else if (performance.now() - begin > 5000) reject(new Error(screen_now()));
      else setTimeout(look, 5);
    })();
  });
}

export function screen_now() {
  return window.stage.querySelector("[data-screen]:not([hidden])").dataset.screen;
}

export function shown(selector) {
  const element = window.stage.querySelector(selector);
  return element !== null && element.closest("[hidden]") === null;
}

export function type_in(form, text) {
  const element = window.stage.querySelector(`[data-form=${form}]`);
  element.querySelector("input").value = text;
  element.requestSubmit();
}

// A PIN that nothing in the module was compiled with.
function secret() {
  window.secret = String(10000000 + (crypto.getRandomValues(new Uint32Array(1))[0] % 90000000));
  return window.secret;
}

export function open_secret_link() {
  open_link(`#/?conference=visit&name=Ada&pin=${secret()}`);
}

export function type_secret() {
  type_in("pin", secret());
}

// Whether the PIN's digits stand anywhere in the memory.
export function finds_secret(memory) {
  const bytes = new Uint8Array(memory.buffer);
  const digits = new TextEncoder().encode(window.secret);
  for (let at = bytes.indexOf(digits[0]); at >= 0; at = bytes.indexOf(digits[0], at + 1)) {
    if (digits.every((digit, index) => bytes[at + index] === digit)) return true;
  }
  return false;
}

export function press(selector) {
  window.stage.querySelector(selector).click();
}

export function open_link(fragment) {
  history.replaceState(null, "", location.pathname + fragment);
}

export function address() {
  return location.href;
}

export function own_origin() {
  return location.origin;
}

export function options() {
  return { root: window.stage, renderErrorPage: async () => { throw new Error("no template here"); } };
}
"#)]
extern "C" {
    fn lay_out(html: &str);
    fn script_node(answers: Array) -> Array;
    fn refuse_beacons();
    fn tell(event: &str, data: JsValue);
    fn skip_wait(milliseconds: i32);
    fn hasten(milliseconds: i32) -> Function;
    fn let_go();
    fn break_stream() -> String;
    fn stream_url() -> String;
    fn text_of(selector: &str) -> String;
    fn message_from(origin: &str, data: JsValue);
    fn until(condition: &Function) -> Promise;
    fn screen_now() -> String;
    fn shown(selector: &str) -> bool;
    fn type_in(form: &str, text: &str);
    fn open_secret_link();
    fn type_secret();
    fn finds_secret(memory: &JsValue) -> bool;
    fn press(selector: &str);
    fn open_link(fragment: &str);
    fn address() -> String;
    fn own_origin() -> String;
    fn options() -> JsValue;
}

const GRANTED: &str = r#"{"status":"success","result":{"token":"t","expires":"120","role":"HOST",
    "participant_uuid":"me","display_name":"Ada","current_service_type":"conference","version":{}}}"#;
const HOST_PIN: &str = r#"{"status":"success","result":{"pin":"required","guest_pin":"none"}}"#;
const BOTH_PINS: &str = r#"{"status":"failed","result":{"pin":"required","guest_pin":"required"}}"#;
const WRONG_PIN: &str = r#"{"status":"failure","result":"Invalid PIN"}"#;

thread_local! {
    /// The visit of the test before: all tests share one page.
    static BEFORE: RefCell<Option<Promise>> = const { RefCell::new(None) };
}

/// A page with this link, in front of a node that gives these answers. Returns
/// what the node is asked.
async fn open(fragment: &str, answers: &[(u16, &str)]) -> Array {
    leave_before().await;
    lay_out(include_str!("../www/index.html"));
    let asked = script_node(answered(answers));
    open_link(fragment);
    BEFORE.set(Some(
        start(options().unchecked_into::<Options>()).unchecked_into(),
    ));
    asked
}

async fn leave_before() {
    if let Some(before) = BEFORE.take() {
        press("[data-action=leave]");
        JsFuture::from(before).await.ok();
    }
}

fn answered(answers: &[(u16, &str)]) -> Array {
    answers
        .iter()
        .map(|(status, body)| match status {
            0 => JsValue::from_str(body),
            _ => Array::of2(&(*status).into(), &(*body).into()).into(),
        })
        .collect()
}

async fn screen(name: &'static str) {
    let condition = Closure::<dyn FnMut() -> bool>::new(move || screen_now() == name);
    JsFuture::from(until(condition.as_ref().unchecked_ref()))
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
}

/// The screen, once the node has been asked so many times: the one before it may
/// bear the same name.
async fn screen_after(asked: &Array, requests: usize, name: &'static str) {
    let asked = asked.clone();
    let condition = Closure::<dyn FnMut() -> bool>::new(move || {
        pins(&asked).len() == requests && screen_now() == name
    });
    JsFuture::from(until(condition.as_ref().unchecked_ref()))
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
}

/// Waits until something with this name was requested.
async fn requested(asked: &Array, name: &'static str) {
    let asked = asked.clone();
    let condition = Closure::<dyn FnMut() -> bool>::new(move || {
        asked
            .iter()
            .any(|request| Array::from(&request).get(0) == name)
    });
    JsFuture::from(until(condition.as_ref().unchecked_ref()))
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
}

/// The `token` header of a request.
fn token_of(asked: &Array, index: u32) -> Option<String> {
    Array::from(&asked.get(index)).get(4).as_string()
}

/// The `pin` header of each request_token.
fn pins(asked: &Array) -> Vec<Option<String>> {
    asked
        .iter()
        .map(|request| Array::from(&request))
        .filter(|request| request.get(0) == "request_token")
        .map(|request| request.get(1).as_string())
        .collect()
}

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

#[wasm_bindgen_test]
async fn a_pin_is_in_the_memory_of_the_module_until_the_token_is_granted_and_not_after() {
    leave_before().await;
    lay_out(include_str!("../www/index.html"));
    script_node(answered(&[(403, HOST_PIN), (200, GRANTED)]));
    open_secret_link();
    BEFORE.set(Some(
        start(options().unchecked_into::<Options>()).unchecked_into(),
    ));
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
