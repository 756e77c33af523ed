//! What a visit asks of the browser. All of it is done in `browser.js` and `network.js`, which
//! decide nothing; what happens there comes back as a topic, a number and a value.

use wasm_bindgen::{Nullable, prelude::*};

use crate::json::Json;

/// What `browser.js` and `network.js` tell. The numbers stand there too.
pub(crate) mod topic {
    /// The launch API has answered for a ticket or a resumed launch: status, JSON.
    pub(crate) const REDEEMED: u32 = 1;
    /// The node has answered `request_token`: status, JSON.
    pub(crate) const ANSWERED: u32 = 2;
    /// The node has answered `refresh_token`: status, JSON.
    pub(crate) const RENEWED: u32 = 3;
    /// The launch API has answered a failure report: status, JSON.
    pub(crate) const ERROR_PAGE: u32 = 4;
    /// Answers to requests with this topic are not told.
    pub(crate) const NONE: u32 = 5;
    /// An event of the stream: its place in the list of names, its data.
    pub(crate) const STREAM: u32 = 7;
    /// The stream has broken.
    pub(crate) const STREAM_LOST: u32 = 8;
    /// It is time to open the broken stream again.
    pub(crate) const STREAM_RETRY: u32 = 9;
    /// A button was pressed: its [`super::action`].
    pub(crate) const CLICKED: u32 = 10;
    /// A form was sent: 0 name, 1 PIN, 2 extension; its text.
    pub(crate) const SUBMITTED: u32 = 11;
    /// The sign-in has ended: 1 and a token, or 0.
    pub(crate) const SIGNED_IN: u32 = 12;
    /// The page is being closed or left.
    pub(crate) const CLOSED: u32 = 13;
    /// The page is shown again out of the page cache.
    pub(crate) const RESTORED: u32 = 14;
    /// Visible again, and for how many milliseconds the page was hidden; or online again:
    /// `u32::MAX`.
    pub(crate) const WOKEN: u32 = 15;
    /// The browser is offline.
    pub(crate) const OFFLINE: u32 = 16;
    /// A message of another tab: its three numbers.
    pub(crate) const TAB: u32 = 17;
    /// A timer has run down: its number.
    pub(crate) const TIMER: u32 = 18;
    /// The error page is rendered: 1 and its HTML, or 0.
    pub(crate) const ERROR_HTML: u32 = 19;
    /// The device check has ended: its result, or nothing.
    pub(crate) const DEVICES: u32 = 20;
    /// Another link was opened in this tab: the address.
    pub(crate) const OTHER_LINK: u32 = 21;
    /// The page was given back; CLOSED was told before. Nothing more is told.
    pub(crate) const GIVEN_BACK: u32 = 22;
}

/// What `CLICKED` tells. The numbers stand in `browser.js` too.
pub(crate) mod action {
    pub(crate) const LEAVE: u32 = 0;
    pub(crate) const CANCEL: u32 = 1;
    pub(crate) const RETRY: u32 = 2;
    pub(crate) const REJOIN: u32 = 3;
    pub(crate) const CHECK_DEVICES: u32 = 4;
    pub(crate) const TAKE_OVER: u32 = 5;
    pub(crate) const JOIN: u32 = 6;
    pub(crate) const HOST: u32 = 7;
    pub(crate) const GUEST: u32 = 8;
    pub(crate) const BACK: u32 = 9;
    /// An identity provider was chosen: its uuid.
    pub(crate) const PROVIDER: u32 = 10;
}

/// An address, in parts. Without `Debug`: it may hold a token.
#[derive(Clone, Copy)]
pub(crate) struct Url<'a, J> {
    /// What stands before the path; the page's own origin where it is `None`.
    pub(crate) base: Option<&'a J>,
    /// What follows. A star stands for the place.
    pub(crate) path: &'a str,
    /// A text that may stand in an address as it is.
    pub(crate) place: Option<&'a J>,
}

/// A POST request. Without `Debug`: it may hold a PIN or a token.
pub(crate) struct Post<'a, J> {
    /// The topic of its answer.
    pub(crate) topic: u32,
    /// Where it goes.
    pub(crate) url: Url<'a, J>,
    /// A header, where it has a value. A star stands for the value.
    pub(crate) header: &'a str,
    /// The value.
    pub(crate) value: Option<&'a J>,
    /// What is sent as JSON.
    pub(crate) body: Option<&'a J>,
    /// How long an answer is waited for, in milliseconds.
    pub(crate) deadline: i32,
}

/// The browser, as a visit sees it.
pub(crate) trait Browser {
    /// JSON as this browser has it.
    type Value: Json;

    /// The page's address.
    fn href(&self) -> Self::Value;
    /// Replaces the page's address, in the address bar and in the history.
    fn replace_address(&self, href: &str);
    /// The parts of an address as one.
    fn address(&self, url: Url<'_, Self::Value>) -> Self::Value;
    /// The host name, with its port, of this base URL or of the page.
    fn host(&self, base: Option<&Self::Value>) -> Self::Value;
    /// What was remembered under this key: by the browser (`lasting`), or by this tab only.
    fn recall(&self, key: &str, lasting: bool) -> Option<Self::Value>;
    /// Remembers a text, or an object as JSON text, or forgets it.
    fn remember(&self, key: &str, value: Option<&Self::Value>, lasting: bool);
    /// 128 random bits as 32 hexadecimal digits; or a version 4 UUID (RFC 9562 section 5.4).
    fn random(&self, uuid: bool) -> Self::Value;
    /// Keeps for whoever looks for a fault in a link that this parameter was not used.
    fn remark(&self, parameter: &str);
    /// The time in UTC, as RFC 3339 writes it.
    fn now(&self) -> Self::Value;

    /// Sends a request. A newer one with the same topic takes the place of an older one; what
    /// the older one is granted is given back.
    fn post(&self, post: Post<'_, Self::Value>);
    /// Sends JSON so that it arrives even where the page is closed at once.
    fn beacon(&self, url: Url<'_, Self::Value>, json: &Self::Value);
    /// Starts a timer anew, or stops it where `milliseconds` is negative.
    fn timer(&self, timer: u32, milliseconds: i32);
    /// Follows a stream of events in place of the one before. `names` stand between commas.
    fn follow(&self, url: Url<'_, Self::Value>, names: &str);
    /// Closes the stream. Answers that are still to come are nobody's, but for that to a
    /// ticket; what they grant is given back.
    fn unfollow(&self);
    /// Opens a channel to the other tabs: a random number for this tab, 0 where there is
    /// no channel.
    fn channel(&self, name: &str) -> u32;
    /// Tells the other tabs three numbers.
    fn tell_tabs(&self, said: u32, id: u32, visit: u32);

    /// Shows a screen, by its [`crate::page::Screen::words`]. `faulty`: it says that what was
    /// given cannot be used.
    fn show(&self, words: &str, faulty: bool);
    /// Fills the list of participants from an array of what the node has said of each; `own`
    /// is the uuid of this one. Without it, the list of identity providers.
    fn list(&self, items: &Self::Value, own: Option<&Self::Value>);
    /// Offers signing in on the screen that is shown, as the node has said: where, with whom
    /// and whether in a window of its own. Only messages of the node's origin count, of the
    /// page's own without a node.
    fn sign_in(&self, wanted: &Self::Value, node: Option<&Self::Value>);
    /// Runs the device check, with the node at this base URL; without one, with the page's
    /// own origin.
    fn check_devices(&self, node: Option<&Self::Value>);
    /// The launch wishes for this language (BCP 47), where the user has no wish that the
    /// page can grant.
    fn speak(&self, language: &Self::Value);
    /// Has the error page rendered, and fills in the page's own words.
    fn render_failure(&self, page: &Self::Value);
    /// Puts the rendered error page up, or the page's own words. `retryable`: trying again
    /// is offered.
    fn show_failure(&self, html: Option<&Self::Value>, retryable: bool);

    /// Leaves the page for this address.
    fn go(&self, url: &str);
    /// Resolves the promise of `start`; a session is also told by an event on the page. Later
    /// calls change nothing.
    fn finish(&self, result: Option<&Self::Value>);
    /// Rejects the promise of `start` with a `LaunchError` about this `ErrorPage`. Later
    /// calls change nothing.
    fn fail(&self, page: &Self::Value, retryable: bool);
}

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// The class of `browser.js`.
    #[wasm_bindgen(js_name = Browser)]
    pub(crate) type Window;

    /// `root`: a document or a shadow root; undefined for the page's own document.
    #[wasm_bindgen(constructor, js_class = "Browser")]
    pub(crate) fn new(
        root: &JsValue,
        receive: &Closure<dyn FnMut(u32, u32, JsValue)>,
        options: &JsValue,
    ) -> Window;

    #[wasm_bindgen(method, js_class = "Browser")]
    fn href(this: &Window) -> JsValue;
    #[wasm_bindgen(method, js_class = "Browser", js_name = replaceAddress)]
    fn replace_address(this: &Window, href: &str);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn host(this: &Window, base: Option<&JsValue>) -> JsValue;
    #[wasm_bindgen(method, js_class = "Browser")]
    fn recall(this: &Window, key: &str, lasting: bool) -> Nullable<JsValue>;
    #[wasm_bindgen(method, js_class = "Browser")]
    fn remember(this: &Window, key: &str, value: Option<&JsValue>, lasting: bool);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn random(this: &Window, uuid: bool) -> JsValue;
    #[wasm_bindgen(method, js_class = "Browser")]
    fn remark(this: &Window, parameter: &str);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn now(this: &Window) -> JsValue;
    #[wasm_bindgen(method, js_class = "Browser")]
    fn post(
        this: &Window,
        topic: u32,
        base: Option<&JsValue>,
        path: &str,
        place: Option<&JsValue>,
        header: &str,
        value: Option<&JsValue>,
        body: Option<&JsValue>,
        deadline: i32,
    );
    #[wasm_bindgen(method, js_class = "Browser")]
    fn timer(this: &Window, timer: u32, milliseconds: i32);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn follow(
        this: &Window,
        base: Option<&JsValue>,
        path: &str,
        place: Option<&JsValue>,
        names: &str,
    );
    #[wasm_bindgen(method, js_class = "Browser")]
    fn unfollow(this: &Window);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn channel(this: &Window, name: &str) -> u32;
    #[wasm_bindgen(method, js_class = "Browser", js_name = tell)]
    fn tell_tabs(this: &Window, said: u32, id: u32, visit: u32);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn show(this: &Window, words: &str, faulty: bool);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn list(this: &Window, items: &JsValue, own: Option<&JsValue>);
    #[wasm_bindgen(method, js_class = "Browser", js_name = signIn)]
    fn sign_in(this: &Window, wanted: &JsValue, node: Option<&JsValue>);
    #[wasm_bindgen(method, js_class = "Browser", js_name = checkDevices)]
    fn check_devices(this: &Window, node: Option<&JsValue>);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn speak(this: &Window, language: &JsValue);
    #[wasm_bindgen(method, js_class = "Browser", js_name = renderFailure)]
    fn render_failure(this: &Window, page: &JsValue);
    #[wasm_bindgen(method, js_class = "Browser", js_name = showFailure)]
    fn show_failure(this: &Window, html: Option<&JsValue>, retryable: bool);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn go(this: &Window, url: &str);
    /// The promise of `start`.
    #[wasm_bindgen(method, js_class = "Browser")]
    pub(crate) fn promise(this: &Window) -> JsValue;
    #[wasm_bindgen(method, js_class = "Browser")]
    fn finish(this: &Window, result: Option<&JsValue>);
    #[wasm_bindgen(method, js_class = "Browser")]
    fn fail(this: &Window, page: &JsValue, retryable: bool);
}

#[wasm_bindgen(module = "/src/network.js")]
extern "C" {
    fn address(base: Option<&JsValue>, path: &str, place: Option<&JsValue>) -> JsValue;
    fn beacon(base: Option<&JsValue>, path: &str, place: Option<&JsValue>, json: &JsValue);
}

impl Browser for Window {
    type Value = JsValue;

    fn href(&self) -> JsValue {
        self.href()
    }

    fn replace_address(&self, href: &str) {
        self.replace_address(href);
    }

    fn address(&self, url: Url<'_, JsValue>) -> JsValue {
        address(url.base, url.path, url.place)
    }

    fn host(&self, base: Option<&JsValue>) -> JsValue {
        self.host(base)
    }

    fn recall(&self, key: &str, lasting: bool) -> Option<JsValue> {
        self.recall(key, lasting).value()
    }

    fn remember(&self, key: &str, value: Option<&JsValue>, lasting: bool) {
        self.remember(key, value, lasting);
    }

    fn random(&self, uuid: bool) -> JsValue {
        self.random(uuid)
    }

    fn remark(&self, parameter: &str) {
        self.remark(parameter);
    }

    fn now(&self) -> JsValue {
        self.now()
    }

    fn post(&self, post: Post<'_, JsValue>) {
        let url = post.url;
        self.post(
            post.topic,
            url.base,
            url.path,
            url.place,
            post.header,
            post.value,
            post.body,
            post.deadline,
        );
    }

    fn beacon(&self, url: Url<'_, JsValue>, json: &JsValue) {
        beacon(url.base, url.path, url.place, json);
    }

    fn timer(&self, timer: u32, milliseconds: i32) {
        self.timer(timer, milliseconds);
    }

    fn follow(&self, url: Url<'_, JsValue>, names: &str) {
        self.follow(url.base, url.path, url.place, names);
    }

    fn unfollow(&self) {
        self.unfollow();
    }

    fn channel(&self, name: &str) -> u32 {
        self.channel(name)
    }

    fn tell_tabs(&self, said: u32, id: u32, visit: u32) {
        self.tell_tabs(said, id, visit);
    }

    fn show(&self, words: &str, faulty: bool) {
        self.show(words, faulty);
    }

    fn list(&self, items: &JsValue, own: Option<&JsValue>) {
        self.list(items, own);
    }

    fn sign_in(&self, wanted: &JsValue, node: Option<&JsValue>) {
        self.sign_in(wanted, node);
    }

    fn check_devices(&self, node: Option<&JsValue>) {
        self.check_devices(node);
    }

    fn speak(&self, language: &JsValue) {
        self.speak(language);
    }

    fn render_failure(&self, page: &JsValue) {
        self.render_failure(page);
    }

    fn show_failure(&self, html: Option<&JsValue>, retryable: bool) {
        self.show_failure(html, retryable);
    }

    fn go(&self, url: &str) {
        self.go(url);
    }

    fn finish(&self, result: Option<&JsValue>) {
        self.finish(result);
    }

    fn fail(&self, page: &JsValue, retryable: bool) {
        self.fail(page, retryable);
    }
}
