//! The browser shim: what runs on the landing page, from a join link to a
//! joined visit. This file is the exported JavaScript API, nothing else.

mod answer;
mod conference;
mod error;
mod handshake;
mod http;
mod json;
mod launch_api;
mod mailbox;
mod page;
mod session;
mod visit;
mod window;

use js_sys::{Function, Promise, Reflect};
use vestibule_launch::{JoinLink, Role};
use wasm_bindgen::prelude::*;

use visit::{Settings, Visit};

/// Smaller than the standard library's by 2.5 KB of what is downloaded.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

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

export interface Options {
  /** Base URL of the conferencing node; default: this page's origin. */
  node?: string;
  /** Base URL of the launch API; default: this page's origin. */
  launchApi?: string;
  /** Renders an error page to HTML; called only when a launch has failed. */
  renderErrorPage(page: ErrorPage): Promise<string>;
}

/** What `start` rejects with. */
export interface LaunchError extends Error {
  name: "LaunchError";
  code: string;
  requestId: string;
  utcTime: string;
}

/** A join link without what is secret in it. */
export interface JoinLink {
  conference?: string;
  role?: "host" | "guest";
  pinPresent: boolean;
  namePresent: boolean;
  ticketPresent: boolean;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// How the page wants the shim to run.
    #[wasm_bindgen(typescript_type = "Options")]
    pub type Options;

    #[wasm_bindgen(method, getter, structural)]
    fn node(this: &Options) -> Option<String>;

    #[wasm_bindgen(method, getter, structural, js_name = launchApi)]
    fn launch_api(this: &Options) -> Option<String>;

    #[wasm_bindgen(method, getter, structural, js_name = renderErrorPage)]
    fn render_error_page(this: &Options) -> Function;

    /// What `parseJoinLink` returns.
    #[wasm_bindgen(typescript_type = "JoinLink")]
    pub type JoinLinkView;
}

/// Panics are told to the console, with their place in the source.
#[wasm_bindgen(start)]
pub fn install_panic_hook() {
    console_error_panic_hook::set_once();
}

/// Takes the join link out of the address bar and joins the visit that it
/// names. Resolves when the visit has ended; rejects with a `LaunchError` after
/// the page has shown what went wrong.
#[wasm_bindgen]
pub fn start(options: &Options) -> Promise {
    Visit::start(&Settings {
        node: options.node().unwrap_or_default(),
        launch_api: options.launch_api().unwrap_or_default(),
        render_error_page: options.render_error_page(),
    })
}

/// Reads a join link in any of its documented forms. PIN, name and ticket stay
/// inside: only whether they are there is told.
///
/// # Errors
/// An `Error` whose message says what is wrong with the link.
#[wasm_bindgen(js_name = parseJoinLink)]
pub fn parse_join_link(href: &str) -> Result<JoinLinkView, JsError> {
    let (conference, role, present) = match JoinLink::parse(href)? {
        JoinLink::Classic(link) => {
            let present = [link.pin().is_some(), link.display_name.is_some(), false];
            let role = link.role().map(Role::as_str);
            (Some(String::from(link.conference)), role, present)
        }
        JoinLink::Ticket(_) => (None, None, [false, false, true]),
    };
    let view = json::object(&[("conference", conference.as_deref()), ("role", role)]);
    let keys = ["pinPresent", "namePresent", "ticketPresent"];
    for (key, present) in keys.into_iter().zip(present) {
        Reflect::set(&view, &key.into(), &present.into()).ok();
    }
    Ok(view.unchecked_into())
}
