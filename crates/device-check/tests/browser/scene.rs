//! A section for the check, and devices that do what a test wants of them.

use js_sys::{JSON, Promise};
use vestibule_device_check::check;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

#[wasm_bindgen(inline_js = r#"
const real = {
  media: MediaDevices.prototype.getUserMedia,
  list: MediaDevices.prototype.enumerateDevices,
  every: window.setInterval,
};
let streams = [];
let asked = [];
export function section() {
  for (const old of document.querySelectorAll("section")) old.remove();
  localStorage.removeItem("vestibule.devices");
  streams = [];
  asked = [];
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    asked.push(constraints);
    const stream = await real.media.call(navigator.mediaDevices, constraints);
    streams.push(stream);
    return stream;
  };
  navigator.mediaDevices.enumerateDevices = () => real.list.call(navigator.mediaDevices);
  window.setInterval = real.every;
  window.AudioContext = Context;
  window.fetch = async () => new Response("{}");
  window.RTCPeerConnection = class extends EventTarget {
    createDataChannel() {}
    close() {}
    async createOffer() { return { type: "offer", sdp: "" }; }
    async setLocalDescription() {
      const event = new Event("icecandidate");
      event.candidate = { candidate: "candidate:1 1 udp 1 a.local 9 typ host" };
      this.dispatchEvent(event);
    }
  };
  const section = document.createElement("section");
  document.body.append(section);
  return section;
}
// Every request for a device fails like this, until the next section.
export function refuse(name, message) {
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    asked.push(constraints);
    throw new DOMException(message, name);
  };
}
// The first request is refused, and the next ones are not.
export function allow_at_second_try() {
  const open = navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = async () => {
    navigator.mediaDevices.getUserMedia = open;
    throw new DOMException("Permission denied", "NotAllowedError");
  };
}
export function offline() {
  window.fetch = async () => { throw new TypeError("offline"); };
}
// A microphone without a sound, and time that runs faster; `ticks` counts its steps.
let ticks = 0;
const Context = window.AudioContext;
export function silent() {
  ticks = 0;
  window.setInterval = (callback, ms) =>
    real.every.call(window, () => { ticks += 1; callback(); }, ms / 20);
  window.AudioContext = class extends Context {
    createAnalyser() {
      const analyser = super.createAnalyser();
      analyser.getFloatTimeDomainData = (samples) => samples.fill(0);
      return analyser;
    }
  };
}
// The same, where the browser lets no sound through at all.
export function soundless() {
  silent();
  window.AudioContext = class extends window.AudioContext {
    get state() { return "suspended"; }
  };
}
export async function ticked(times) {
  while (ticks < times) await new Promise(requestAnimationFrame);
}
// The answer is held back until it is let go.
let release;
export function hold() {
  const held = new Promise((resolve) => { release = resolve; });
  const open = navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = (constraints) => held.then(() => open(constraints));
}
export async function let_go() {
  const before = streams.length;
  release();
  while (streams.length === before) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
}
export function options() { return { node: "" }; }
export function option(name, value) { return { [name]: value }; }
// The page has changed its language: its texts as JSON.
export function speak(texts) {
  const detail = JSON.parse(texts);
  document.querySelector("section").dispatchEvent(new CustomEvent("vestibule-texts", { detail }));
}
// Resolves as soon as the page shows it; the test runner has the deadline.
export async function shown(selector) {
  for (;;) {
    const found = document.querySelector("section " + selector);
    if (found !== null && found.closest("[hidden]") === null) return found;
    await new Promise(requestAnimationFrame);
  }
}
export async function press(name) {
  (await shown(`[data-check=${name}]`)).click();
}
// Waits until an expression over the section is true.
export async function until(expression) {
  while (!holds(expression)) await new Promise(requestAnimationFrame);
}
export function holds(expression) {
  return Boolean(new Function("section", "streams", "asked", "return " + expression)(
    document.querySelector("section"), streams, asked));
}
export function live() {
  return streams.flatMap((it) => it.getTracks()).filter((it) => it.readyState === "live").length;
}
export function opened() { return streams.length; }
export function double_click(name) {
  const element = document.querySelector(`section [data-check=${name}]`);
  for (const detail of [1, 2]) {
    const now = document.querySelector(`section [data-check=${name}]`) || element;
    now.dispatchEvent(new MouseEvent("click", { bubbles: true, detail }));
  }
}
export function last_track_ends() {
  const track = streams[streams.length - 1].getTracks()[0];
  track.stop();
  track.dispatchEvent(new Event("ended"));
}
export function look(away) {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => away });
  document.dispatchEvent(new Event("visibilitychange"));
}
export function leave_page() { window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })); }
export async function choose_other() {
  const select = await shown("select");
  const other = Array.from(select.options).find((it) => !it.selected);
  select.value = other.value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  return other.label;
}
"#)]
extern "C" {
    pub(crate) fn section() -> Element;
    pub(crate) fn refuse(name: &str, message: &str);
    pub(crate) fn allow_at_second_try();
    pub(crate) fn offline();
    pub(crate) fn silent();
    pub(crate) fn soundless();
    pub(crate) fn ticked(times: u32) -> Promise;
    pub(crate) fn hold();
    pub(crate) fn let_go() -> Promise;
    pub(crate) fn options() -> JsValue;
    pub(crate) fn option(name: &str, value: &JsValue) -> JsValue;
    pub(crate) fn speak(texts: &str);
    pub(crate) fn shown(selector: &str) -> Promise;
    pub(crate) fn press(name: &str) -> Promise;
    pub(crate) fn until(expression: &str) -> Promise;
    pub(crate) fn holds(expression: &str) -> bool;
    pub(crate) fn live() -> u32;
    pub(crate) fn opened() -> u32;
    pub(crate) fn double_click(name: &str);
    pub(crate) fn last_track_ends();
    pub(crate) fn look(away: bool);
    pub(crate) fn leave_page();
    pub(crate) fn choose_other() -> Promise;
}

pub(crate) async fn done(promise: Promise) -> JsValue {
    JsFuture::from(promise).await.unwrap()
}

pub(crate) async fn presses(names: &[&str]) {
    for name in names {
        done(press(name)).await;
    }
}

pub(crate) fn start(section: &Element, options: &JsValue) -> Promise {
    check(section.unchecked_ref(), options.unchecked_ref()).unchecked_into()
}

pub(crate) async fn result(check: Promise) -> String {
    JSON::stringify(&done(check).await).unwrap().into()
}

pub(crate) fn results(camera: &str, microphone: &str, speaker: &str, connection: &str) -> String {
    format!(
        r#"{{"camera":"{camera}","microphone":"{microphone}","speaker":"{speaker}","connection":"{connection}"}}"#
    )
}

pub(crate) async fn step(name: &str) {
    done(shown(&format!("[data-step={name}][aria-current]"))).await;
}
