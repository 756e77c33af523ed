//! The step of the speaker: a sound, and whether it was heard.

use crate::{
    agent::System,
    check::{Check, Sound, Timer},
    event::{Event, Press, Stop},
    media,
    outcome::{Kind, Outcome},
};

/// When a browser that plays would be playing, in milliseconds after the click.
const START: u32 = 1500;
/// The two notes, in hertz, and when they begin, in seconds.
const NOTES: [(f32, f32); 2] = [(523.25, 0.05), (659.25, 0.61)];
/// How long each of them sounds, in seconds.
const LENGTH: f32 = 0.7;
/// How loud they are, of 1.
const LOUDNESS: f32 = 0.25;

/// Goes through the step.
pub(crate) async fn run(check: &Check) -> Result<Outcome, Stop> {
    let browser = &check.browser;
    let outputs = check.list(Kind::Speaker).await?;
    let mut output = browser
        .recall(Kind::Speaker)
        .filter(|remembered| outputs.contains(remembered))
        .map(|device| device.id);
    let mut outcome = Outcome::Skipped;
    let mut playing: Option<(Sound<'_>, Timer<'_>)> = None;
    ask(check, output.as_deref());
    loop {
        match check.events.next().await? {
            Event::Pressed(Press::Start | Press::Retry) => {
                playing = None;
                let Some(sound) = play(check, output.as_deref()) else {
                    outcome = Outcome::Failed;
                    advise(check, "devices.speaker.blocked");
                    continue;
                };
                playing = Some((sound, check.timer(START, false)));
                browser.show(Kind::Speaker, None);
                question(check, output.as_deref());
            }
            Event::Tick(of)
                if playing.as_ref().is_some_and(|(_, timer)| timer.id == of)
                    && !browser.running() =>
            {
                outcome = Outcome::Failed;
                advise(check, "devices.speaker.blocked");
            }
            Event::Pressed(Press::Yes) => return Ok(Outcome::Passed),
            Event::Pressed(Press::No) => {
                outcome = Outcome::Failed;
                check.found(Kind::Speaker, outcome);
                advise(
                    check,
                    match media::system(browser) {
                        System::Ios | System::Android => "devices.speaker.silent_phone",
                        _ => "devices.speaker.silent",
                    },
                );
            }
            Event::Pressed(Press::Skip | Press::Continue) => return Ok(outcome),
            Event::Chosen(id) => {
                if let Some(device) = outputs.iter().find(|device| device.id == id) {
                    browser.remember(Kind::Speaker, device);
                }
                output = Some(id);
            }
            Event::Left => {
                playing = None;
                ask(check, output.as_deref());
            }
            _ => {}
        }
    }
}

/// Plays two soft notes on the default output or on this one.
fn play<'a>(check: &'a Check, output: Option<&str>) -> Option<Sound<'a>> {
    let sound = check.sound();
    let note = |(hertz, after)| check.browser.note(hertz, LOUDNESS, after, LENGTH, output);
    (sound.open && NOTES.into_iter().all(note)).then_some(sound)
}

fn ask(check: &Check, output: Option<&str>) {
    let browser = &check.browser;
    browser.clear();
    browser.text("devices.speaker.ask", "");
    choice(check, output);
    let skip = (Press::Skip, "devices.skip", true);
    let start = (Press::Start, "devices.speaker.start", false);
    browser.buttons("", &[start, skip]);
}

fn question(check: &Check, output: Option<&str>) {
    let browser = &check.browser;
    browser.clear();
    browser.notice("devices.speaker.question", "");
    choice(check, output);
    let buttons = [
        (Press::Yes, "devices.yes", false),
        (Press::No, "devices.no", true),
        (Press::Retry, "devices.speaker.again", true),
    ];
    browser.buttons("", &buttons);
    check.focus_notice();
}

fn advise(check: &Check, key: &str) {
    let browser = &check.browser;
    browser.clear();
    browser.notice(key, "fault");
    let on = (Press::Continue, "devices.continue", true);
    browser.buttons("", &[(Press::Retry, "devices.speaker.again", false), on]);
    check.focus_notice();
}

fn choice(check: &Check, output: Option<&str>) {
    let current = output.unwrap_or("default");
    check.browser.choice("devices.speaker.choice", current);
}
