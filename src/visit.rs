//! A visit from the landing page's point of view: takes in what happens, asks the
//! handshake and then the session what it means, and shows each step on the page.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use js_sys::{Date, Function, Promise};
use vestibule_launch::{
    BrowserErrorName, ClassicLink, DisplayName, Entry, JoinLink, LaunchTicket, LinkText, Pin, Role,
    scrub,
};
use wasm_bindgen::JsValue;

use crate::{
    answer::{Answer, Session},
    conference::{Conference, Renewal, Stream, renewal_after},
    error::launch_error,
    handshake::{Action, Handshake},
    http::{Timer, settle},
    json::{self, Json},
    launch_api::{LaunchApi, Redeemed},
    mailbox::{Mailbox, Message},
    page::{Page, Screen},
    session::{Attendance, Change, Ending},
};

/// How the page wants the shim to run.
pub(crate) struct Settings {
    /// Base URL of the conferencing node; empty: the page's own origin.
    pub(crate) node: String,
    /// Base URL of the launch API; empty: the page's own origin.
    pub(crate) launch_api: String,
    /// Renders an error page (an `ErrorPage` as an object) to a promise of HTML.
    pub(crate) render_error_page: Function,
}

/// One visit, from the link to its end.
pub(crate) struct Visit {
    page: Page,
    mailbox: Mailbox,
    api: LaunchApi,
    render_error_page: Function,
    node: String,
    request_id: Option<String>,
    alias: Option<String>,
    failure: Option<Failed>,
    stage: Stage,
    /// Settle the promise of `start`; the visit is held until then.
    resolve: Function,
    reject: Function,
    held: Option<Rc<RefCell<Self>>>,
}

/// Where the visit stands.
enum Stage {
    /// The ticket is being redeemed.
    Redeeming(LaunchTicket),
    /// The handshake.
    Joining(Conference, Handshake),
    /// The session.
    Attending(Attending),
    /// Left, ended or failed for good.
    Over,
}

struct Attending {
    conference: Conference,
    attendance: Attendance,
    renewal: Renewals,
    _stream: Stream,
}

struct Failed {
    page: JsValue,
    retryable: bool,
}

impl Visit {
    /// Takes the page's join link and joins the visit that it names. The promise
    /// resolves when the visit has ended, and rejects with a `LaunchError` when the
    /// launch has failed for good and the page has said so.
    pub(crate) fn start(settings: &Settings) -> Promise {
        Promise::new(&mut |resolve, reject| {
            let visit = Rc::new_cyclic(|weak: &Weak<RefCell<Self>>| {
                let mailbox = Mailbox::new({
                    let visit = weak.clone();
                    move |message| {
                        if let Some(visit) = visit.upgrade() {
                            Self::take_in(&visit, message);
                        }
                    }
                });
                RefCell::new(Self {
                    page: Page::new(&mailbox),
                    mailbox,
                    api: LaunchApi(settings.launch_api.clone()),
                    render_error_page: settings.render_error_page.clone(),
                    node: settings.node.clone(),
                    request_id: None,
                    alias: None,
                    failure: None,
                    stage: Stage::Over,
                    resolve,
                    reject,
                    held: None,
                })
            });
            let mut inner = visit.borrow_mut();
            inner.held = Some(Rc::clone(&visit));
            inner.open();
        })
    }

    /// Takes a message in.
    fn take_in(visit: &RefCell<Self>, message: Message) {
        // A message that comes while another is taken in belongs to a screen that is
        // about to go.
        if let Ok(mut visit) = visit.try_borrow_mut() {
            visit.handle(message);
        }
    }

    fn open(&mut self) {
        let href = self.page.take_link(scrub);
        match JoinLink::parse(&href) {
            Ok(JoinLink::Classic(link)) => self.join(link),
            Ok(JoinLink::Ticket(ticket)) => self.redeem(ticket),
            Err(_) => self.fail(BrowserErrorName::JoinLinkInvalid.as_str(), false),
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Leave => self.leave(),
            Message::ErrorPage(page) => self.render_failure(page),
            Message::ErrorHtml(html) => self.show_failure(html),
            message => match &mut self.stage {
                Stage::Redeeming(_) => self.redeeming(message),
                Stage::Joining(_, handshake) => {
                    let action = joining(handshake, &self.page, &message);
                    self.act(action, Some(message));
                }
                Stage::Attending(_) => self.attending(message),
                Stage::Over => {}
            },
        }
    }

    fn redeem(&mut self, ticket: LaunchTicket) {
        self.page.show(Screen::Connecting);
        self.api
            .redeem(&ticket, &self.page.browser_key(), &self.mailbox);
        self.stage = Stage::Redeeming(ticket);
    }

    fn redeeming(&mut self, message: Message) {
        match message {
            Message::Redeemed(Redeemed::Launch(launch)) => {
                self.request_id = launch.text("telehealth_request_id");
                if let Some(node) = launch.text("node").filter(|node| !node.is_empty()) {
                    self.node = node;
                }
                match redeemed_link(&launch) {
                    Some(link) => self.join(link),
                    None => self.fail(BrowserErrorName::Internal.as_str(), false),
                }
            }
            Message::Redeemed(Redeemed::Refused(problem)) => {
                self.request_id = problem.text("telehealth_request_id");
                let name = problem.text("error_name").unwrap_or_default();
                self.fail(&name, false);
            }
            Message::Redeemed(Redeemed::Unreachable) => {
                self.fail(BrowserErrorName::LaunchApiUnavailable.as_str(), true);
            }
            Message::Retry => {
                if let Stage::Redeeming(ticket) = std::mem::replace(&mut self.stage, Stage::Over) {
                    self.redeem(ticket);
                }
            }
            _ => {}
        }
    }

    fn join(&mut self, link: ClassicLink) {
        let conference = Conference::new(&self.node, link.conference.as_str());
        self.alias = Some(link.conference.as_str().to_owned());
        let mut handshake = Handshake::new(link, self.page.node_name(&self.node));
        let action = handshake.start();
        self.stage = Stage::Joining(conference, handshake);
        self.act(action, None);
    }

    /// Does what the handshake says; `answer` is what it says it about.
    fn act(&mut self, action: Action, answer: Option<Message>) {
        let Stage::Joining(conference, handshake) = &self.stage else {
            return;
        };
        let screen = match action {
            Action::Send => {
                conference.request_token(handshake, &self.mailbox);
                Screen::Connecting
            }
            Action::AskName => Screen::Name { refused: false },
            Action::AskRole => Screen::Role,
            Action::AskPin { whose, wrong } => Screen::Pin { whose, wrong },
            Action::AskExtension { kind, wrong } => Screen::Extension { kind, wrong },
            Action::ChooseProvider | Action::SignIn | Action::Join => {
                if let Some(Message::Answered(answer)) = answer {
                    self.go_on(answer);
                }
                return;
            }
            Action::Fail(failure) => {
                return self.fail(failure.error_name.as_str(), failure.retryable);
            }
            Action::Ignore => return,
        };
        self.page.show(screen);
    }

    /// Goes on with what the node's answer holds.
    fn go_on(&mut self, answer: Answer) {
        match answer {
            Answer::ProviderWanted(providers) => self.page.show_providers(&providers),
            Answer::SignInWanted { url, provider } => {
                self.page
                    .show_sign_in(&url, &provider, &self.node, &self.mailbox);
            }
            Answer::Granted(session) => self.attend(session),
            _ => {}
        }
    }

    fn attend(&mut self, session: Session) {
        let Stage::Joining(conference, _) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return;
        };
        let attendance = Attendance::new(&session);
        conference.enter(session.token);
        self.page.show_attendance(&attendance);
        let attending = Attending {
            attendance,
            renewal: Renewals::start(&self.mailbox, session.expires),
            _stream: conference.follow(&self.mailbox),
            conference,
        };
        self.stage = Stage::Attending(attending);
    }

    fn attending(&mut self, message: Message) {
        let Stage::Attending(attending) = &mut self.stage else {
            return;
        };
        match message {
            Message::Event(event) => match attending.attendance.apply(event) {
                Change::None => {}
                Change::Shown => self.page.show_attendance(&attending.attendance),
                Change::RenewToken => attending.conference.renew(&self.mailbox),
                Change::Ended(Ending::Over) => self.end(Screen::Ended),
                Change::Ended(Ending::Failed(name)) => self.fail(name.as_str(), false),
            },
            Message::RenewalDue => attending.conference.renew(&self.mailbox),
            Message::Renewed(Renewal::Renewed(token, expires)) => {
                attending.conference.enter(token);
                attending.renewal = Renewals::start(&self.mailbox, expires);
            }
            Message::Renewed(Renewal::Unreachable) if attending.renewal.again() => {}
            Message::Renewed(_) | Message::StreamLost => {
                attending.conference.release("Session lost");
                self.fail(BrowserErrorName::SessionLost.as_str(), false);
            }
            Message::Closed => attending.conference.release("Browser closed"),
            _ => {}
        }
    }

    fn leave(&mut self) {
        if let Stage::Attending(attending) = &self.stage {
            attending.conference.release("User initiated disconnect");
        }
        self.end(Screen::Left);
    }

    fn end(&mut self, screen: Screen) {
        self.stage = Stage::Over;
        self.page.show(screen);
        self.resolve.call0(&JsValue::UNDEFINED).ok();
        self.held = None;
    }

    /// Reports what went wrong, and has it shown: by the profile's error page where
    /// it can be had, by the page's own words where not.
    fn fail(&mut self, error_name: &str, retryable: bool) {
        if !retryable {
            self.stage = Stage::Over;
        }
        let report = [
            ("error_name", Some(error_name)),
            ("telehealth_request_id", self.request_id.as_deref()),
            ("conference", self.alias.as_deref()),
        ];
        let request_id = self.request_id.clone().unwrap_or_else(Page::random_id);
        let time = Date::new_0().to_iso_string().as_string();
        let own_words = json::object(&[
            ("error_name", Some(error_name)),
            ("telehealth_request_id", Some(&request_id)),
            ("utc_time", time.as_deref()),
            ("template", Some("")),
        ]);
        self.failure = Some(Failed {
            page: own_words,
            retryable,
        });
        let mailbox = self.mailbox.clone();
        self.api
            .error_page(&report, move |page| mailbox.post(Message::ErrorPage(page)));
    }

    fn render_failure(&mut self, page: Option<JsValue>) {
        let Some(failure) = &mut self.failure else {
            return;
        };
        if let Some(page) = page {
            failure.page = page;
        }
        self.request_id = failure.page.text("telehealth_request_id");
        let html = self
            .render_error_page
            .call1(&JsValue::UNDEFINED, &failure.page);
        // A renderer that throws is a promise that rejects.
        let promise = html.map_or_else(
            |error| Promise::reject(&error),
            |html| Promise::resolve(&html),
        );
        let mailbox = self.mailbox.clone();
        settle(&promise, move |html| {
            mailbox.post(Message::ErrorHtml(
                html.ok().and_then(|html| html.as_string()),
            ));
        });
    }

    fn show_failure(&mut self, html: Option<String>) {
        let Some(failure) = self.failure.take() else {
            return;
        };
        self.page
            .show_failure(&failure.page, html, failure.retryable);
        if !failure.retryable {
            let error = launch_error(&failure.page);
            self.reject.call1(&JsValue::UNDEFINED, &error).ok();
            self.held = None;
        }
    }
}

/// What the handshake says to a message.
fn joining(handshake: &mut Handshake, page: &Page, message: &Message) -> Action {
    let action = match message {
        Message::Answered(answer) => return handshake.answered(answer),
        Message::Name(text) => {
            let name = DisplayName::parse(text).ok();
            name.map(|name| handshake.name_given(name))
        }
        Message::Pin(text) => {
            let pin = Pin::parse(text).ok();
            pin.map(|pin| handshake.pin_given(pin))
        }
        Message::Extension(text) => {
            let text = LinkText::parse(text);
            text.map(|text| handshake.extension_given(text.into()))
        }
        Message::Role(role) => return handshake.role_chosen(*role),
        Message::Provider(uuid) => return handshake.provider_chosen(uuid.clone()),
        Message::SignedIn(token) => return handshake.signed_in(token.clone()),
        Message::Retry => return handshake.retry(),
        _ => return Action::Ignore,
    };
    // What was typed cannot be used, so the handshake need not know of it.
    action.unwrap_or_else(|| {
        page.refuse();
        Action::Ignore
    })
}

fn redeemed_link(launch: &JsValue) -> Option<ClassicLink> {
    let mut link = ClassicLink::new(LinkText::parse(&launch.text("conference")?)?);
    link.display_name = DisplayName::parse(&launch.text("display_name")?).ok();
    link.entry = match launch.text("pin") {
        Some(pin) => Entry::Pin(Pin::parse(&pin).ok()?),
        None if launch.text("role").as_deref() == Some(Role::Host.as_str()) => {
            Entry::As(Role::Host)
        }
        None => Entry::As(Role::Guest),
    };
    Some(link)
}

/// When the token is to be renewed: after a third of its life, and where the
/// node cannot be reached again and again until it has expired.
struct Renewals {
    mailbox: Mailbox,
    _timer: Timer,
    /// Milliseconds until the token has expired, at the last attempt.
    left: i32,
    delay: i32,
}

impl Renewals {
    fn start(mailbox: &Mailbox, expires: u32) -> Self {
        let delay = renewal_after(expires);
        Self {
            _timer: Self::timer(mailbox, delay),
            mailbox: mailbox.clone(),
            left: delay.saturating_mul(2),
            delay: 500,
        }
    }

    /// Tries again after a pause that grows; `false` when the token has expired.
    fn again(&mut self) -> bool {
        self.delay = self.delay.saturating_mul(2).min(15_000);
        self.left = self.left.saturating_sub(self.delay);
        self._timer = Self::timer(&self.mailbox, self.delay);
        self.left > 0
    }

    fn timer(mailbox: &Mailbox, delay: i32) -> Timer {
        let mailbox = mailbox.clone();
        Timer::start(delay, move || mailbox.post(Message::RenewalDue))
    }
}
