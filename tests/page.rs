//! The shim's hand on the browser, `src/browser.js` and what it imports, on the real page and
//! in a real browser, without the module that it serves.
#![cfg(target_arch = "wasm32")]

use js_sys::{JSON, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    type Browser;

    #[wasm_bindgen(constructor)]
    fn new(root: &JsValue, receive: &JsValue, options: &JsValue) -> Browser;
}

#[wasm_bindgen(module = "/src/network.js")]
extern "C" {
    fn address(base: Option<&str>, path: &str, place: Option<&str>) -> String;
}

#[wasm_bindgen(module = "/src/json.js")]
extern "C" {
    fn parse(text: &str) -> JsValue;
}

#[wasm_bindgen(inline_js = r##"
const told = [];
let latest;
// What the pages of other tests are told is not heard.
export function receive(trapped) {
  const receiver = (...message) => {
    if (receiver !== latest) return;
    told.push(message);
    if (trapped) throw new WebAssembly.RuntimeError("unreachable");
  };
  latest = receiver;
  told.length = 0;
  return receiver;
}
const loaders = {
  renderErrorPage: async () => "<p>as a template has it</p>",
  checkDevices: async () => ({ camera: "passed" }),
};
let lazily = loaders;
export const options = () => ({
  renderErrorPage: () => lazily.renderErrorPage(),
  checkDevices: (...given) => lazily.checkDevices(...given),
  deviceCheck: "offer",
});
// Every test has a page of its own, in a shadow root.
export function page(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const host = document.body.appendChild(document.createElement("div"));
  const root = host.attachShadow({ mode: "open" });
  root.append(...parsed.body.childNodes);
  return root;
}
async function until(condition) {
  for (let left = 500; left > 0 && !condition(); left--) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const heard = (root) => root.querySelector("#announcement").textContent;

export function sends_a_pin_once_and_keeps_none(b, root) {
  b.show("pin host", false);
  const field = root.querySelector("#pin");
  const focused = root.activeElement === field;
  field.value = "12 34#";
  const button = field.form.querySelector("button");
  button.click();
  button.click();
  const busy = button.disabled && field.closest("[aria-busy=true]") !== null;
  return [focused, busy, field.value, told];
}
export function says_that_a_pin_is_wrong(b, root) {
  b.show("pin host", true);
  const field = root.querySelector("#pin");
  const described = root.getElementById(field.getAttribute("aria-describedby"));
  b.show("connecting", false);
  const connecting = heard(root);
  b.show("pin host", false);
  return [described.textContent, connecting, field.getAttribute("aria-invalid"), field.getAttribute("aria-describedby")];
}
export function acts_once_on_a_double_click(b, root) {
  b.show("role", false);
  const button = root.querySelector("[data-action=host]");
  button.click();
  button.click();
  return told;
}
export function says_who_comes_and_goes(b, root) {
  b.show("joined guest", false);
  const me = { uuid: "m", display_name: "Me", role: "guest" };
  b.list([me], "m");
  const heading = heard(root);
  const before = root.activeElement;
  b.list([me, { uuid: "o", display_name: "<b>$&", role: "chair" }], "m");
  const came = heard(root);
  b.list([me], "m");
  return [heading, came, heard(root), root.activeElement === before];
}
export function says_nothing_of_those_who_were_there_before(b, root) {
  const me = { uuid: "m", display_name: "Me", role: "guest" };
  const others = ["Ada", "Grace"].map((name) => ({ uuid: name, display_name: name, role: "chair" }));
  b.show("joined guest", false);
  b.list([], "m");
  b.list(others, "m");
  b.list([me, ...others], "m");
  const heading = heard(root);
  b.list([me, others[1]], "m");
  return [heading, heard(root), root.querySelectorAll("#participants li").length];
}
export async function fills_the_failure_and_renders_it(b, root) {
  b.renderFailure({ error_name: "session_lost", telehealth_request_id: "id", utc_time: "2026-01-02T03:04:05Z" });
  await until(() => told.length);
  const local = root.querySelector("[data-fill=local_time]").textContent;
  return [local.includes("2026"), root.querySelector("[data-fill=error_name]").textContent, told];
}
export function counts_messages_of_the_nodes_origin_only(b) {
  b.show("sign-in", false);
  b.signIn({ redirect_url: "/idp" }, "https://node.example/path");
  const message = (origin, data) => dispatchEvent(new MessageEvent("message", { origin, data }));
  message("https://evil.example", { result: "success", token: "t" });
  message("https://node.example", null);
  message("https://node.example", { result: "success", token: "token" });
  message("https://node.example", { result: "error", code: "refused" });
  return told;
}
export function names_who_one_signs_in_with(b, root) {
  const named = () => root.querySelector("[data-fill=provider]").textContent;
  b.show("sign-in", false);
  const redirect_url = "https://idp.example/saml?x=1";
  return [{ name: "Hospital" }, { uuid: "idp-1" }, null, undefined].map((redirect_idp) => {
    b.signIn({ redirect_url, redirect_idp }, "https://node.example");
    return named();
  });
}
async function click_sign_in(root, popup) {
  const open = window.open;
  window.open = () => popup;
  let prevented;
  addEventListener("click", (event) => {
    prevented = event.defaultPrevented;
    event.preventDefault();
  }, { once: true });
  root.querySelector("[data-link=sign-in]").click();
  window.open = open;
  return prevented;
}
export async function tells_that_the_popup_was_closed(b, root) {
  b.show("sign-in", false);
  b.signIn({ redirect_url: "/idp" }, undefined);
  const prevented = await click_sign_in(root, { closed: true, close() {} });
  await until(() => told.length);
  return [prevented, told];
}
export async function opens_no_popup_where_the_node_wants_none(b, root) {
  b.show("sign-in", false);
  b.signIn({ redirect_url: "/idp", disable_popup_flow: true }, undefined);
  const tab = await click_sign_in(root, { closed: false, close() {} });
  b.signIn({ redirect_url: "/idp", disable_popup_flow: false }, undefined);
  return [tab, await click_sign_in(root, { closed: false, close() {} })];
}
export async function leaves_a_blocked_popup_to_the_link(b, root) {
  b.show("sign-in", false);
  b.signIn({ redirect_url: "/idp" }, undefined);
  return [await click_sign_in(root, null), root.querySelector("[data-link=sign-in]").target];
}
async function posting(answers, posts) {
  const real = window.fetch;
  let asked = 0;
  window.fetch = async () => {
    const answer = answers[asked++];
    if (answer === "offline") throw new TypeError("offline");
    if (answer === "silent") return new Promise(() => {});
    return new Response(answer[1], { status: answer[0], headers: answer[2] });
  };
  posts();
  await until(() => told.length);
  window.fetch = real;
  return [asked, told];
}
export const repeats_a_redeem_but_no_request_token = async (b) => {
  const redeem = await posting(["offline", [410, '{"a":1}']], () => b.post(1, undefined, "/*", "r", "pin: *", undefined, {}, 9000));
  const first = JSON.parse(JSON.stringify(redeem));
  told.length = 0;
  return [first, await posting(["offline"], () => b.post(2, undefined, "/t", undefined, "pin: *", "1", {}, 9000))];
};
export const gives_up_after_the_deadline = (b) =>
  posting(["silent"], () => b.post(2, undefined, "/t", undefined, "pin: *", undefined, undefined, 20));
export const comes_again_when_the_server_says = (b) =>
  posting([[429, "", { "Retry-After": "1" }], [200, "<"]], () => b.post(3, undefined, "/t", undefined, "pin: *", undefined, undefined, 9000));
export const a_newer_request_makes_an_older_one_void = (b) =>
  posting([[200, "1"], [200, "2"]], () => {
    for (let count = 0; count < 2; count++) {
      b.post(2, undefined, "/t", undefined, "pin: *", undefined, undefined, 9000);
    }
  });
export async function tells_a_broken_stream_and_when_to_come_again(b) {
  const real = window.EventSource;
  let stream;
  window.EventSource = class extends EventTarget {
    constructor() {
      super();
      stream = this;
    }
    close() {}
  };
  b.follow(undefined, "/events", undefined, "a,b");
  stream.dispatchEvent(new MessageEvent("b", { data: '{"x":1}' }));
  stream.dispatchEvent(new MessageEvent("a", { data: "no JSON" }));
  stream.onerror();
  await until(() => told.length > 3);
  window.EventSource = real;
  return told;
}
async function followed(b, sendBeacon, fetched, act) {
  const real = [window.EventSource, window.fetch, navigator.sendBeacon];
  const asked = [];
  let unhandled = 0;
  const rejected = (event) => {
    unhandled++;
    event.preventDefault();
  };
  addEventListener("unhandledrejection", rejected);
  window.EventSource = class extends EventTarget {
    constructor(url) {
      super();
      this.url = url;
    }
    close() {}
  };
  navigator.sendBeacon = sendBeacon;
  window.fetch = (url, { method, keepalive, body }) => {
    asked.push([url, method, keepalive, body.type]);
    return fetched();
  };
  b.follow("https://node.example", "/x/events?token=*", "t", "a");
  const done = await act();
  await new Promise((resolve) => setTimeout(resolve));
  removeEventListener("unhandledrejection", rejected);
  [window.EventSource, window.fetch, navigator.sendBeacon] = real;
  return [asked, unhandled, done];
}
export async function gives_a_token_back_without_beacons(b) {
  const refused = () => { throw new DOMException("no JSON", "SecurityError"); };
  const results = [];
  for (const sendBeacon of [undefined, refused, () => false, () => true]) {
    const offline = () => Promise.reject(new TypeError("offline"));
    results.push(await followed(b, sendBeacon, offline, async () => b.abandon()));
  }
  return results;
}
export async function tells_of_a_trap_where_nothing_can_be_sent(b) {
  const handler = window.onerror;
  window.onerror = null;
  const caught = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  addEventListener("error", caught, true);
  const refused = () => { throw new TypeError("nothing can be sent"); };
  const [, , trapped] = await followed(b, refused, refused, () => {
    dispatchEvent(new Event("offline"));
    return b.promise().catch((trap) => trap instanceof WebAssembly.RuntimeError);
  });
  removeEventListener("error", caught, true);
  window.onerror = handler;
  return trapped;
}
export async function tells_a_session_by_an_event_and_the_promise(b) {
  const events = [];
  addEventListener("vestibule-session", ({ detail }) => events.push(detail), { once: true });
  const session = { token: "t" };
  b.finish(session);
  return [events.length, events[0] === session, (await b.promise()) === session];
}
export async function tells_no_session_where_there_is_none(b) {
  const events = [];
  addEventListener("vestibule-session", ({ detail }) => events.push(detail), { once: true });
  b.finish(undefined);
  return [events, await b.promise()];
}
export function recalls_what_was_remembered(b) {
  const key = "vestibule.test";
  const recalled = [];
  for (const value of [{ id: "x" }, "text", "0123456789", "{", undefined]) {
    b.remember(key, value, false);
    recalled.push(b.recall(key, false));
  }
  return recalled;
}
export function draws_digits_and_uuids(b) {
  const drawn = [b.random(false), b.random(false), b.random(true), b.random(true)];
  const forms = [/^[0-9a-f]{32}$/, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/];
  return [new Set(drawn).size, drawn.map((text) => forms.findIndex((form) => form.test(text)))];
}
export async function says_once_that_a_wait_takes_long(b, root) {
  const real = window.setTimeout;
  let begun = 0;
  window.setTimeout = (callback, ms) => real(callback, ms === 15000 ? 20 * ++begun : ms);
  const late = root.querySelector("[data-screen=reconnecting] .late");
  b.show("reconnecting", false);
  await new Promise((resolve) => real(resolve, 5));
  b.show("reconnecting", false);
  await until(() => !late.hidden);
  const said = heard(root) === late.textContent;
  let changed = 0;
  const observer = new MutationObserver(() => changed++);
  observer.observe(root.querySelector("#announcement"), { childList: true, characterData: true, subtree: true });
  b.show("reconnecting", false);
  await new Promise((resolve) => real(resolve));
  const still = [late.hidden, changed, begun];
  b.show("joined guest", false);
  b.show("reconnecting", false);
  window.setTimeout = real;
  observer.disconnect();
  return [said, still, late.hidden, begun];
}
export function says_again_what_is_still_wrong(b, root) {
  b.show("pin host", false);
  b.show("pin host", true);
  const first = heard(root);
  root.querySelector("#announcement").textContent = "";
  b.show("pin host", true);
  const second = heard(root);
  b.show("pin host", false);
  return [first === second, root.querySelector("#pin-fault").hidden, heard(root)];
}
export async function calls_a_trapped_module_no_more(b) {
  let trap;
  const caught = (event) => {
    trap = event.error;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const handler = window.onerror;
  window.onerror = null;
  addEventListener("error", caught, { capture: true, once: true });
  dispatchEvent(new Event("offline"));
  dispatchEvent(new Event("offline"));
  await until(() => trap);
  window.onerror = handler;
  return [told, trap instanceof WebAssembly.RuntimeError];
}
export async function says_that_a_wait_takes_long(b, root) {
  const real = window.setTimeout;
  window.setTimeout = (callback, ms) => real(callback, ms === 15000 ? 0 : ms);
  b.show("waiting", false);
  window.setTimeout = real;
  const late = root.querySelector("[data-screen=waiting] .late");
  const before = late.hidden;
  await until(() => !late.hidden);
  return [before, late.hidden, heard(root) === late.textContent];
}
export function every_wait_has_a_way_out(b, root) {
  return ["connecting", "waiting", "let-in", "reconnecting"].filter(
    (name) => !root.querySelector(`[data-screen=${name}] :is([data-action=leave], [data-action=cancel])`),
  );
}
export async function runs_the_device_check(b, root) {
  lazily = { checkDevices: async (section, node) => ({ [node]: "passed" }) };
  b.checkDevices("https://node.example");
  await until(() => told.length);
  lazily = loaders;
  return [root.querySelector("[data-screen=devices]").hidden, told];
}
export async function waits_in_vain_for_an_error_page(b, root) {
  lazily = { renderErrorPage: () => new Promise(() => {}) };
  const real = window.setTimeout;
  const waits = [];
  window.setTimeout = (callback, ms) => real(callback, ms > 1000 ? waits.push(ms) : ms);
  b.renderFailure({ error_name: "session_lost", telehealth_request_id: "id", utc_time: "2026-01-02T03:04:05Z" });
  window.setTimeout = real;
  await until(() => told.length);
  lazily = loaders;
  return [waits, told];
}
export async function waits_in_vain_for_the_device_check(b, root) {
  lazily = { checkDevices: async () => { throw new Error("offline"); } };
  b.checkDevices();
  const section = root.querySelector("[data-screen=devices]");
  const shown = () => Array.from(section.children).filter((part) => !part.hidden).map((part) => part.className || part.localName);
  const before = shown();
  const fault = section.querySelector(".fault");
  await until(() => !fault.hidden);
  const after = [shown(), heard(root) === fault.textContent, root.activeElement === section.querySelector("h1")];
  section.querySelector("[data-action=skip-check]").click();
  lazily = loaders;
  return [before, after, told];
}
export async function loses_the_check_when_the_visit_goes_on(b, root) {
  let fail;
  lazily = { checkDevices: () => new Promise((_, reject) => (fail = reject)) };
  b.checkDevices();
  b.show("joined guest", false);
  fail(new Error("offline"));
  await until(() => told.length);
  lazily = loaders;
  return [root.querySelector("[data-screen=joined]").hidden, told];
}
export function says_what_is_left(b, root) {
  const section = root.querySelector("[data-screen=left]");
  const shown = () => Array.from(section.children).filter((part) => !part.hidden).map((part) => part.localName);
  b.show("left over", false);
  const over = shown();
  b.show("left rejoin", false);
  return [over, shown(), root.querySelectorAll("[data-when='']").length];
}
"##)]
extern "C" {
    fn receive(trapped: bool) -> JsValue;
    fn options() -> JsValue;
    fn page(html: &str) -> JsValue;
    fn sends_a_pin_once_and_keeps_none(b: &Browser, root: &JsValue) -> JsValue;
    fn says_that_a_pin_is_wrong(b: &Browser, root: &JsValue) -> JsValue;
    fn acts_once_on_a_double_click(b: &Browser, root: &JsValue) -> JsValue;
    fn says_who_comes_and_goes(b: &Browser, root: &JsValue) -> JsValue;
    fn says_nothing_of_those_who_were_there_before(b: &Browser, root: &JsValue) -> JsValue;
    fn names_who_one_signs_in_with(b: &Browser, root: &JsValue) -> JsValue;
    fn gives_a_token_back_without_beacons(b: &Browser, root: &JsValue) -> JsValue;
    fn tells_of_a_trap_where_nothing_can_be_sent(b: &Browser, root: &JsValue) -> JsValue;
    fn tells_a_session_by_an_event_and_the_promise(b: &Browser, root: &JsValue) -> JsValue;
    fn tells_no_session_where_there_is_none(b: &Browser, root: &JsValue) -> JsValue;
    fn recalls_what_was_remembered(b: &Browser, root: &JsValue) -> JsValue;
    fn draws_digits_and_uuids(b: &Browser, root: &JsValue) -> JsValue;
    fn says_once_that_a_wait_takes_long(b: &Browser, root: &JsValue) -> JsValue;
    fn says_again_what_is_still_wrong(b: &Browser, root: &JsValue) -> JsValue;
    fn fills_the_failure_and_renders_it(b: &Browser, root: &JsValue) -> JsValue;
    fn counts_messages_of_the_nodes_origin_only(b: &Browser, root: &JsValue) -> JsValue;
    fn tells_that_the_popup_was_closed(b: &Browser, root: &JsValue) -> JsValue;
    fn opens_no_popup_where_the_node_wants_none(b: &Browser, root: &JsValue) -> JsValue;
    fn leaves_a_blocked_popup_to_the_link(b: &Browser, root: &JsValue) -> JsValue;
    fn repeats_a_redeem_but_no_request_token(b: &Browser, root: &JsValue) -> JsValue;
    fn gives_up_after_the_deadline(b: &Browser, root: &JsValue) -> JsValue;
    fn comes_again_when_the_server_says(b: &Browser, root: &JsValue) -> JsValue;
    fn a_newer_request_makes_an_older_one_void(b: &Browser, root: &JsValue) -> JsValue;
    fn tells_a_broken_stream_and_when_to_come_again(b: &Browser, root: &JsValue) -> JsValue;
    fn calls_a_trapped_module_no_more(b: &Browser, root: &JsValue) -> JsValue;
    fn says_that_a_wait_takes_long(b: &Browser, root: &JsValue) -> JsValue;
    fn every_wait_has_a_way_out(b: &Browser, root: &JsValue) -> JsValue;
    fn runs_the_device_check(b: &Browser, root: &JsValue) -> JsValue;
    fn waits_in_vain_for_an_error_page(b: &Browser, root: &JsValue) -> JsValue;
    fn waits_in_vain_for_the_device_check(b: &Browser, root: &JsValue) -> JsValue;
    fn loses_the_check_when_the_visit_goes_on(b: &Browser, root: &JsValue) -> JsValue;
    fn says_what_is_left(b: &Browser, root: &JsValue) -> JsValue;
}

/// What the page does, as JSON: true where it should.
async fn on_a_page(receive: &JsValue, act: fn(&Browser, &JsValue) -> JsValue) -> String {
    let root = page(include_str!("../www/index.html"));
    let browser = Browser::new(&root, receive, &options());
    let done = JsFuture::from(Promise::resolve(&act(&browser, &root))).await;
    let done = done.and_then(|done| JSON::stringify(&done));
    done.map_or_else(|error| format!("{error:?}"), String::from)
}

macro_rules! behaviours {
    ($($name:ident, by $act:ident: $expected:literal;)*) => {$(
        #[wasm_bindgen_test]
        async fn $name() {
            let said = on_a_page(&receive(false), $act).await;
            assert_eq!(said, $expected);
        }
    )*};
}

behaviours! {
    a_pin_is_sent_once_and_not_kept, by sends_a_pin_once_and_keeps_none: r#"[true,true,"",[[11,1,"12 34#"]]]"#;
    a_wrong_pin_is_said_and_forgotten, by says_that_a_pin_is_wrong: r#"["That PIN is not right. Please check it and try again.","Connecting to your visit","false",""]"#;
    a_double_click_acts_once, by acts_once_on_a_double_click: r#"[[10,7,null]]"#;
    people_who_come_and_go_are_said, by says_who_comes_and_goes: r#"["You have joined as guest","<b>$& has joined.","<b>$& has left.",true]"#;
    who_was_there_before_is_not_said_to_have_come, by says_nothing_of_those_who_were_there_before: r#"["You have joined as guest","Ada has left.",2]"#;
    a_provider_without_a_name_is_called_by_its_host, by names_who_one_signs_in_with: r#"["Hospital","idp.example","idp.example","idp.example"]"#;
    a_token_is_given_back_where_beacons_are_absent_refused_or_too_many, by gives_a_token_back_without_beacons: r#"[[[["https://node.example/x/release_token?token=t","POST",true,"application/json"]],0,null],[[["https://node.example/x/release_token?token=t","POST",true,"application/json"]],0,null],[[["https://node.example/x/release_token?token=t","POST",true,"application/json"]],0,null],[[],0,null]]"#;
    a_session_is_told_by_an_event_and_the_promise, by tells_a_session_by_an_event_and_the_promise: "[1,true,true]";
    no_session_is_told_where_there_is_none, by tells_no_session_where_there_is_none: "[[],null]";
    what_was_remembered_comes_back_as_it_was, by recalls_what_was_remembered: r#"[{"id":"x"},"text","0123456789","{",null]"#;
    what_is_drawn_is_random_and_in_form, by draws_digits_and_uuids: "[4,[0,0,1,1]]";
    attempts_in_a_row_are_one_wait, by says_once_that_a_wait_takes_long: "[true,[false,0,1],true,2]";
    what_is_wrong_twice_is_said_twice, by says_again_what_is_still_wrong: r#"[true,true,"Enter the PIN"]"#;
    a_failure_is_shown_in_words_and_rendered, by fills_the_failure_and_renders_it: r#"[true,"session_lost",[[19,1,"<p>as a template has it</p>"]]]"#;
    only_the_nodes_messages_count, by counts_messages_of_the_nodes_origin_only: r#"[[12,1,"token"],[12,0,"refused"]]"#;
    a_closed_popup_is_told, by tells_that_the_popup_was_closed: r#"[true,[[12,0,"closed"]]]"#;
    a_node_that_wants_no_popup_gets_a_tab, by opens_no_popup_where_the_node_wants_none: "[false,true]";
    a_blocked_popup_leaves_the_link, by leaves_a_blocked_popup_to_the_link: r#"[false,"_blank"]"#;
    a_redeem_is_repeated_and_a_token_request_is_not, by repeats_a_redeem_but_no_request_token: r#"[[2,[[1,410,{"a":1}]]],[1,[[2,0,null]]]]"#;
    a_silent_server_is_given_up, by gives_up_after_the_deadline: r#"[1,[[2,0,null]]]"#;
    a_refused_request_is_repeated_when_the_server_says, by comes_again_when_the_server_says: r#"[2,[[3,200,null]]]"#;
    of_two_requests_the_newer_one_counts, by a_newer_request_makes_an_older_one_void: r#"[2,[[2,200,2]]]"#;
    a_broken_stream_is_told, by tells_a_broken_stream_and_when_to_come_again: r#"[[7,1,{"x":1}],[7,0,null],[8,1,null],[9,0,null]]"#;
    a_long_wait_is_said, by says_that_a_wait_takes_long: "[true,false,true]";
    each_wait_has_a_way_out, by every_wait_has_a_way_out: "[]";
    the_device_check_is_run, by runs_the_device_check: r#"[false,[[20,0,{"https://node.example":"passed"}]]]"#;
    an_error_page_that_does_not_come_gives_way_to_the_pages_own_words, by waits_in_vain_for_an_error_page: "[[8000],[[19,0,null]]]";
    a_check_that_cannot_be_loaded_is_said, by waits_in_vain_for_the_device_check: r#"[["h1","progress","quiet"],[["h1","fault","quiet"],true,true],[[20,0,null]]]"#;
    a_check_that_cannot_be_loaded_stays_away_from_the_visit, by loses_the_check_when_the_visit_goes_on: "[false,[[20,0,null]]]";
    who_has_left_is_told_how_to_come_back, by says_what_is_left: r#"[["h1","p"],["h1","p","button"],0]"#;
}

#[wasm_bindgen_test]
async fn a_trapped_module_is_called_no_more() {
    let said = on_a_page(&receive(true), calls_a_trapped_module_no_more).await;
    assert_eq!(said, "[[[16,0,null]],true]");
}

#[wasm_bindgen_test]
async fn a_trap_is_told_where_nothing_can_be_sent() {
    let act = tells_of_a_trap_where_nothing_can_be_sent;
    assert_eq!(on_a_page(&receive(true), act).await, "true");
}

#[wasm_bindgen_test]
fn an_address_is_the_nodes_or_the_pages_and_a_place_stands_in_it_as_it_is() {
    let node = Some("https://node.example");
    assert_eq!(
        address(node, "/conferences/*/x", Some("$&$1")),
        "https://node.example/conferences/$&$1/x"
    );
    assert_eq!(address(None, "/x", None), "/x");
}

#[wasm_bindgen_test]
fn what_is_no_json_is_nothing() {
    assert!(parse("{\"a\":").is_undefined());
    assert!(parse("").is_undefined());
    assert_eq!(parse("\"a\"").as_string().as_deref(), Some("a"));
}
