//! The camera in use: the picture, and whether it comes.

use crate::{
    capture::{Captured, State, choose},
    check::Check,
    event::{Event, Press, Stop},
    fault::Fault,
    outcome::{Kind, Outcome},
};

/// How long a picture may take, in milliseconds.
const PATIENCE: u32 = 6000;

/// Shows the picture until the person goes on.
pub(crate) async fn watch<'a>(check: &'a Check, captured: Captured<'a>) -> Result<State<'a>, Stop> {
    let Captured {
        live, opened, gone, ..
    } = captured;
    let browser = &check.browser;
    browser.clear();
    browser.picture(live.id, "devices.camera.picture", !opened.faces_away);
    if gone {
        browser.text("devices.gone", "aside");
    }
    browser.text("devices.camera.live", "device-late");
    browser.choice("devices.camera.choice", &opened.id);
    let dark = (Press::Dark, "devices.camera.dark", true);
    let on = (Press::Continue, "devices.continue", false);
    browser.buttons("device-late", &[on, dark]);
    browser.late(true);
    browser.play();

    let patience = check.timer(PATIENCE, false);
    let mut seen = false;
    loop {
        match check.events.next().await? {
            Event::Picture(of) if of == live.id && !seen => {
                seen = true;
                browser.late(false);
                browser.announce("devices.camera.live");
                browser.focus(".device-buttons button");
            }
            Event::Tick(of) if of == patience.id && !seen => {
                return Ok(State::Fault(Fault::NoPicture));
            }
            Event::Pressed(Press::Continue) => return Ok(State::Done(Outcome::Passed)),
            Event::Pressed(Press::Dark) => return Ok(State::Fault(Fault::NoPicture)),
            Event::Chosen(id) => {
                return Ok(choose(check, Kind::Camera, &opened.devices, id));
            }
            Event::Lost(of) if of == live.id => return Ok(State::Fault(Fault::Lost)),
            Event::Hidden => live.pause(true),
            Event::Shown if live.is_lost() => return Ok(State::Fault(Fault::Lost)),
            Event::Shown => {
                live.pause(false);
                browser.play();
            }
            Event::Left => return Ok(State::Ask),
            _ => {}
        }
    }
}
