//! The steps of camera and microphone: asked for only after a click, opened,
//! explained where that fails, and tried again as often as somebody likes.

use alloc::string::String;

use crate::{
    camera,
    check::{Check, Sound},
    choice::{Device, Found, find},
    event::{Event, Press, Stop},
    fault::Fault,
    media::{self, Live, Opened, Wanted},
    microphone,
    outcome::{Kind, Outcome},
};

/// Where such a step is.
pub(crate) enum State<'a> {
    /// Before the click.
    Ask,
    /// Being opened.
    Open(Wanted),
    /// In use.
    Live(Captured<'a>),
    /// Not to be had.
    Fault(Fault),
    /// Finished.
    Done(Outcome),
}

/// A device in use, and what there is to choose from.
pub(crate) struct Captured<'a> {
    pub(crate) live: Live<'a>,
    pub(crate) opened: Opened,
    /// For the level of a microphone.
    pub(crate) sound: Option<Sound<'a>>,
    /// Whether the remembered device is not here any more.
    pub(crate) gone: bool,
}

/// Goes through the step.
pub(crate) async fn run(check: &Check, kind: Kind) -> Result<Outcome, Stop> {
    let mut state = State::Ask;
    // What stands as long as nothing better is found.
    let mut outcome = Outcome::Skipped;
    loop {
        state = match state {
            State::Ask => ask(check, kind).await?,
            State::Open(wanted) => open(check, kind, wanted).await?,
            State::Live(captured) => {
                // It could be opened: what was found before holds no more.
                outcome = Outcome::Skipped;
                check.forget(kind);
                if kind == Kind::Camera {
                    camera::watch(check, captured).await?
                } else {
                    microphone::listen(check, captured).await?
                }
            }
            State::Fault(fault) => {
                outcome = fault.outcome();
                explain(check, kind, fault).await?
            }
            State::Done(Outcome::Skipped) => return Ok(outcome),
            State::Done(outcome) => return Ok(outcome),
        };
    }
}

/// What a choice in the list leads to.
pub(crate) fn choose<'a>(check: &Check, kind: Kind, devices: &[Device], id: String) -> State<'a> {
    if let Some(device) = devices.iter().find(|device| device.id == id) {
        check.browser.remember(kind, device);
    }
    State::Open(Wanted::Only(id))
}

/// The device of last time, or any. No other is asked for before that one is known to
/// be gone: opening one after the other would ask the person twice.
fn as_last_time<'a>(check: &Check, kind: Kind) -> State<'a> {
    let last = check.browser.recall(kind);
    State::Open(last.map_or(Wanted::Any, |device| Wanted::Only(device.id)))
}

async fn ask<'a>(check: &'a Check, kind: Kind) -> Result<State<'a>, Stop> {
    let (text, start) = match kind {
        Kind::Camera => ("devices.camera.ask", "devices.camera.start"),
        _ => ("devices.microphone.ask", "devices.microphone.start"),
    };
    let browser = &check.browser;
    browser.clear();
    browser.text(text, "");
    let skip = (Press::Skip, "devices.skip", true);
    browser.buttons("", &[(Press::Start, start, false), skip]);
    loop {
        match check.events.next().await? {
            Event::Pressed(Press::Start) => return Ok(as_last_time(check, kind)),
            Event::Pressed(Press::Skip) => return Ok(State::Done(Outcome::Skipped)),
            _ => {}
        }
    }
}

async fn open<'a>(check: &'a Check, kind: Kind, wanted: Wanted) -> Result<State<'a>, Stop> {
    let browser = &check.browser;
    // Within the click that led here: later, sound would stay off. Where there is
    // none, `hear` tells.
    let sound = (kind == Kind::Microphone).then(|| check.sound());
    let live = Live::open(check, kind, &wanted);
    browser.clear();
    browser.notice("devices.opening", "");
    browser.buttons("", &[(Press::Skip, "devices.skip", true)]);
    browser.show(kind, None);
    check.focus_notice();

    let opened = loop {
        match check.events.next().await? {
            Event::Opened(of, opened) if of == live.id => break opened,
            Event::Pressed(Press::Skip) => return Ok(State::Done(Outcome::Skipped)),
            Event::Left => return Ok(State::Ask),
            _ => {}
        }
    };
    let opened = match (opened, wanted) {
        (Ok(opened), _) => opened,
        // The one that was chosen is not here, or has a new id.
        (Err(Fault::Unsuited | Fault::Missing), Wanted::Only(_)) => {
            return Ok(State::Open(Wanted::Any));
        }
        (Err(fault), _) => return Ok(State::Fault(fault)),
    };
    let remembered = browser.recall(kind);
    let gone = match find(remembered.as_ref(), &opened.devices, &opened.id) {
        // Remembered under its new id, it is not found like this again.
        Found::Renamed(device) => {
            browser.remember(kind, device);
            if device.id != opened.id && !opened.id.is_empty() {
                return Ok(State::Open(Wanted::Only(device.id.clone())));
            }
            false
        }
        found => found == Found::Gone,
    };
    Ok(State::Live(Captured {
        live,
        opened,
        sound,
        gone,
    }))
}

async fn explain<'a>(check: &'a Check, kind: Kind, fault: Fault) -> Result<State<'a>, Stop> {
    let browser = &check.browser;
    browser.clear();
    browser.notice(media::advice(browser, fault, kind), "fault");
    let on = (Press::Continue, "devices.continue", true);
    browser.buttons("", &[(Press::Retry, "devices.retry", false), on]);
    check.found(kind, fault.outcome());
    // Reads it out too.
    check.focus_notice();
    loop {
        match check.events.next().await? {
            Event::Pressed(Press::Retry) => return Ok(as_last_time(check, kind)),
            Event::Pressed(Press::Continue) => return Ok(State::Done(fault.outcome())),
            _ => {}
        }
    }
}
