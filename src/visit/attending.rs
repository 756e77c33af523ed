//! The session: the token is renewed, the node's events are followed, and a visit
//! that was lost is taken up again.

use core::mem;

use vestibule_launch::BrowserErrorName;

use super::{Stage, Visit, timer};
use crate::{
    answer::Session,
    browser::{Browser, Post, topic},
    conference::{self, renewal_after, renewed},
    json::Json,
    page::Screen,
    session::{Attendance, Change, EVENTS, Ending},
};

/// How long a stream may be away before that is said, in milliseconds.
const AWAY: i32 = 2_000;
/// How long the node may take to say how the conference stands, or who is there, in
/// milliseconds.
const SETTLING: i32 = 3_000;
/// How long a lost visit is tried to be taken up again, in milliseconds.
const GIVE_UP: i32 = 120_000;
/// A page that was hidden for so long, in milliseconds, may have slept.
const ASLEEP: u32 = 15_000;
/// Between two attempts in a row, in milliseconds.
const SHORTEST_PAUSE: i32 = 500;
const LONGEST_PAUSE: i32 = 15_000;

/// How long the token lives, and the pauses between attempts that fail.
#[derive(Default)]
pub(super) struct Renewals {
    /// Milliseconds until the token has expired, at the last attempt.
    left: i32,
    pause: i32,
    /// The lifetime of the token, in seconds.
    pub(super) expires: u32,
}

impl Renewals {
    /// The pause before the next attempt: longer each time.
    pub(super) fn pause(&mut self) -> i32 {
        self.pause = (self.pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        self.left = self.left.saturating_sub(self.pause);
        self.pause
    }
}

/// Whether the node is heard.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Stream {
    /// Yes, as far as is known.
    #[default]
    Heard,
    /// The stream has just broken.
    Broken,
    /// For so long that it is said, or the browser is offline.
    Away,
}

impl<B: Browser> Visit<B> {
    pub(super) fn attend(&mut self, session: Session<B::Value>) {
        self.stage = Stage::Attending(Attendance::new(&session));
        self.stream = Stream::Heard;
        self.renew_after(session.token, session.expires);
        self.browser.timer(timer::SETTLED, SETTLING);
        self.show_attendance();
        self.follow();
    }

    fn renew_after(&mut self, token: B::Value, expires: u32) {
        self.conference.token = Some(token);
        let delay = renewal_after(expires);
        self.renewals = Renewals {
            left: delay.saturating_mul(2),
            pause: 0,
            expires,
        };
        self.browser.timer(timer::RENEWAL, delay);
    }

    /// Opens the stream with the current token: the one before may have expired.
    pub(super) fn follow(&self) {
        if let Stage::Attending(_) = self.stage {
            let url = self.conference.url(conference::path::EVENTS);
            self.browser.follow(url, EVENTS);
        }
    }

    /// Gives the token back, for this reason. Where that does not arrive the node
    /// notices by itself, when the token expires.
    pub(super) fn release(&mut self, reason: &str) {
        let mut body = B::Value::object();
        body.put_text("reason", reason);
        let url = self.conference.url(conference::path::RELEASE);
        self.browser.beacon(url, &body);
        self.conference.token = None;
    }

    pub(super) fn renew(&self) {
        if let Stage::Attending(_) = self.stage {
            self.browser.post(Post {
                topic: topic::RENEWED,
                url: self.conference.url(conference::path::REFRESH),
                header: "token: *",
                value: self.conference.token.as_ref(),
                body: None,
                deadline: conference::DEADLINE,
            });
        }
    }

    /// The node has answered `refresh_token`.
    pub(super) fn renewed(&mut self, status: u32, answer: &B::Value) {
        let Stage::Attending(_) = self.stage else {
            return;
        };
        let renewed = renewed(answer).filter(|_| status == 200);
        if let Some((token, expires)) = renewed {
            self.renew_after(token, expires);
            if self.stream != Stream::Heard {
                self.follow();
            }
            return;
        }
        let pause = self.renewals.pause();
        if matches!(status, 401 | 403 | 404) || self.renewals.left <= 0 {
            self.rejoin();
        } else {
            self.browser.timer(timer::RENEWAL, pause);
        }
    }

    /// The stream has brought an event.
    pub(super) fn event(&mut self, name: u32, data: &B::Value) {
        let Stage::Attending(attendance) = &mut self.stage else {
            return;
        };
        let was = mem::take(&mut self.stream);
        if was == Stream::Broken {
            self.browser.timer(timer::AWAY, -1);
        }
        let change = attendance.apply(name, data);
        if change == Change::Syncing {
            self.browser.timer(timer::SETTLED, SETTLING);
        }
        match change {
            Change::None | Change::Syncing if was != Stream::Away => {}
            Change::None | Change::Syncing => self.show_attendance(),
            Change::Shown => self.show_attendance(),
            Change::RenewToken => self.renew(),
            Change::Ended(Ending::Over) => self.end(),
            Change::Ended(Ending::Failed(BrowserErrorName::SessionLost)) => self.rejoin(),
            Change::Ended(Ending::Failed(name)) => self.fail(name.as_str(), false),
        }
    }

    /// The node has had its time.
    pub(super) fn settled(&mut self) {
        if let Stage::Attending(attendance) = &mut self.stage
            && attendance.settle()
        {
            self.show_attendance();
        }
    }

    /// Shows where the participant stands: waiting, or joined with whom. Before that is
    /// known, what is shown stays.
    fn show_attendance(&mut self) {
        let Stage::Attending(attendance) = &self.stage else {
            return;
        };
        let screen = match self.stream {
            Stream::Away => Screen::Reconnecting,
            Stream::Heard | Stream::Broken => attendance.screen().unwrap_or(self.screen),
        };
        if self.settings.hand_over.is_for(screen) {
            return self.hand_over();
        }
        let participants = attendance.participants();
        let own = attendance.own_uuid.clone();
        // Coming and going of others must not move the focus.
        let changed = self.screen != screen;
        if changed {
            self.show(screen);
        }
        if let Some(participants) = participants {
            self.browser.list(&participants, Some(&own));
        }
        match screen {
            _ if !changed => {}
            Screen::JoinedHost | Screen::JoinedGuest => self.tell_launch_api("joined", None),
            Screen::Waiting | Screen::LetIn => self.tell_launch_api("waiting", None),
            _ => {}
        }
    }

    pub(super) fn stream_lost(&mut self) {
        if matches!(self.stage, Stage::Attending(_)) && self.stream == Stream::Heard {
            self.stream = Stream::Broken;
            self.browser.timer(timer::AWAY, AWAY);
        }
    }

    /// The stream has not come back, or cannot.
    pub(super) fn away(&mut self) {
        if matches!(self.stage, Stage::Attending(_)) && self.stream != Stream::Away {
            self.stream = Stream::Away;
            self.show_attendance();
            // Whether the token still lives is best known at once.
            self.renew();
        }
    }

    pub(super) fn offline(&mut self) {
        self.away();
    }

    /// Online again, or visible after having been hidden for so many milliseconds: the
    /// stream may have died unseen.
    pub(super) fn woken(&mut self, hidden: u32) {
        if let Stage::Attending(_) = self.stage {
            if self.stream == Stream::Heard {
                if hidden < ASLEEP {
                    return;
                }
                self.stream_lost();
            }
            self.renew();
        } else if self.again {
            self.retry_joining();
        }
    }

    /// The token is dead: comes in once more, for two minutes at most.
    pub(super) fn rejoin(&mut self) {
        self.halt();
        self.again = true;
        self.renewals = Renewals::default();
        self.browser.timer(timer::GIVE_UP, GIVE_UP);
        self.enter();
    }

    /// Coming back has failed.
    pub(super) fn give_up(&mut self) {
        self.halt();
        self.fail(BrowserErrorName::SessionLost.as_str(), true);
    }
}
