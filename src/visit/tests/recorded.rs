//! A browser that does nothing and keeps what was asked of it.

use std::{
    borrow::ToOwned,
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::Value;

use crate::browser::{Browser, Post, Url, topic};

#[derive(Default)]
pub(super) struct Recorded {
    pub(super) href: RefCell<String>,
    pub(super) calls: RefCell<Vec<String>>,
    pub(super) shown: RefCell<String>,
    pub(super) timers: RefCell<BTreeMap<u32, i32>>,
    pub(super) lasting: RefCell<BTreeMap<String, String>>,
    pub(super) tab: RefCell<BTreeMap<String, String>>,
    pub(super) without_channels: bool,
    /// The browser remembers nothing.
    pub(super) without_storage: bool,
    /// The newest request of each topic, by its address.
    newest: RefCell<BTreeMap<u32, String>>,
    /// The addresses of each `request_token` whose answer is nobody's any more.
    superseded: RefCell<Vec<String>>,
    drawn: Cell<u8>,
}

impl Recorded {
    pub(super) fn at(href: &str) -> Self {
        let browser = Self::default();
        browser.href.replace(href.into());
        browser
    }

    /// The same tab after a reload: page and timers are new, what is remembered stays.
    pub(super) fn reloaded(&self) -> Self {
        let browser = Self::at(&self.href.borrow());
        browser.lasting.replace(self.lasting.take());
        browser.tab.replace(self.tab.take());
        browser
    }

    pub(super) fn running(&self, timer: u32) -> bool {
        self.timers.borrow().contains_key(&timer)
    }

    /// Whether somebody waits for an answer of this topic; nobody does for a second one.
    pub(super) fn awaits(&self, topic: u32) -> bool {
        self.newest.borrow_mut().remove(&topic).is_some()
    }

    /// The node answers the oldest `request_token` that is nobody's any more.
    pub(super) fn answer_superseded(&self, answer: &Value) {
        let url = self.superseded.borrow_mut().remove(0);
        if let Some(token) = answer["result"]["token"].as_str() {
            let url = url.replace("request_token", "release_token?token=");
            self.call(format!("beacon {url}{token} {{}}"));
        }
    }

    /// The newest request of a topic is nobody's any more.
    fn supersede(&self, topic: u32) {
        let before = self.newest.borrow_mut().remove(&topic);
        if topic == topic::ANSWERED {
            self.superseded.borrow_mut().extend(before);
        }
    }

    fn draw(&self) -> u8 {
        self.drawn.set(self.drawn.get() + 1);
        self.drawn.get()
    }

    fn call(&self, call: String) {
        self.calls.borrow_mut().push(call);
    }

    fn storage(&self, lasting: bool) -> &RefCell<BTreeMap<String, String>> {
        if lasting { &self.lasting } else { &self.tab }
    }

    /// Everything that is remembered.
    pub(super) fn remembered(&self) -> BTreeSet<String> {
        let tab = self.tab.borrow();
        let lasting = self.lasting.borrow();
        tab.values().chain(lasting.values()).cloned().collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Browser for Recorded {
    type Value = Value;

    fn href(&self) -> Value {
        self.href.borrow().as_str().into()
    }

    fn replace_address(&self, href: &str) {
        self.href.replace(href.into());
        self.call(format!("address {href}"));
    }

    fn address(&self, url: Url<'_, Value>) -> Value {
        let place = url.place.map_or("", text);
        (url.base.map_or("", text).to_owned() + &url.path.replacen('*', place, 1)).into()
    }

    fn host(&self, base: Option<&Value>) -> Value {
        let base = base.map_or("https://page.example", text);
        base.rsplit('/').next().into()
    }

    fn recall(&self, key: &str, lasting: bool) -> Option<Value> {
        if self.without_storage {
            return None;
        }
        let text = self.storage(lasting).borrow().get(key).cloned()?;
        let object = serde_json::from_str(&text).ok();
        object.filter(Value::is_object).or(Some(text.into()))
    }

    fn remember(&self, key: &str, value: Option<&Value>, lasting: bool) {
        let mut storage = self.storage(lasting).borrow_mut();
        match value {
            Some(Value::String(text)) => storage.insert(key.into(), text.clone()),
            Some(value) => storage.insert(key.into(), value.to_string()),
            None => storage.remove(key),
        };
    }

    fn random(&self, uuid: bool) -> Value {
        if uuid {
            return "00000000-0000-4000-8000-000000000000".into();
        }
        format!("{:032x}", self.draw()).into()
    }

    fn remark(&self, parameter: &str) {
        self.call(format!("remark {parameter}"));
    }

    fn now(&self) -> Value {
        "2026-01-02T03:04:05Z".into()
    }

    fn post(&self, post: Post<'_, Value>) {
        assert!(post.deadline > 0);
        let url = self.address(post.url);
        self.supersede(post.topic);
        self.newest
            .borrow_mut()
            .insert(post.topic, text(&url).into());
        let header = match post.value {
            Some(value) => post
                .header
                .replacen('*', text(value), 1)
                .replacen(": ", "=", 1),
            None => "=".into(),
        };
        let body = post.body.map_or("-".into(), Value::to_string);
        self.call(format!("post {} {header} {body}", text(&url)));
    }

    fn beacon(&self, url: Url<'_, Value>, json: &Value) {
        self.call(format!("beacon {} {json}", text(&self.address(url))));
    }

    fn timer(&self, timer: u32, milliseconds: i32) {
        let mut timers = self.timers.borrow_mut();
        if milliseconds < 0 {
            timers.remove(&timer);
        } else {
            timers.insert(timer, milliseconds);
        }
    }

    fn follow(&self, url: Url<'_, Value>, _: &str) {
        self.call(format!("follow {}", text(&self.address(url))));
    }

    fn unfollow(&self) {
        self.supersede(topic::ANSWERED);
        self.newest
            .borrow_mut()
            .retain(|topic, _| *topic == topic::REDEEMED);
        self.call("unfollow".into());
    }

    fn channel(&self, _: &str) -> u32 {
        if self.without_channels {
            0
        } else {
            100 + u32::from(self.draw())
        }
    }

    fn tell_tabs(&self, said: u32, id: u32, visit: u32) {
        self.call(format!("tell [{said},{id},{visit}]"));
    }

    fn show(&self, words: &str, faulty: bool) {
        let shown = words.to_owned() + if faulty { "!" } else { "" };
        self.shown.replace(shown.clone());
        self.call(format!("show {shown}"));
    }

    fn list(&self, items: &Value, own: Option<&Value>) {
        let name = own.map_or("providers", |_| "participants");
        self.call(format!("list {name} {items} {}", own.map_or("-", text)));
    }

    fn sign_in(&self, wanted: &Value, node: Option<&Value>) {
        self.call(format!("sign-in {wanted} {}", node.map_or("-", text)));
    }

    fn check_devices(&self, node: Option<&Value>) {
        self.call(format!("check-devices {}", node.map_or("-", text)));
    }

    fn speak(&self, language: &Value) {
        self.call(format!("speak {}", text(language)));
    }

    fn render_failure(&self, page: &Value) {
        self.call(format!("render {page}"));
    }

    fn show_failure(&self, html: Option<&Value>, retryable: bool) {
        self.call(format!("failure {retryable}"));
        self.call(format!("error-page {}", html.map_or("-", text)));
    }

    fn go(&self, url: &str) {
        self.call(format!("go {url}"));
    }

    fn finish(&self, result: Option<&Value>) {
        let result = result.map_or("-".into(), Value::to_string);
        self.call(format!("finish {result}"));
    }

    fn fail(&self, page: &Value, retryable: bool) {
        let (code, id) = (&page["error_name"], &page["telehealth_request_id"]);
        self.call(format!("reject {} {} {retryable}", text(code), text(id)));
    }
}
