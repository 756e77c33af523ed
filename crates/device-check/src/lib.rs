//! The check of camera, microphone, speaker and connection before joining. A
//! module of its own, because it loads only when somebody asks for it.
//!
//! What it shows and decides stands apart from the browser: which sentence helps
//! with which fault ([`fault`], [`agent`]), what was heard ([`level`]), what a
//! connection is worth ([`connection`]), which device was meant ([`choice`]) and
//! what is reported ([`outcome`]).

#![cfg_attr(not(test), no_std)]

extern crate alloc;
#[cfg(not(vestibule_module))]
extern crate std;

pub mod agent;
mod browser;
mod camera;
mod capture;
mod check;
pub mod choice;
pub mod connection;
mod event;
pub mod fault;
pub mod level;
mod media;
mod microphone;
mod module;
mod network;
pub mod outcome;
mod speaker;

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What a check has shown. */
export type DeviceOutcome = "passed" | "failed" | "denied" | "missing" | "skipped";
export interface DeviceTest {
  camera: DeviceOutcome;
  microphone: DeviceOutcome;
  speaker: DeviceOutcome;
  connection: DeviceOutcome;
}
export interface DeviceCheckOptions {
  /** Translated texts by their keys; English where one is missing. */
  texts?: Record<string, string>;
  /** The style sheet device-check.css. */
  css?: { url: string; integrity?: string };
  /** Origin of the conferencing node; the page's own where there is none. */
  node?: string;
  /** A file of 100 to 500 KB by which throughput is measured. */
  sample?: string;
  /** STUN and TURN servers to ask. */
  iceServers?: RTCIceServer[];
  /** Calls the check off. */
  signal?: AbortSignal;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// A section of the page.
    #[wasm_bindgen(typescript_type = "Element")]
    pub type Section;

    /// What the page says about the check.
    #[wasm_bindgen(typescript_type = "DeviceCheckOptions")]
    pub type Options;

    /// What a check answers.
    #[wasm_bindgen(typescript_type = "Promise<DeviceTest>")]
    pub type Answer;
}

/// Runs the check in a section of the page. The promise is kept when the person has
/// finished or skipped it, the section is hidden, or the check is called off; it is
/// broken where the browser cannot show the check.
#[wasm_bindgen]
pub fn check(section: &Section, options: &Options) -> Answer {
    check::start(section.as_ref(), options.as_ref()).unchecked_into()
}
