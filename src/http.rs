//! Posting JSON with a deadline. Without futures: the shim has nothing to wait for
//! in the middle of a function, and their machinery would be a tenth of it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{AbortController, RequestInit, Response};

use crate::window::window;

/// A POST request.
pub(crate) struct Request {
    url: String,
    headers: Object,
    body: Option<String>,
}

/// An answer: its status, and its body where that is JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Null: the body is no JSON.
    pub(crate) json: JsValue,
}

impl Request {
    /// A request to `url`.
    pub(crate) fn post(url: String) -> Self {
        Self {
            url,
            headers: Object::new(),
            body: None,
        }
    }

    /// With a header.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Reflect::set(&self.headers, &name.into(), &value.into()).ok();
        self
    }

    /// With a body of JSON text.
    pub(crate) fn json(mut self, text: String) -> Self {
        self.body = Some(text);
        self.header("Content-Type", "application/json")
    }

    /// Sends it and calls `done` with the answer. `None`: there was none within
    /// `deadline` milliseconds.
    pub(crate) fn send(self, deadline: i32, done: impl FnOnce(Option<Answer>) + 'static) {
        let options = RequestInit::new();
        options.set_method("POST");
        options.set_headers(&self.headers);
        if let Some(body) = &self.body {
            options.set_body(&body.into());
        }
        let timer = AbortController::new().ok().map(|controller| {
            options.set_signal(Some(&controller.signal()));
            Timer::start(deadline, move || controller.abort())
        });
        let call = Rc::new(Call {
            done: RefCell::new(Some(Box::new(done))),
            _timer: timer,
        });
        let promise = window().fetch_with_str_and_init(&self.url, &options);
        settle(&promise, move |response| match response {
            Ok(response) => call.received(response.unchecked_ref()),
            Err(_) => call.end(None),
        });
    }
}

type Done<T> = RefCell<Option<Box<dyn FnOnce(T)>>>;

/// A request under way.
struct Call {
    done: Done<Option<Answer>>,
    _timer: Option<Timer>,
}

impl Call {
    fn received(self: Rc<Self>, response: &Response) {
        let status = response.status();
        match response.json() {
            Ok(promise) => settle(&promise, move |json| {
                // Where the body could not be read the status still says something.
                let json = json.unwrap_or(JsValue::NULL);
                self.end(Some(Answer { status, json }));
            }),
            Err(_) => self.end(None),
        }
    }

    fn end(&self, answer: Option<Answer>) {
        if let Some(done) = self.done.take() {
            done(answer);
        }
    }
}

/// Calls `done` with what becomes of the promise.
pub(crate) fn settle(promise: &Promise, done: impl FnOnce(Result<JsValue, JsValue>) + 'static) {
    let done: Rc<Done<_>> = Rc::new(RefCell::new(Some(Box::new(done))));
    let settled = |wrap: fn(JsValue) -> Result<JsValue, JsValue>| {
        let done = Rc::clone(&done);
        Closure::once(move |value: JsValue| {
            if let Some(done) = done.take() {
                done(wrap(value));
            }
        })
    };
    let (fulfilled, rejected) = (settled(Ok), settled(Err));
    let _ = promise.then2(&fulfilled, &rejected);
    // Only one of the two is ever called, and frees itself; the other is left to
    // the garbage collector.
    fulfilled.into_js_value();
    rejected.into_js_value();
}

/// A timer that is stopped when it is dropped.
pub(crate) struct Timer {
    handle: i32,
    done: Rc<Cell<bool>>,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls `callback` once, after `milliseconds`.
    pub(crate) fn start(milliseconds: i32, callback: impl FnOnce() + 'static) -> Self {
        let done = Rc::new(Cell::new(false));
        let mut callback: Option<Box<dyn FnOnce()>> = Some(Box::new(callback));
        let closure = Closure::<dyn FnMut()>::new({
            let done = Rc::clone(&done);
            move || {
                done.set(true);
                if let Some(callback) = callback.take() {
                    callback();
                }
            }
        });
        let handle = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                closure.as_ref().unchecked_ref(),
                milliseconds,
            )
            .unwrap_or_default();
        Self {
            handle,
            done,
            _callback: closure,
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if !self.done.get() {
            window().clear_timeout_with_handle(self.handle);
        }
    }
}
