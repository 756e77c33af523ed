//! The microphone in use: how loud it is, and whether somebody was heard.

use crate::{
    capture::{Captured, State, choose},
    check::Check,
    event::{Event, Press, Stop},
    fault::Fault,
    level::{self, Ear},
    outcome::{self, Kind},
};

/// Milliseconds between two readings.
const PERIOD: u32 = 100;
/// Readings without a voice until the person is told so.
const PATIENCE: u32 = 80;

/// Shows the level until the person goes on.
pub(crate) async fn listen<'a>(
    check: &'a Check,
    captured: Captured<'a>,
) -> Result<State<'a>, Stop> {
    let Captured {
        live,
        opened,
        gone,
        // Ends with the step.
        sound: _sound,
    } = captured;
    let browser = &check.browser;
    if !browser.hear(live.id) {
        return Ok(State::Fault(Fault::Unsupported));
    }
    browser.clear();
    if gone {
        browser.text("devices.gone", "aside");
    }
    browser.text("devices.microphone.live", "device-heard");
    browser.gauge("devices.microphone.level");
    browser.choice("devices.microphone.choice", &opened.id);
    browser.buttons("", &[(Press::Continue, "devices.continue", false)]);
    browser.announce("devices.microphone.live");
    browser.focus(".device-buttons button");

    let say = |key| {
        browser.reword(".device-heard", key);
        browser.announce(key);
    };
    let period = check.timer(PERIOD, true);
    let mut ear = Ear::default();
    let mut readings = 0;
    let mut told = false;
    let mut paused = false;
    loop {
        match check.events.next().await? {
            // Where the browser lets no sound through, as Firefox without any output,
            // silence says nothing of the microphone.
            Event::Tick(of) if of == period.id && !paused && browser.running() => {
                let height = ear.listen(level::decibels(&browser.samples()));
                browser.level((height + 0.5) as u32);
                readings += 1;
                if ear.heard() {
                    if !told {
                        told = true;
                        say("devices.microphone.heard");
                    }
                } else if readings == PATIENCE {
                    say("devices.microphone.silent");
                }
            }
            Event::Pressed(Press::Continue) => {
                let silent = readings >= PATIENCE;
                return Ok(State::Done(outcome::microphone(ear.heard(), silent)));
            }
            Event::Chosen(id) => {
                return Ok(choose(check, Kind::Microphone, &opened.devices, id));
            }
            Event::Lost(of) if of == live.id => return Ok(State::Fault(Fault::Lost)),
            Event::Hidden => {
                paused = true;
                live.pause(true);
            }
            Event::Shown if live.is_lost() => return Ok(State::Fault(Fault::Lost)),
            Event::Shown => {
                paused = false;
                live.pause(false);
            }
            Event::Left => return Ok(State::Ask),
            _ => {}
        }
    }
}
