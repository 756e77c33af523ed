//! A failed launch: reported, shown, and tried again where that can help.

use super::{FAILED, Stage, Visit};
use crate::{
    browser::{Browser, topic},
    json::Json,
    launch_api::{self, is_error_page},
    page::Screen,
};

/// What has failed.
pub(super) struct Failed<J> {
    /// An `ErrorPage`.
    page: J,
    retryable: bool,
}

impl<J: Json> Failed<J> {
    /// Rejects the promise of `start`.
    pub(super) fn reject(&self, browser: &impl Browser<Value = J>) {
        browser.fail(&self.page, self.retryable);
    }
}

impl<B: Browser> Visit<B> {
    /// Reports what went wrong, and has it shown: by the profile's error page where
    /// it can be had, by the page's own words where not.
    pub(super) fn fail(&mut self, error_name: &str, retryable: bool) {
        let error_name = B::Value::from_text(error_name);
        let mut page = B::Value::object();
        let mut report = B::Value::object();
        page.put_value(ERROR_NAME, &error_name);
        report.put_value(ERROR_NAME, &error_name);
        if !self.alias.is_empty() {
            report.put_text("conference", &self.alias);
        }
        match &self.request_id {
            Some(id) => {
                page.put_value(REQUEST_ID, id);
                report.put_value(REQUEST_ID, id);
            }
            // For a failure that the server cannot be told of.
            None => page.put_value(REQUEST_ID, &self.browser.random(true)),
        }
        page.put_value("utc_time", &self.browser.now());
        page.put_text("template", "");
        self.tell_launch_api("failed", Some((ERROR_NAME, &error_name)));
        self.stop_timers();
        if !retryable {
            self.drop_visit();
            self.forget(FAILED, &page);
        }
        self.failure = Some(Failed { page, retryable });
        self.ask_launch_api(topic::ERROR_PAGE, launch_api::path::ERROR, None, &report);
    }

    /// The launch API has said what the error page is to show, or has not.
    pub(super) fn render_failure(&mut self, answer: &B::Value) {
        let Some(failure) = &mut self.failure else {
            return;
        };
        if is_error_page(answer) {
            failure.page = answer.clone();
        }
        let page = failure.page.clone();
        self.request_id = page.text(REQUEST_ID);
        self.browser.render_failure(&page);
        if !failure.retryable {
            self.forget(FAILED, &page);
        }
    }

    /// Shows a failure for good once more, after a reload. It was reported then.
    pub(super) fn show_again(&mut self, page: B::Value) {
        self.browser.render_failure(&page);
        self.failure = Some(Failed {
            page,
            retryable: false,
        });
    }

    /// The error page is rendered; `None` where that failed.
    pub(super) fn show_failure(&mut self, html: Option<&B::Value>) {
        let Some(failure) = &self.failure else {
            return;
        };
        if self.screen == Screen::Failed {
            return;
        }
        self.browser.show_failure(html, failure.retryable);
        if !failure.retryable {
            failure.reject(&self.browser);
            self.failure = None;
        }
        self.show(Screen::Failed);
    }

    /// The user wants to try again.
    pub(super) fn retry(&mut self) {
        if self.screen != Screen::Failed || self.failure.take().is_none() {
            return;
        }
        match self.stage {
            Stage::Redeeming | Stage::Joining(_) => self.retry_joining(),
            _ => self.rejoin(),
        }
    }
}

/// Fields of an `ErrorPage`.
const ERROR_NAME: &str = "error_name";
const REQUEST_ID: &str = "telehealth_request_id";
