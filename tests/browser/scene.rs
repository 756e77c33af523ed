//! A page in front of a scripted node, and what a test does with both.

use std::cell::RefCell;

use js_sys::{Array, Function, Promise};
use vestibule::{Options, start};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

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
    pub(super) fn lay_out(html: &str);
    pub(super) fn script_node(answers: Array) -> Array;
    pub(super) fn refuse_beacons();
    pub(super) fn tell(event: &str, data: JsValue);
    pub(super) fn skip_wait(milliseconds: i32);
    pub(super) fn hasten(milliseconds: i32) -> Function;
    pub(super) fn let_go();
    pub(super) fn break_stream() -> String;
    pub(super) fn stream_url() -> String;
    pub(super) fn text_of(selector: &str) -> String;
    pub(super) fn message_from(origin: &str, data: JsValue);
    pub(super) fn until(condition: &Function) -> Promise;
    pub(super) fn screen_now() -> String;
    pub(super) fn shown(selector: &str) -> bool;
    pub(super) fn type_in(form: &str, text: &str);
    pub(super) fn open_secret_link();
    pub(super) fn type_secret();
    pub(super) fn finds_secret(memory: &JsValue) -> bool;
    pub(super) fn press(selector: &str);
    pub(super) fn open_link(fragment: &str);
    pub(super) fn address() -> String;
    pub(super) fn own_origin() -> String;
    pub(super) fn options() -> JsValue;
}

pub(super) const PAGE: &str = include_str!("../../www/index.html");

pub(super) const GRANTED: &str = r#"{"status":"success","result":{"token":"t","expires":"120","role":"HOST",
    "participant_uuid":"me","display_name":"Ada","current_service_type":"conference","version":{}}}"#;
pub(super) const HOST_PIN: &str =
    r#"{"status":"success","result":{"pin":"required","guest_pin":"none"}}"#;
pub(super) const BOTH_PINS: &str =
    r#"{"status":"failed","result":{"pin":"required","guest_pin":"required"}}"#;
pub(super) const WRONG_PIN: &str = r#"{"status":"failure","result":"Invalid PIN"}"#;

thread_local! {
    /// The visit of the test before: all tests share one page.
    static BEFORE: RefCell<Option<Promise>> = const { RefCell::new(None) };
}

/// A page with this link, in front of a node that gives these answers. Returns
/// what the node is asked.
pub(super) async fn open(fragment: &str, answers: &[(u16, &str)]) -> Array {
    leave_before().await;
    lay_out(PAGE);
    let asked = script_node(answered(answers));
    open_link(fragment);
    begin();
    asked
}

/// Begins the visit of the page as it is laid out.
pub(super) fn begin() {
    BEFORE.set(Some(
        start(options().unchecked_into::<Options>()).unchecked_into(),
    ));
}

pub(super) async fn leave_before() {
    if let Some(before) = BEFORE.take() {
        press("[data-action=leave]");
        JsFuture::from(before).await.ok();
    }
}

pub(super) fn answered(answers: &[(u16, &str)]) -> Array {
    answers
        .iter()
        .map(|(status, body)| match status {
            0 => JsValue::from_str(body),
            _ => Array::of2(&(*status).into(), &(*body).into()).into(),
        })
        .collect()
}

pub(super) async fn screen(name: &'static str) {
    let condition = Closure::<dyn FnMut() -> bool>::new(move || screen_now() == name);
    JsFuture::from(until(condition.as_ref().unchecked_ref()))
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
}

/// The screen, once the node has been asked so many times: the one before it may
/// bear the same name.
pub(super) async fn screen_after(asked: &Array, requests: usize, name: &'static str) {
    let asked = asked.clone();
    let condition = Closure::<dyn FnMut() -> bool>::new(move || {
        pins(&asked).len() == requests && screen_now() == name
    });
    JsFuture::from(until(condition.as_ref().unchecked_ref()))
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
}

/// Waits until something with this name was requested.
pub(super) async fn requested(asked: &Array, name: &'static str) {
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
pub(super) fn token_of(asked: &Array, index: u32) -> Option<String> {
    Array::from(&asked.get(index)).get(4).as_string()
}

/// The `pin` header of each request_token.
pub(super) fn pins(asked: &Array) -> Vec<Option<String>> {
    asked
        .iter()
        .map(|request| Array::from(&request))
        .filter(|request| request.get(0) == "request_token")
        .map(|request| request.get(1).as_string())
        .collect()
}
