//! The whole check: one step after the other, and what closes it.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};
use core::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    task::{Context, Waker},
};

use wasm_bindgen::{JsValue, closure::Closure};

use crate::{
    browser::{Browser, Receive},
    capture,
    choice::Device,
    event::{Event, Events, Press, Stop},
    network,
    outcome::{DeviceTest, KINDS, Kind, Outcome},
    speaker,
};

/// The English texts; a translation may lack some of them.
const ENGLISH: &str = include_str!("../texts.json");

/// What the steps share.
pub(crate) struct Check {
    pub(crate) browser: Browser,
    pub(crate) events: Rc<Events>,
    attempts: Cell<u32>,
    test: Cell<DeviceTest>,
}

/// A timer, until it is dropped.
pub(crate) struct Timer<'a> {
    browser: &'a Browser,
    /// The number that it has.
    pub(crate) id: u32,
}

/// A way for sound, until it is dropped.
pub(crate) struct Sound<'a> {
    browser: &'a Browser,
    /// Whether there is one.
    pub(crate) open: bool,
}

impl Check {
    /// The number of a new attempt; answers to earlier ones come too late.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempts.set(self.attempts.get() + 1);
        self.attempts.get()
    }

    /// Starts a timer in place of the one before.
    pub(crate) fn timer(&self, milliseconds: u32, repeated: bool) -> Timer<'_> {
        let (browser, id) = (&self.browser, self.attempt());
        browser.timer(id, milliseconds, repeated);
        Timer { browser, id }
    }

    /// Opens a way for sound in place of the one before. Must be called within a click.
    pub(crate) fn sound(&self) -> Sound<'_> {
        let browser = &self.browser;
        let open = browser.sound();
        Sound { browser, open }
    }

    /// The devices of a kind. What happens until they are listed waits.
    pub(crate) async fn list(&self, kind: Kind) -> Result<Vec<Device>, Stop> {
        let id = self.attempt();
        self.browser.list(id, kind.as_str());
        let mut meanwhile = Vec::new();
        let devices = loop {
            match self.events.next().await? {
                Event::Listed(of, devices) if of == id => break devices,
                event => meanwhile.push(event),
            }
        };
        for event in meanwhile {
            self.events.push(event);
        }
        Ok(devices)
    }

    /// Takes down and shows what a step has found. It stands if the rest is skipped.
    pub(crate) fn found(&self, kind: Kind, outcome: Outcome) {
        let mut test = self.test.get();
        test.set(kind, outcome);
        self.test.set(test);
        self.browser.show(kind, Some(outcome));
    }

    /// Takes back what a step has found.
    pub(crate) fn forget(&self, kind: Kind) {
        self.found(kind, Outcome::Skipped);
        self.browser.show(kind, None);
    }

    /// Moves the focus to the notice that has just been put up.
    pub(crate) fn focus_notice(&self) {
        self.browser.focus("p[tabindex]");
    }

    /// Moves the focus to a step's heading.
    pub(crate) fn focus_heading(&self, kind: Kind) {
        let selector = match kind {
            Kind::Camera => "[data-step=camera] h2",
            Kind::Microphone => "[data-step=microphone] h2",
            Kind::Speaker => "[data-step=speaker] h2",
            Kind::Connection => "[data-step=connection] h2",
        };
        self.browser.focus(selector);
    }

    async fn run(&self) -> Result<(), Stop> {
        let browser = &self.browser;
        for kind in KINDS {
            browser.add(kind);
        }
        loop {
            browser.focus("h1");
            for kind in KINDS {
                browser.open(Some(kind));
                browser.show(kind, None);
                if kind != Kind::Camera {
                    self.focus_heading(kind);
                }
                let outcome = match kind {
                    Kind::Camera | Kind::Microphone => capture::run(self, kind).await?,
                    Kind::Speaker => speaker::run(self).await?,
                    Kind::Connection => network::run(self).await?,
                };
                self.found(kind, outcome);
            }
            if self.close().await? == Press::Done {
                return Ok(());
            }
            for kind in KINDS {
                self.forget(kind);
            }
        }
    }

    async fn close(&self) -> Result<Press, Stop> {
        let browser = &self.browser;
        browser.open(None);
        browser.notice(self.test.get().summary(), "device-summary");
        let again = (Press::Again, "devices.again", true);
        browser.buttons("", &[(Press::Done, "devices.done", false), again]);
        self.focus_notice();
        loop {
            if let Event::Pressed(press @ (Press::Done | Press::Again)) = self.events.next().await?
            {
                return Ok(press);
            }
        }
    }

    fn answer(&self) -> String {
        let test = self.test.get();
        let mut json = String::from("{");
        for kind in KINDS {
            let between = if json.len() > 1 { "," } else { "" };
            for part in [
                between,
                "\"",
                kind.as_str(),
                "\":\"",
                test.of(kind).as_str(),
                "\"",
            ] {
                json.push_str(part);
            }
        }
        json.push('}');
        json
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.browser.stop_timer();
    }
}

impl Drop for Sound<'_> {
    fn drop(&mut self) {
        self.browser.silence();
    }
}

/// A check on its way; none when it has ended.
type Task = RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>;

/// Begins a check in a section and gives its promise. It runs until it is finished,
/// left or called off; devices are off afterwards, and the section is empty.
pub(crate) fn start(section: &JsValue, options: &JsValue) -> JsValue {
    let events = Rc::new(Events::default());
    let task = Rc::new(Task::default());
    let receive: Receive = Closure::new({
        let (events, task) = (Rc::clone(&events), Rc::clone(&task));
        move |topic, of, number, text| {
            if let Some(event) = Event::read(topic, of, number, text) {
                events.push(event);
                proceed(&task);
            }
        }
    });
    let browser = Browser::new(section, options, ENGLISH, &receive);
    // For as long as somebody has the function: what comes after the end is not told.
    drop(receive.into_js_value());
    let promise = browser.promise();
    if browser.aborted() {
        events.push(Event::Closed);
    }
    let check = Check {
        browser,
        events,
        attempts: Cell::new(0),
        test: Cell::new(DeviceTest::NOTHING),
    };
    task.replace(Some(Box::pin(async move {
        // Left early or not: what has been found counts.
        drop(check.run().await);
        check.browser.finish(&check.answer());
    })));
    proceed(&task);
    promise
}

/// Goes on until the next event is waited for.
fn proceed(task: &Task) {
    // Told while it runs, an event waits in the queue, which is emptied before it rests.
    let Ok(mut running) = task.try_borrow_mut() else {
        return;
    };
    let Some(check) = running.as_mut() else {
        return;
    };
    let mut context = Context::from_waker(Waker::noop());
    if check.as_mut().poll(&mut context).is_ready() {
        *running = None;
    }
}
