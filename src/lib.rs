//! The browser shim: what runs on the landing page, from a join link to a
//! joined visit. This file is the exported JavaScript API, nothing else.
#![no_std]

extern crate alloc;
#[cfg(any(test, not(vestibule_module)))]
extern crate std;

mod answer;
mod browser;
mod conference;
mod handshake;
mod json;
mod launch_api;
#[cfg(any(test, target_arch = "wasm32"))]
mod module;
mod page;
mod session;
mod visit;

use alloc::{boxed::Box, rc::Rc};
use core::cell::Cell;

use wasm_bindgen::prelude::*;

use browser::{Window, topic};
use json::Json;
use visit::{Settings, Visit};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What the error page shows. */
export interface ErrorPage {
  error_name: string;
  telehealth_request_id: string;
  /** RFC 3339, UTC. */
  utc_time: string;
  detailed_debug_information?: string;
  /** The profile's template; empty: the built-in one. */
  template: string;
}

export type TestResult = "passed" | "failed" | "denied" | "missing" | "skipped";

/** What the device check found. */
export interface DeviceTest {
  camera: TestResult;
  microphone: TestResult;
  speaker: TestResult;
  connection: TestResult;
}

export interface Options {
  /** Base URL of the conferencing node; default: this page's origin. */
  node?: string;
  /** Base URL of the launch API; default: this page's origin. */
  launchApi?: string;
  /** Who goes on with a visit that is joined; default: "page". */
  handOver?: "page" | "event" | "connect";
  /** The Connect web app, where that goes on; `base` with its path, as `https://meet.example.com/webapp3`. */
  connect?: { base: string; form: "webapp" | "webapp2" | "webapp3" };
  /** When the device check is offered; default: "off". */
  deviceCheck?: "off" | "offer" | "before";
  /** The join link; default: the page's address, out of which it is taken. */
  link?: string;
  /** Ends the visit when it is aborted: gives the token back, and the page. */
  signal?: AbortSignal;
  /** Where the page's elements are; default: the document. */
  root?: Document | ShadowRoot;
  /** What events are dispatched on; default: the window. */
  host?: EventTarget;
  /** A launch has failed: what renders its error page can be loaded already. */
  prepareErrorPage?(): void;
  /** Renders an error page to HTML; called only when a launch has failed. */
  renderErrorPage(page: ErrorPage): Promise<string>;
  /**
   * Runs the device check in a section of the page; called only when it is asked for. `node`
   * is the base URL of the conferencing node, none on the page's origin.
   */
  checkDevices?(section: Element, node?: string): Promise<DeviceTest>;
  /** The launch wishes for this language (BCP 47): for users whose own are not spoken. */
  speak?(language: string): void;
}

/** A participant's session with the conferencing node. */
export interface Session {
  conference: string;
  /** Base URL of the conferencing node; empty: this page's origin. */
  node: string;
  token: string;
  /** How long the token lives unless it is renewed, in seconds. */
  expires: number;
  participantUuid: string;
  role: "host" | "guest";
  displayName: string;
}

/** What `start` rejects with. */
export interface LaunchError extends Error {
  name: "LaunchError";
  code: string;
  requestId: string;
  utcTime: string;
  /** Trying again was offered, and the user has left instead. */
  retryable: boolean;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// How the page wants the shim to run.
    #[wasm_bindgen(typescript_type = "Options")]
    pub type Options;

    /// What `start` returns.
    #[wasm_bindgen(typescript_type = "Promise<Session | undefined>")]
    pub type Outcome;
}

/// Takes the join link out of the address bar and joins the visit that it
/// names. Resolves when the visit has ended, or with the session where the
/// embedding page goes on with it; rejects with a `LaunchError` after the page has
/// shown what went wrong.
#[wasm_bindgen]
pub fn start(options: Options) -> Outcome {
    let visit: Rc<Cell<Option<Box<Visit<Window>>>>> = Rc::default();
    let receive = Closure::<dyn FnMut(u32, u32, JsValue)>::new({
        let visit = Rc::clone(&visit);
        move |topic, number, value| {
            // `browser.js` never tells anything while the module runs.
            if let Some(mut known) = visit.take()
                && topic != topic::GIVEN_BACK
            {
                known.receive(topic, number, &value);
                visit.set(Some(known));
            }
        }
    });
    // By value: nothing else needs what the glue needs for borrowing.
    let options = JsValue::from(options);
    let root = options.get("root").unwrap_or(JsValue::UNDEFINED);
    let window = Window::new(&root, &receive, &options);
    // What the page tells is taken in for as long as there is a page.
    receive.forget();
    let outcome = window.promise().unchecked_into();
    let mut begun = Box::new(Visit::new(window, Settings::read(&options)));
    begun.start();
    visit.set(Some(begun));
    outcome
}
