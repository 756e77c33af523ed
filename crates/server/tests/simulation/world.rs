//! A world that goes by a seed: servers that die and come back, a store and an EHR that
//! fail, people and conferencing nodes that go on regardless. Which of all that waits
//! happens next, how it goes, and when time passes, is drawn from the seed and from
//! nothing else.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use axum::{Router, body::Body, http};
use rand::{RngExt as _, rngs::ChaCha20Rng};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use vestibule_launch::Clock as _;
use vestibule_sandbox::{Config as SandboxConfig, Controls};
use vestibule_server::{conferencing::RoutingRules, http_client::TransportError};
use vestibule_store::WriteBacks as _;

use crate::{
    browser::{self, EHR, seeded},
    clock::TestClock,
    conferencing::Conferences,
    gate::{Asked, Asker, Fate, Gate, Planted, Queue, Waiting},
    outside::Outside,
    people,
    record::Record,
    server::{House, Server, go_on, page, paused_runtime},
    setting,
};

/// How many servers there are on the one store.
const SERVERS: RangeInclusive<usize> = 2..=3;

const NODES: usize = 2;

/// Most steps until everybody was in their visits. A world that takes longer does not
/// come to rest.
const MOST_STEPS: u32 = 60_000;

/// Steps with faults; afterwards the world heals.
const STEPS_WITH_FAULTS: u32 = 700;

/// Most time, in moves of [`REST`], until the EHR has been told everything.
const MOST_RESTS: u32 = 240;
const REST: Duration = Duration::from_secs(20);

/// Longest that the store or the EHR is down, in steps.
const LONGEST_OUTAGE: u32 = 60;

/// Longest that time moves at once.
const LONGEST_JUMP: Duration = Duration::from_secs(20 * 60);

/// Least that a jump leaves of the life of the EHR's tokens. With tokens that end before
/// they are renewed the EHR is not told any more, as it has to be.
const TO_RENEW: Duration = Duration::from_secs(5 * 60);

/// Longest step of time, in milliseconds, while something waits, and while nothing does.
const LONGEST_STEP: u64 = 5_000;
const LONGEST_QUIET_STEP: u64 = 10_000;

/// What an EHR in trouble answers.
const TROUBLES: [u16; 4] = [500, 502, 503, 504];

/// What makes a world.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    /// Of a hundred things that are asked for, how many go wrong.
    pub(crate) faults: u32,
    pub(crate) planted: Option<Planted>,
}

/// What is down for a while.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Down {
    Store,
    Ehr,
}

pub(crate) struct World<'a> {
    setup: Setup,
    rng: ChaCha20Rng,
    clock: Arc<TestClock>,
    house: &'a House,
    /// Store and EHR work here, at once and whole.
    pub(crate) outside: &'a Outside,
    servers: Vec<Option<Server>>,
    lives: Vec<u32>,
    /// Where people and conferencing nodes live.
    town: Runtime,
    people: Vec<tokio::task::JoinHandle<()>>,
    pub(crate) ehr: Controls,
    ehr_router: Router,
    queue: Queue,
    pub(crate) record: Record,
    conferences: Conferences,
    /// Answers that never come, kept so that nobody hears that they do not.
    unanswered: Vec<crate::gate::EhrAnswer>,
    healed: bool,
    /// What is down, and until which step.
    outage: Option<(Down, u32)>,
    steps: u32,
}

impl<'a> World<'a> {
    pub(crate) fn new(house: &'a House, outside: &'a Outside, setup: Setup) -> Self {
        let mut rng = seeded(setup.seed);
        let clock = Arc::new(TestClock::new());
        let config = SandboxConfig::parse(&setting::sandbox()).unwrap();
        let randomness = Box::new(seeded(rng.random()));
        let (ehr_router, ehr) = vestibule_sandbox::router(
            config,
            EHR.to_owned(),
            clock.clone(),
            randomness,
            house.ehr.clone(),
        );
        outside.empty_the_store();
        let (queue, record) = (Queue::default(), Record::default());
        let town = paused_runtime();
        let conferences = Conferences::new(NODES, &queue, &record, &clock);
        for node in 0..NODES {
            town.spawn(conferences.clone().run(node));
        }
        let mut people = Vec::new();
        for (person, visits) in people::drawn(&mut rng) {
            people.push(town.spawn(browser::take_part(
                person,
                visits,
                seeded(rng.random()),
                queue.clone(),
                record.clone(),
                conferences.clone(),
            )));
        }
        let servers = rng.random_range(SERVERS);
        let mut world = Self {
            setup,
            rng,
            clock,
            house,
            outside,
            servers: (0..servers).map(|_| None).collect(),
            lives: vec![0; servers],
            town,
            people,
            ehr,
            ehr_router,
            queue,
            record,
            conferences,
            unanswered: Vec::new(),
            healed: false,
            outage: None,
            steps: 0,
        };
        for server in 0..servers {
            world.start(server);
        }
        world
    }

    /// Lets the world run until everybody was in their visits and the EHR was told.
    pub(crate) fn run(&mut self) {
        while !self.people.iter().all(tokio::task::JoinHandle::is_finished)
            || !self.conferences.is_quiet()
        {
            if self.steps >= STEPS_WITH_FAULTS {
                self.heal();
            }
            if self.steps >= MOST_STEPS {
                self.record.violation("the world does not come to rest");
                return;
            }
            self.step();
            let has_told = || self.record.with(|record| !record.story.is_empty());
            if self.setup.planted == Some(Planted::Panic) && has_told() {
                panic!("planted");
            }
        }
        self.heal();
        for _ in 0..MOST_RESTS {
            self.let_everything_happen();
            if self.everything_is_told() {
                return;
            }
            self.advance(REST);
        }
        self.record.violation("the EHR is not told everything");
    }

    pub(crate) fn routing(&self) -> &RoutingRules {
        self.house.routing()
    }

    fn heal(&mut self) {
        self.healed = true;
        self.outage = None;
        for server in 0..self.servers.len() {
            self.start(server);
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        let draw = self.rng.random_range(0..1000);
        let server = self.rng.random_range(0..self.servers.len());
        let waiting = self.queue.len();
        let faults = !self.healed && self.setup.faults > 0;
        match draw {
            0..4 if faults => self.kill(server),
            965..969 if faults => self.begin_outage(),
            969..972 if faults => self.jump(),
            4..20 => self.start(server),
            20..965 if waiting > 0 => {
                let place = self.rng.random_range(0..waiting);
                let next = self.queue.take(place);
                self.happen(next);
            }
            _ => {
                let longest = match waiting {
                    0 => LONGEST_QUIET_STEP,
                    _ => LONGEST_STEP,
                };
                let milliseconds = self.rng.random_range(1..longest);
                self.advance(Duration::from_millis(milliseconds));
                self.go_on();
            }
        }
    }

    /// Everything stands still for a while but the time.
    fn jump(&mut self) {
        let longest = LONGEST_JUMP.as_secs();
        let drawn = Duration::from_secs(self.rng.random_range(longest / 20..longest));
        let left = match self.outside.first_token_ends() {
            Some(end) => end.since(self.clock.now()).saturating_sub(TO_RENEW),
            None => drawn,
        };
        let by = drawn.min(left);
        if by.is_zero() {
            return;
        }
        self.record.drawn("time jumps");
        self.record.tell(format!("{} s pass at once", by.as_secs()));
        self.advance(by);
        self.go_on();
    }

    fn let_everything_happen(&mut self) {
        loop {
            self.go_on();
            if self.queue.len() == 0 {
                return;
            }
            while self.queue.len() > 0 {
                let next = self.queue.take(0);
                self.happen(next);
            }
        }
    }

    /// Nothing that the EHR is to be told waits, and nothing more will come: a visit's
    /// end is told a moment after it.
    fn everything_is_told(&self) -> bool {
        let unsent = self
            .outside
            .block_on(self.outside.store.unsent_write_backs());
        unsent.unwrap().count == 0
    }

    fn go_on(&self) {
        for server in self.servers.iter().flatten() {
            server.go_on();
        }
        go_on(&self.town);
    }

    fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        for server in self.servers.iter().flatten() {
            server.advance(by);
        }
        self.town.block_on(tokio::time::advance(by));
    }

    fn start(&mut self, number: usize) {
        if self.servers[number].is_some() {
            return;
        }
        self.lives[number] += 1;
        let asker = Asker::Server(number, self.lives[number]);
        let seed = self.rng.random();
        let mut gate = Gate::new(asker, &self.queue);
        gate.planted = self.setup.planted;
        self.servers[number] = Some(self.house.start(gate, &self.clock, seed));
        self.record.tell(format!("server {number} starts"));
    }

    /// As `kill -9` does it. What the server had sent to the store or to the EHR may have
    /// arrived, and may not.
    fn kill(&mut self, number: usize) {
        let Some(server) = self.servers[number].take() else {
            return;
        };
        self.record.drawn("server is killed");
        self.record.tell(format!("server {number} is killed"));
        let asker = server.asker;
        drop(server);
        for waiting in self.queue.take_of(asker) {
            if self.rng.random_bool(0.5) {
                self.perform(waiting, Fate::AnswerLost);
            }
        }
    }

    fn begin_outage(&mut self) {
        let (down, name) = match self.rng.random_bool(0.5) {
            true => (Down::Store, "store is down"),
            false => (Down::Ehr, "EHR is down"),
        };
        let steps = self.rng.random_range(1..=LONGEST_OUTAGE);
        self.outage = Some((down, self.steps + steps));
        self.record.drawn(name);
        self.record.tell(format!("the {name} for {steps} steps"));
    }

    fn is_down(&self, asked: &Asked) -> bool {
        let down = match asked {
            Asked::Store(..) => Down::Store,
            Asked::Ehr(..) => Down::Ehr,
            Asked::EhrPage(..) | Asked::Server(..) => return false,
        };
        self.outage
            .is_some_and(|(what, until)| what == down && self.steps < until)
    }

    fn fate(&mut self, asked: &Asked) -> Fate {
        let faults = if self.healed { 0 } else { self.setup.faults };
        if self.is_down(asked) {
            return Fate::Fails;
        }
        match self.rng.random_range(0..200) {
            draw if draw < faults => Fate::Fails,
            draw if draw < 2 * faults => Fate::AnswerLost,
            _ => Fate::Works,
        }
    }

    fn happen(&mut self, waiting: Waiting) {
        let fate = self.fate(&waiting.asked);
        self.perform(waiting, fate);
    }

    /// Does what was asked for, and lets whoever asked, and whoever was asked, go on.
    fn perform(&mut self, waiting: Waiting, fate: Fate) {
        let asker = waiting.asker;
        self.answer(waiting, fate);
        let asker = self.servers.iter().flatten().find(|it| it.asker == asker);
        if let Some(server) = asker {
            server.go_on();
        }
        go_on(&self.town);
    }

    fn answer(&mut self, waiting: Waiting, fate: Fate) {
        let asker = waiting.asker;
        self.digest(&waiting, fate);
        match waiting.asked {
            Asked::Store(name, call) => {
                match fate {
                    Fate::Works => {}
                    Fate::Fails => self.record.drawn("store fails"),
                    Fate::AnswerLost => self.record.drawn("store's answer is lost"),
                }
                if fate != Fate::Works {
                    self.record.tell(format!("{asker:?} {name}: {fate:?}"));
                }
                self.outside
                    .block_on(call(self.outside.store.clone(), fate));
            }
            Asked::Ehr(request, answer) => {
                if fate != Fate::Works {
                    let path = request.uri().path();
                    self.record.tell(format!("{asker:?} {path}: {fate:?}"));
                }
                let does_work = fate != Fate::Fails;
                let worked = does_work.then(|| self.ask_the_ehr(request));
                if let Some(answered) = &worked {
                    self.record.digest(answered.status().as_str());
                    self.record.digest_headers(answered.headers());
                    self.record.digest(answered.body());
                }
                let unreachable = || TransportError::Unreachable("refused".to_owned());
                let broken_off = || TransportError::BrokenOff("reset".to_owned());
                let answered = match (worked, self.rng.random_range(0..3)) {
                    (Some(answered), _) if fate == Fate::Works => Ok(answered),
                    (Some(_), 0) | (None, 0) => {
                        self.record.drawn("EHR does not answer");
                        self.unanswered.push(answer);
                        return;
                    }
                    (Some(_), _) => {
                        self.record.drawn("EHR's answer is lost");
                        Err(broken_off())
                    }
                    (None, 1) => {
                        self.record.drawn("EHR answers 5xx");
                        let trouble = TROUBLES[self.rng.random_range(0..TROUBLES.len())];
                        Ok(in_trouble(trouble))
                    }
                    (None, _) => {
                        self.record.drawn("EHR is not reached");
                        Err(unreachable())
                    }
                };
                drop(answer.send(answered));
            }
            Asked::EhrPage(request, answer) => {
                let router = self.ehr_router.clone();
                let page = self
                    .outside
                    .block_on(async { page(router.oneshot(request).await.unwrap()).await });
                self.record.digest_page(&page);
                drop(answer.send(page));
            }
            Asked::Server(request, answer) => {
                match fate {
                    Fate::Works => {}
                    Fate::Fails => self.record.drawn("request is lost"),
                    Fate::AnswerLost => self.record.drawn("server's answer is lost"),
                }
                let alive: Vec<_> = self.servers.iter().flatten().collect();
                if alive.is_empty() || fate == Fate::Fails {
                    return;
                }
                let server = alive[self.rng.random_range(0..alive.len())];
                let answer = (fate == Fate::Works).then_some(answer);
                server.take(request, answer, &self.record);
                server.go_on();
            }
        }
    }

    /// What is asked for, by whom and when, and how it goes.
    fn digest(&self, waiting: &Waiting, fate: Fate) {
        let now = self.clock.now().as_millis();
        let mut line = format!("{now} {:?} {fate:?} ", waiting.asker);
        let (request, body) = match &waiting.asked {
            Asked::Store(name, _) => {
                line.push_str(name);
                return self.record.digest(line);
            }
            Asked::Ehr(request, _) => (parts(request), request.body().as_slice()),
            Asked::EhrPage(request, _) | Asked::Server(request, _) => {
                (parts(request), &[] as &[u8])
            }
        };
        let (head, headers) = request;
        line.push_str(&head);
        self.record.digest(line);
        self.record.digest_headers(headers);
        self.record.digest(body);
    }

    fn ask_the_ehr(&self, request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let router = self.ehr_router.clone();
        self.outside.block_on(async {
            let response = router.oneshot(request.map(Body::from)).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            http::Response::from_parts(parts, body.to_vec())
        })
    }
}

fn parts<T>(request: &http::Request<T>) -> (String, &http::HeaderMap) {
    let head = format!("{} {}", request.method(), request.uri());
    (head, request.headers())
}

fn in_trouble(status: u16) -> http::Response<Vec<u8>> {
    let response = http::Response::builder().status(status);
    response.body(Vec::new()).unwrap()
}
