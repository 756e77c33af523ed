//! A visit from the landing page's point of view: takes in what happens, asks the
//! handshake and then the session what it means, and has the browser show each
//! step. All that it does is calls on [`Browser`].

mod attending;
mod failing;
mod handing_over;
mod joining;
mod settings;
mod tabs;

use alloc::{boxed::Box, string::String};
use core::mem;

use vestibule_launch::{
    BrowserErrorName, ClassicLink, DisplayName, Entry, JoinLink, LaunchTicket, scrub,
};

use crate::{
    browser::{Browser, Post, Url, action, topic},
    conference::Conference,
    handshake::Handshake,
    json::Json,
    launch_api::{self, Launch, link_text},
    page::Screen,
    session::Attendance,
};

pub(crate) use settings::{HandOver, Settings};

/// Where the tab remembers how to come back, or what it came to. Neither PIN nor name is
/// kept. The browser remembers here the last launch that was not left, for the link that is
/// opened once more after its tab was closed.
const REMEMBERED: &str = "vestibule.launch";
/// Fields of what is remembered there.
const TICKET_HASH: &str = "hash";
const ENDED: &str = "ended";
const FAILED: &str = "failed";
/// Where the browser keeps the key by which the launch API knows it again.
const BROWSER_KEY: &str = "vestibule.browser";

/// The numbers of the timers.
mod timer {
    /// The token is to be renewed.
    pub(super) const RENEWAL: u32 = 1;
    /// The stream has been away for long enough to say so.
    pub(super) const AWAY: u32 = 2;
    /// The next attempt to come back.
    pub(super) const RETRY: u32 = 3;
    /// Coming back has been tried for long enough.
    pub(super) const GIVE_UP: u32 = 4;
    /// No other tab has answered.
    pub(super) const TABS: u32 = 5;
    /// The node has had its time to say how the conference stands.
    pub(super) const SETTLED: u32 = 6;
    pub(super) const ALL: [u32; 6] = [RENEWAL, AWAY, RETRY, GIVE_UP, TABS, SETTLED];
}

/// One visit, from the link to its end, and back again.
pub(crate) struct Visit<B: Browser> {
    browser: B,
    settings: Settings<B::Value>,
    /// By what the launch API knows this browser again.
    browser_key: Option<B::Value>,
    /// Base URL of the conferencing node: of the page, or the one that the launch names.
    node: Option<B::Value>,
    way: Way<B::Value>,
    /// The hash of the ticket that the launch was redeemed for.
    ticket: u32,
    /// The launch API is asked what a ticket or a launch stands for.
    redeeming: bool,
    /// The launch's `telehealth_request_id`, where it is known.
    request_id: Option<B::Value>,
    alias: String,
    display_name: Option<DisplayName>,
    /// How the user has come in, until somebody else goes on with the visit.
    entry: Entry,
    conference: Conference<B::Value>,
    stage: Stage<B::Value>,
    screen: Screen,
    /// The screen says that what was given cannot be used.
    faulty: bool,
    failure: Option<failing::Failed<B::Value>>,
    renewals: attending::Renewals,
    stream: attending::Stream,
    /// The visit was lost and is being taken up again.
    again: bool,
    /// The page was left for the page cache in the middle of the visit.
    suspended: bool,
    /// Joining was agreed to: with this tab, and after the device check.
    admitted: bool,
    /// What the launch API was told last.
    told: &'static str,
    tab: tabs::Tab,
}

/// How the visit is come into, the first time and once more.
enum Way<J> {
    /// There is none.
    None,
    /// A ticket that was not redeemed yet.
    Ticket(LaunchTicket),
    /// A launch that the launch API knows.
    Launch(Launch<J>),
    /// A link, without its PIN.
    Link(ClassicLink),
}

/// Where the visit stands.
enum Stage<J> {
    /// Not begun, left, ended or failed for good.
    Over,
    /// The other tabs are asked whether the visit is open there.
    Asking(Box<Handshake<J>>),
    /// The user is to say when to join.
    Ready(Box<Handshake<J>>),
    /// The launch API is asked.
    Redeeming,
    /// The handshake.
    Joining(Box<Handshake<J>>),
    /// The session.
    Attending(Attendance<J>),
}

impl<B: Browser> Visit<B> {
    /// A visit that has not begun.
    pub(crate) fn new(browser: B, settings: Settings<B::Value>) -> Self {
        Self {
            browser,
            browser_key: None,
            node: settings.node.clone(),
            settings,
            way: Way::None,
            ticket: 0,
            redeeming: false,
            request_id: None,
            alias: String::new(),
            display_name: None,
            entry: Entry::Ask,
            conference: Conference::NONE,
            stage: Stage::Over,
            screen: Screen::Connecting,
            faulty: false,
            failure: None,
            renewals: attending::Renewals::default(),
            stream: attending::Stream::default(),
            again: false,
            suspended: false,
            admitted: false,
            told: "",
            tab: tabs::Tab::default(),
        }
    }

    /// Takes the page's join link and joins the visit that it names; where there is none,
    /// the visit that this tab remembers.
    pub(crate) fn start(&mut self) {
        self.take_link(&self.browser.href(), true);
    }

    /// Takes in what `browser.js` tells: see [`topic`].
    pub(crate) fn receive(&mut self, topic: u32, number: u32, value: &B::Value) {
        match topic {
            topic::REDEEMED => self.redeemed(number, value),
            topic::ANSWERED => self.answered(number, value),
            topic::RENEWED => self.renewed(number, value),
            topic::ERROR_PAGE => self.render_failure(value),
            topic::ERROR_HTML => {
                self.show_failure((number == 1).then_some(value));
            }
            topic::STREAM => self.event(number, value),
            topic::STREAM_LOST => self.stream_lost(),
            topic::STREAM_RETRY => self.follow(),
            topic::CLICKED => self.clicked(number, value),
            topic::SUBMITTED => self.submitted(number, &value.as_text().unwrap_or_default()),
            topic::SIGNED_IN => self.signed_in((number == 1).then_some(value)),
            topic::CLOSED => self.closed(),
            topic::RESTORED => {
                if mem::take(&mut self.suspended) {
                    self.rejoin();
                } else if let Stage::Joining(_) = self.stage {
                    self.open_tab();
                }
            }
            topic::WOKEN => self.woken(number),
            topic::OFFLINE => self.offline(),
            topic::TAB => self.tab_told(value),
            topic::TIMER => self.timer_ended(number),
            topic::DEVICES => self.devices_checked(value),
            topic::OTHER_LINK => self.take_link(value, false),
            _ => {}
        }
    }

    /// Begins with a link: the page's, or another one that was opened in this tab. One that
    /// cannot be used is a failure, because the tab may remember somebody else's visit; but
    /// a visit that is under way goes on.
    fn take_link(&mut self, href: &B::Value, first: bool) {
        let href = href.as_text().unwrap_or_default();
        let link = JoinLink::parse_and_tell(&href, |name| self.browser.remark(name));
        if first {
            self.browser.replace_address(&scrub(&href));
            if matches!(link, Ok(None)) && !self.settings.linked && self.come_back() {
                return;
            }
        } else {
            if let Ok(None) = link {
                return;
            }
            self.browser.replace_address(&scrub(&href));
            if link.is_err() && !matches!(self.stage, Stage::Over) {
                return;
            }
            self.drop_visit();
            self.begin_anew();
        }
        match link {
            Ok(Some(JoinLink::Ticket(ticket))) => {
                self.ticket = tabs::hash(ticket.expose());
                match self.redeemed_before() {
                    Some(launch) => self.know_launch(launch),
                    None => self.way = Way::Ticket(ticket),
                }
                self.remember(false);
                self.enter();
            }
            Ok(Some(JoinLink::Classic(link))) => {
                self.know_link(&link);
                self.join(link);
                // The request has gone out: a tab's first use of its storage takes long.
                self.remember(false);
            }
            _ => self.fail(BrowserErrorName::JoinLinkInvalid.as_str(), false),
        }
    }

    /// Nothing of the visit before belongs to the next one.
    fn begin_anew(&mut self) {
        self.node = self.settings.node.clone();
        self.way = Way::None;
        self.ticket = 0;
        self.redeeming = false;
        self.request_id = None;
        self.alias.clear();
        self.display_name = None;
        self.screen = Screen::Connecting;
        self.failure = None;
        self.admitted = false;
        self.told = "";
    }

    /// The launch that the ticket was redeemed for, in this tab or in another one.
    fn redeemed_before(&self) -> Option<Launch<B::Value>> {
        [false, true].into_iter().find_map(|lasting| {
            let known = self.browser.recall(REMEMBERED, lasting)?;
            let launch = Launch::read(&known, "id", "bearer")?;
            (known.number(TICKET_HASH) == self.ticket).then_some(launch)
        })
    }

    /// Begins with what this tab remembers, after a reload; `false` where it
    /// remembers nothing.
    fn come_back(&mut self) -> bool {
        let Some(remembered) = self.browser.recall(REMEMBERED, false) else {
            return false;
        };
        if let Some(page) = remembered.get(FAILED) {
            self.show_again(page);
            return true;
        }
        if remembered.text(ENDED).is_some() {
            self.show_end();
            return true;
        }
        if let Some(launch) = Launch::read(&remembered, "id", "bearer") {
            self.ticket = remembered.number(TICKET_HASH);
            self.know_launch(launch);
        } else if let Some(ticket) = remembered
            .string("ticket")
            .and_then(|ticket| LaunchTicket::parse(&ticket).ok())
        {
            self.ticket = tabs::hash(ticket.expose());
            self.way = Way::Ticket(ticket);
        } else if let Some(alias) = link_text(&remembered, "alias") {
            let mut link = ClassicLink::new(alias);
            if let Some(role) = launch_api::role(&remembered) {
                link.entry = Entry::As(role);
            }
            link.extension = link_text(&remembered, "extension");
            link.call_tag = link_text(&remembered, "callTag");
            self.alias = String::from(link.conference.as_str());
            self.way = Way::Link(link);
        } else {
            return false;
        }
        if remembered.text("left").is_some() {
            self.show(Screen::LeftRejoin);
        } else {
            self.enter();
        }
        true
    }

    /// Keeps of a link what is needed to come in once more.
    fn know_link(&mut self, link: &ClassicLink) {
        let mut known = ClassicLink::new(link.conference.clone());
        known.extension.clone_from(&link.extension);
        known.call_tag.clone_from(&link.call_tag);
        if let Some(role) = link.role() {
            known.entry = Entry::As(role);
        }
        self.way = Way::Link(known);
    }

    fn know_launch(&mut self, launch: Launch<B::Value>) {
        self.request_id = Some(launch.id.clone());
        self.way = Way::Launch(launch);
    }

    /// Has the tab remember the way, or that it was left; and the browser a launch that was
    /// not: [`Visit::forget_launch`] is for one that was.
    fn remember(&self, left: bool) {
        let mut way = B::Value::object();
        match &self.way {
            Way::Launch(launch) => {
                way.put_value("id", &launch.id);
                way.put_value("bearer", &launch.bearer);
                way.put_number(TICKET_HASH, self.ticket);
            }
            // This browser may redeem it once more, for a minute.
            Way::Ticket(ticket) => way.put_text("ticket", ticket.expose()),
            Way::Link(link) => {
                way.put_text("alias", link.conference.as_str());
                if let Some(role) = link.role() {
                    way.put_text("role", role.as_str());
                }
                for (key, text) in [("extension", &link.extension), ("callTag", &link.call_tag)] {
                    if let Some(text) = text {
                        way.put_text(key, text.as_str());
                    }
                }
            }
            Way::None => return,
        }
        if left {
            way.put_text("left", "1");
        }
        self.browser.remember(REMEMBERED, Some(&way), false);
        if let Way::Launch(_) = self.way
            && !left
        {
            self.browser.remember(REMEMBERED, Some(&way), true);
        }
    }

    /// Has the browser forget the launch, unless it remembers one of another tab by now.
    fn forget_launch(&self) {
        if let Way::Launch(launch) = &self.way
            && let Some(known) = self.browser.recall(REMEMBERED, true)
            && known.holds("id", &launch.id)
        {
            self.browser.remember(REMEMBERED, None, true);
        }
    }

    fn clicked(&mut self, button: u32, value: &B::Value) {
        match button {
            action::LEAVE | action::CANCEL => self.leave(false),
            action::RETRY => self.retry(),
            action::REJOIN => {
                if let Screen::LeftRejoin = self.screen {
                    self.enter();
                }
            }
            action::CHECK_DEVICES => self.browser.check_devices(self.node.as_ref()),
            action::TAKE_OVER => self.take_over(),
            action::JOIN => self.ready(),
            _ => self.answered_by_click(button, value),
        }
    }

    /// The user wants out, whatever is under way. `elsewhere`: and goes on in another tab,
    /// for which the browser remembers the launch.
    fn leave(&mut self, elsewhere: bool) {
        match self.stage {
            Stage::Over if self.failure.is_none() => return,
            Stage::Attending(_) => self.tell_launch_api("left", None),
            _ => {}
        }
        self.drop_visit();
        self.remember(true);
        if !elsewhere {
            self.forget_launch();
        }
        self.show(match self.way {
            Way::None => Screen::Left,
            _ => Screen::LeftRejoin,
        });
        match self.failure.take() {
            Some(failure) => failure.reject(&self.browser),
            None => self.browser.finish(None),
        }
    }

    /// It is over, and not to be taken up again.
    fn end(&mut self) {
        self.drop_visit();
        self.forget(ENDED, &B::Value::from_text("1"));
        self.show_end();
    }

    fn show_end(&mut self) {
        self.show(Screen::Ended);
        self.browser.finish(None);
    }

    /// There is no way back: the tab remembers what it has come to.
    fn forget(&mut self, key: &str, value: &B::Value) {
        self.forget_launch();
        self.way = Way::None;
        let mut end = B::Value::object();
        end.put_value(key, value);
        self.browser.remember(REMEMBERED, Some(&end), false);
    }

    /// Gives the token back, and stops all that goes on.
    fn drop_visit(&mut self) {
        if let Stage::Attending(_) = self.stage {
            self.release("User initiated disconnect");
        }
        self.halt();
    }

    /// Stops all that goes on; the token stays.
    fn halt(&mut self) {
        self.stop();
        self.close_tab();
    }

    /// The same, but for other tabs the visit stays open in this one.
    fn stop(&mut self) {
        self.stage = Stage::Over;
        self.entry = Entry::Ask;
        self.again = false;
        self.suspended = false;
        self.browser.unfollow();
        self.stop_timers();
    }

    fn stop_timers(&self) {
        for timer in timer::ALL {
            self.browser.timer(timer, -1);
        }
    }

    /// The page is being left, perhaps for the page cache.
    fn closed(&mut self) {
        let under_way = match &self.stage {
            Stage::Attending(_) => {
                self.release("Browser closed");
                true
            }
            Stage::Joining(handshake) => handshake.requested(),
            Stage::Redeeming => true,
            Stage::Over | Stage::Asking(_) | Stage::Ready(_) => false,
        };
        if under_way && self.failure.is_none() {
            self.halt();
            self.suspended = true;
        } else {
            self.close_tab();
        }
    }

    fn timer_ended(&mut self, timer: u32) {
        match timer {
            timer::RENEWAL => self.renew(),
            timer::AWAY => self.away(),
            timer::RETRY => self.retry_joining(),
            timer::GIVE_UP => self.give_up(),
            timer::TABS => self.admit(),
            timer::SETTLED => self.settled(),
            _ => {}
        }
    }

    fn show(&mut self, screen: Screen) {
        self.show_with(screen, false);
    }

    /// Shows a screen; `faulty`: it says that what was given cannot be used.
    fn show_with(&mut self, screen: Screen, faulty: bool) {
        self.screen = screen;
        self.faulty = faulty;
        self.browser.show(screen.words(), faulty);
    }

    /// The device check is over, and the screen before it comes back.
    fn devices_checked(&mut self, result: &B::Value) {
        self.show_with(self.screen, self.faulty);
        let mut told = B::Value::object();
        let mut tried = false;
        for device in ["camera", "microphone", "speaker", "connection"] {
            if let Some(outcome) = result.text(device) {
                told.put_value(device, &outcome);
                tried |= result.which(device, "skipped") < 0;
            }
        }
        // A check that was left at once says nothing, and what an earlier one said holds.
        if tried {
            self.tell_launch_api("device_test", Some(("device_test", &told)));
        }
    }

    /// Tells the launch API how far the visit is, where it can be told; nobody waits
    /// for that. `detail` is a further field.
    fn tell_launch_api(&mut self, event: &'static str, detail: Option<(&str, &B::Value)>) {
        let Way::Launch(launch) = &self.way else {
            return;
        };
        if mem::replace(&mut self.told, event) == event && detail.is_none() {
            return;
        }
        let mut body = B::Value::object();
        body.put_text("event", event);
        body.put_value("utc_time", &self.browser.now());
        if let Some((key, value)) = detail {
            body.put_value(key, value);
        }
        self.ask_launch_api(topic::NONE, launch_api::path::EVENTS, Some(launch), &body);
    }

    /// Sends a request to the launch API, about a launch or another one.
    fn ask_launch_api(
        &self,
        topic: u32,
        path: &str,
        launch: Option<&Launch<B::Value>>,
        body: &B::Value,
    ) {
        self.browser.post(Post {
            topic,
            url: Url {
                base: self.settings.launch_api.as_ref(),
                path,
                place: launch.map(|launch| &launch.id),
            },
            header: "Authorization: Bearer *",
            value: launch.map(|launch| &launch.bearer),
            body: Some(body),
            deadline: launch_api::DEADLINE,
        });
    }

    /// The same every time, also where the browser remembers nothing.
    fn browser_key(&mut self) -> B::Value {
        let browser = &self.browser;
        let key = self.browser_key.get_or_insert_with(|| {
            browser.recall(BROWSER_KEY, true).unwrap_or_else(|| {
                let key = browser.random(false);
                browser.remember(BROWSER_KEY, Some(&key), true);
                key
            })
        });
        key.clone()
    }
}

#[cfg(test)]
mod tests;
