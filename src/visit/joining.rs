//! From the link to the token: redeeming, and the handshake.

use alloc::{boxed::Box, string::String};
use core::mem;

use vestibule_launch::{
    BrowserErrorName, ClassicLink, DisplayName, Entry, LinkText, Pin, Role, client_api::PIN_NONE,
};

use super::{Stage, Visit, Way, timer};
use crate::{
    answer::{Answer, Session},
    browser::{Browser, Post, action, topic},
    conference::{self, Conference},
    handshake::{Action, Handshake, PinHeader},
    json::Json,
    launch_api::{self, Launch, redeemed_link},
    page::Screen,
};

impl<B: Browser> Visit<B> {
    /// Comes in by the way that is known, the first time or once more.
    pub(super) fn enter(&mut self) {
        let key = self.browser_key();
        let mut body = B::Value::object();
        let (path, launch) = match &self.way {
            Way::None => return self.give_up(),
            Way::Ticket(ticket) => {
                body.put_text("ticket", ticket.expose());
                (launch_api::path::REDEEM, None)
            }
            Way::Launch(launch) => (launch_api::path::RESUME, Some(launch)),
            Way::Link(link) => {
                let mut link = link.clone();
                link.display_name.clone_from(&self.display_name);
                return self.join(link);
            }
        };
        body.put_value("browser", &key);
        self.ask_launch_api(topic::REDEEMED, path, launch, &body);
        self.redeeming = true;
        self.stage = Stage::Redeeming;
        self.show_connecting();
    }

    fn show_connecting(&mut self) {
        self.show(if self.again {
            Screen::Reconnecting
        } else {
            Screen::Connecting
        });
    }

    /// The launch API has answered. What a ticket stands for is kept even where nobody waits
    /// for it any more: there is no second time.
    pub(super) fn redeemed(&mut self, status: u32, answer: &B::Value) {
        if !mem::take(&mut self.redeeming) {
            return;
        }
        let awaited = matches!(self.stage, Stage::Redeeming);
        let link = redeemed_link(answer).filter(|_| status == 200);
        if let Some(link) = link {
            self.request_id = answer.text("telehealth_request_id");
            if let Some(node) = answer.text("node") {
                self.node = Some(node);
            }
            if let Some(language) = answer.text("language") {
                self.browser.speak(&language);
            }
            match Launch::read(answer, "telehealth_request_id", "token") {
                Some(launch) => self.know_launch(launch),
                None => self.know_link(&link),
            }
            self.remember(!awaited && !self.suspended);
            if awaited {
                self.join(link);
            }
            return;
        }
        if !awaited {
            return;
        }
        match (status, answer.string("error_name")) {
            (400..500, Some(name)) => {
                if let Some(id) = answer.text("telehealth_request_id") {
                    self.request_id = Some(id);
                }
                if status == 429 {
                    self.unreachable(&name);
                } else {
                    self.fail(&name, false);
                }
            }
            (200, _) if answer.get("conference").is_some() => {
                self.fail(BrowserErrorName::Internal.as_str(), false);
            }
            _ => self.unreachable(BrowserErrorName::LaunchApiUnavailable.as_str()),
        }
    }

    /// Goes into the conference that a link names.
    pub(super) fn join(&mut self, link: ClassicLink) {
        self.alias = String::from(link.conference.as_str());
        let node = self.node.as_ref();
        self.conference = Conference::new(&self.browser, node, &self.alias);
        let handshake = Box::new(Handshake::new(link, &self.browser.host(node)));
        if self.admitted {
            self.begin(handshake);
        } else if self.ask_tabs() {
            self.stage = Stage::Asking(handshake);
            self.show_connecting();
        } else {
            self.admit_with(handshake);
        }
    }

    /// No other tab is in the way.
    pub(super) fn admit(&mut self) {
        match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Asking(handshake) => self.admit_with(handshake),
            stage => self.stage = stage,
        }
    }

    fn admit_with(&mut self, handshake: Box<Handshake<B::Value>>) {
        if self.settings.ready_first {
            self.stage = Stage::Ready(handshake);
            self.show(Screen::Ready);
        } else {
            self.begin(handshake);
        }
    }

    /// The user is ready to join.
    pub(super) fn ready(&mut self) {
        match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Ready(handshake) => self.begin(handshake),
            stage => self.stage = stage,
        }
    }

    fn begin(&mut self, mut handshake: Box<Handshake<B::Value>>) {
        self.admitted = true;
        let action = handshake.start();
        self.stage = Stage::Joining(handshake);
        self.act(action, None);
        if !self.again {
            self.tell_launch_api("connecting", None);
        }
        self.open_tab();
    }

    /// The node has answered `request_token`.
    pub(super) fn answered(&mut self, status: u32, answer: &B::Value) {
        if let Stage::Joining(handshake) = &mut self.stage {
            let action = handshake.answered(Answer::read(status, answer));
            self.act(action, Some(answer));
        }
    }

    /// A button that answers a question of the handshake.
    pub(super) fn answered_by_click(&mut self, button: u32, value: &B::Value) {
        let Stage::Joining(handshake) = &mut self.stage else {
            return;
        };
        let action = match button {
            action::HOST => handshake.role_chosen(Role::Host),
            action::GUEST => handshake.role_chosen(Role::Guest),
            action::BACK => handshake.back(),
            action::PROVIDER => handshake.provider_chosen(value),
            _ => return,
        };
        self.act(action, None);
    }

    /// A form was sent.
    pub(super) fn submitted(&mut self, form: u32, text: &str) {
        let Stage::Joining(handshake) = &mut self.stage else {
            return;
        };
        let action = match form {
            0 => DisplayName::parse(text)
                .ok()
                .map(|name| handshake.name_given(name)),
            1 => Pin::parse(text).ok().map(|pin| handshake.pin_given(pin)),
            _ => LinkText::parse(text).map(|text| handshake.extension_given(&text)),
        };
        match action {
            Some(action) => self.act(action, None),
            // What was typed cannot be used, so the handshake need not know of it.
            None => self.show_with(self.screen, true),
        }
    }

    /// The sign-in has ended, with a token or without.
    pub(super) fn signed_in(&mut self, token: Option<&B::Value>) {
        let Stage::Joining(handshake) = &mut self.stage else {
            return;
        };
        match token {
            Some(token) => {
                let action = handshake.signed_in(token);
                self.act(action, None);
            }
            None if matches!(self.screen, Screen::SignIn | Screen::SignInChosen) => {
                let action = handshake.back();
                self.act(action, None);
                self.show_with(self.screen, true);
            }
            None => {}
        }
    }

    /// Does what the handshake says; `answer` is what it says it about.
    fn act(&mut self, action: Action, answer: Option<&B::Value>) {
        let Stage::Joining(handshake) = &self.stage else {
            return;
        };
        let (screen, faulty) = match action {
            Action::Send => {
                self.request_token(handshake);
                return self.show_connecting();
            }
            Action::Ignore => return,
            Action::Join => {
                if let Some(session) = answer.and_then(Session::read) {
                    self.granted(session);
                }
                return;
            }
            Action::Fail(failure) if failure.retryable => {
                return self.unreachable(failure.error_name.as_str());
            }
            Action::Fail(failure) => return self.fail(failure.error_name.as_str(), false),
            Action::AskName => (Screen::Name, false),
            Action::AskRole => (Screen::Role, false),
            Action::AskPin { whose, wrong } => {
                (Screen::pin(whose, handshake.has_way_back()), wrong)
            }
            Action::AskExtension { kind, wrong } => (Screen::extension(kind), wrong),
            Action::ChooseProvider => (Screen::Provider, false),
            Action::SignIn if handshake.has_way_back() => (Screen::SignInChosen, false),
            Action::SignIn => (Screen::SignIn, false),
        };
        // From here on it is the user who decides how long it takes.
        self.again = false;
        self.browser.timer(timer::GIVE_UP, -1);
        self.show_with(screen, faulty);
        let Some(result) = answer.and_then(|answer| answer.get("result")) else {
            return;
        };
        if let (Action::ChooseProvider, Some(providers)) = (action, result.get("idp")) {
            self.browser.list(&providers, None);
        }
        if let Action::SignIn = action {
            self.browser.sign_in(&result, self.node.as_ref());
        }
    }

    fn request_token(&self, handshake: &Handshake<B::Value>) {
        let pin = match handshake.pin() {
            PinHeader::Absent => None,
            PinHeader::None => Some(PIN_NONE),
            PinHeader::Pin(pin) => Some(pin.expose()),
        };
        self.browser.post(Post {
            topic: topic::ANSWERED,
            url: self.conference.url(conference::path::REQUEST),
            header: "pin: *",
            value: pin.map(B::Value::from_text).as_ref(),
            body: Some(handshake.body()),
            deadline: conference::TOKEN_DEADLINE,
        });
    }

    fn granted(&mut self, session: Session<B::Value>) {
        let Stage::Joining(handshake) = mem::replace(&mut self.stage, Stage::Over) else {
            return;
        };
        let (name, entry) = handshake.into_entry();
        self.display_name = name;
        self.again = false;
        self.browser.timer(timer::GIVE_UP, -1);
        if let Way::Link(link) = &mut self.way {
            // Whoever comes in once more is not asked who they are.
            link.entry = Entry::As(session.role);
            self.remember(false);
        }
        self.keep_entry(entry);
        self.attend(session);
    }

    /// What was asked for could not be had now.
    fn unreachable(&mut self, error_name: &str) {
        if self.again {
            let pause = self.renewals.pause();
            self.browser.timer(timer::RETRY, pause);
        } else {
            self.fail(error_name, true);
        }
    }

    /// The request that could not be answered is sent again.
    pub(super) fn retry_joining(&mut self) {
        match &mut self.stage {
            Stage::Redeeming => self.enter(),
            Stage::Joining(handshake) => {
                let action = handshake.retry();
                self.act(action, None);
            }
            _ => {}
        }
    }
}
