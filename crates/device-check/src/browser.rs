//! What the check asks of the browser. All of it is done in `browser.js`, which
//! decides nothing; what happens there comes back as a topic, numbers and a text
//! (see [`crate::event`]).

use alloc::string::String;

use wasm_bindgen::prelude::*;

use crate::{choice::Device, event::Press, outcome::Kind};

/// What `browser.js` calls: topic, what it is about, a number, a text.
pub(crate) type Receive = Closure<dyn Fn(u32, u32, f64, Option<String>)>;

/// Stands between texts that are told as one.
pub(crate) const BETWEEN: char = '\0';

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// The class of `browser.js`: a check in a section of the page.
    pub(crate) type Browser;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new(
        section: &JsValue,
        options: &JsValue,
        english: &str,
        receive: &Receive,
    ) -> Browser;

    /// The promise of the check.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn promise(this: &Browser) -> JsValue;
    /// Whether the check was called off before it began.
    #[wasm_bindgen(method)]
    pub(crate) fn aborted(this: &Browser) -> bool;
    /// An option that is a text.
    #[wasm_bindgen(method)]
    pub(crate) fn option(this: &Browser, name: &str) -> Option<String>;
    /// Ends the check with its result as JSON text.
    #[wasm_bindgen(method)]
    pub(crate) fn finish(this: &Browser, result: &str);

    /// Adds a step.
    #[wasm_bindgen(method, js_name = step)]
    fn add_step(this: &Browser, name: &str, key: &str);
    #[wasm_bindgen(method, js_name = open)]
    fn open_step(this: &Browser, step: i32);
    #[wasm_bindgen(method, js_name = result)]
    fn show_result(this: &Browser, step: u32, outcome: &str, key: &str);
    /// Empties what is open. What follows is added to it.
    #[wasm_bindgen(method)]
    pub(crate) fn clear(this: &Browser);
    /// A text of this key and class.
    #[wasm_bindgen(method)]
    pub(crate) fn text(this: &Browser, key: &str, class: &str);
    /// A text that can have the focus: what is new and matters.
    #[wasm_bindgen(method)]
    pub(crate) fn notice(this: &Browser, key: &str, class: &str);
    #[wasm_bindgen(method)]
    fn row(this: &Browser, class: &str);
    #[wasm_bindgen(method)]
    fn button(this: &Browser, press: &str, key: &str, quiet: bool);
    /// The choice between the devices that were listed last; hidden where there is none.
    #[wasm_bindgen(method)]
    pub(crate) fn choice(this: &Browser, key: &str, current: &str);
    /// The picture of an open camera.
    #[wasm_bindgen(method)]
    pub(crate) fn picture(this: &Browser, id: u32, key: &str, mirrored: bool);
    /// Plays the picture, where the browser has stopped it.
    #[wasm_bindgen(method)]
    pub(crate) fn play(this: &Browser);
    /// Shows how loud it is.
    #[wasm_bindgen(method)]
    pub(crate) fn gauge(this: &Browser, key: &str);
    /// Sets the gauge, 0 to 100.
    #[wasm_bindgen(method)]
    pub(crate) fn level(this: &Browser, value: u32);
    /// Gives the element that is found by this selector another text.
    #[wasm_bindgen(method)]
    pub(crate) fn reword(this: &Browser, selector: &str, key: &str);
    /// Hides or shows what has the class `device-late`.
    #[wasm_bindgen(method)]
    pub(crate) fn late(this: &Browser, hidden: bool);
    /// Moves the focus to the first element that is found by this selector.
    #[wasm_bindgen(method)]
    pub(crate) fn focus(this: &Browser, selector: &str);
    /// Says something to those who do not see it.
    #[wasm_bindgen(method)]
    pub(crate) fn announce(this: &Browser, key: &str);

    /// `navigator.userAgent`.
    #[wasm_bindgen(method, js_name = userAgent)]
    pub(crate) fn user_agent(this: &Browser) -> String;
    /// `navigator.maxTouchPoints`.
    #[wasm_bindgen(method, js_name = touchPoints)]
    pub(crate) fn touch_points(this: &Browser) -> u32;
    /// Opens a camera or microphone, of this id or any.
    #[wasm_bindgen(method)]
    pub(crate) fn capture(this: &Browser, id: u32, kind: &str, device: &str);
    /// Lists the devices of a kind.
    #[wasm_bindgen(method)]
    pub(crate) fn list(this: &Browser, id: u32, kind: &str);
    /// Lets an open device pause and go on.
    #[wasm_bindgen(method)]
    pub(crate) fn pause(this: &Browser, id: u32, paused: bool);
    /// Whether the browser has taken an open device away.
    #[wasm_bindgen(method)]
    pub(crate) fn lost(this: &Browser, id: u32) -> bool;
    /// Switches a device off, also one that is not open yet.
    #[wasm_bindgen(method)]
    pub(crate) fn stop(this: &Browser, id: u32);
    #[wasm_bindgen(method, js_name = recall)]
    fn recall_text(this: &Browser, kind: &str) -> Option<String>;
    #[wasm_bindgen(method, js_name = remember)]
    fn remember_text(this: &Browser, kind: &str, id: &str, label: &str);

    /// Opens a way for sound; within a click, or some browsers keep it silent.
    #[wasm_bindgen(method)]
    pub(crate) fn sound(this: &Browser) -> bool;
    /// Whether sound comes out.
    #[wasm_bindgen(method)]
    pub(crate) fn running(this: &Browser) -> bool;
    /// Plays a note after so many seconds, for so long.
    #[wasm_bindgen(method)]
    pub(crate) fn note(
        this: &Browser,
        hertz: f32,
        loudness: f32,
        after: f32,
        length: f32,
        output: Option<&str>,
    ) -> bool;
    /// Listens to an open microphone.
    #[wasm_bindgen(method)]
    pub(crate) fn hear(this: &Browser, id: u32) -> bool;
    /// The latest samples, -1 to 1.
    #[wasm_bindgen(method)]
    pub(crate) fn samples(this: &Browser) -> alloc::vec::Vec<f32>;
    /// Closes the way for sound.
    #[wasm_bindgen(method)]
    pub(crate) fn silence(this: &Browser);

    /// Starts the timer anew.
    #[wasm_bindgen(method)]
    pub(crate) fn timer(this: &Browser, id: u32, milliseconds: u32, repeated: bool);
    /// Stops the timer.
    #[wasm_bindgen(method, js_name = stopTimer)]
    pub(crate) fn stop_timer(this: &Browser);
    /// Fetches and reads to the end, within so many milliseconds.
    #[wasm_bindgen(method)]
    pub(crate) fn get(this: &Browser, id: u32, url: &str, deadline: u32);
    /// Bytes of the last answer; less than 0: not known.
    #[wasm_bindgen(method)]
    pub(crate) fn bytes(this: &Browser) -> f64;
    /// Ends the request that is under way.
    #[wasm_bindgen(method)]
    pub(crate) fn cancel(this: &Browser);
    /// How many STUN and TURN servers the page knows.
    #[wasm_bindgen(method)]
    pub(crate) fn servers(this: &Browser) -> u32;
    /// Begins to gather ICE candidates; whether this browser can.
    #[wasm_bindgen(method)]
    pub(crate) fn gather(this: &Browser, id: u32) -> bool;
    /// Ends the gathering.
    #[wasm_bindgen(method, js_name = hangUp)]
    pub(crate) fn hang_up(this: &Browser);
}

impl Browser {
    /// Opens a step and closes the others, or opens the end.
    pub(crate) fn open(&self, kind: Option<Kind>) {
        self.open_step(kind.map_or(-1, |kind| kind as i32));
    }

    /// Adds a step.
    pub(crate) fn add(&self, kind: Kind) {
        self.add_step(kind.as_str(), kind.text());
    }

    /// Shows the result of a step, or none any more.
    pub(crate) fn show(&self, kind: Kind, outcome: Option<crate::outcome::Outcome>) {
        let (outcome, key) = outcome.map_or(("", ""), |it| (it.as_str(), it.text()));
        self.show_result(kind as u32, outcome, key);
    }

    /// Buttons beside each other: what they do, key, whether it stands back.
    pub(crate) fn buttons(&self, class: &str, buttons: &[(Press, &str, bool)]) {
        self.row(class);
        for (press, key, quiet) in buttons {
            self.button(press.as_str(), key, *quiet);
        }
    }

    /// The device of this kind that was chosen last time.
    pub(crate) fn recall(&self, kind: Kind) -> Option<Device> {
        let text = self.recall_text(kind.as_str())?;
        Device::list(text.split(BETWEEN)).pop()
    }

    /// Remembers a choice, in this browser only.
    pub(crate) fn remember(&self, kind: Kind, device: &Device) {
        self.remember_text(kind.as_str(), &device.id, &device.label);
    }
}
