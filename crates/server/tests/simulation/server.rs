//! One life of a server: its router and its jobs on a runtime of its own, whose time
//! moves only when the schedule says so. Killing it is dropping it.

use std::{
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, http};
use rand::{SeedableRng as _, rngs::ChaCha20Rng};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;
use vestibule_server::{
    conferencing::{Attendance, RoutingRules},
    config::Config,
    in_flight::InFlight,
    jobs,
    landing_page::LandingPage,
    launch_rules::LaunchRules,
    profile::{Profiles, Registry},
    random::Random,
    routes,
    sealing::Sealer,
    security_headers::Policies,
    state::AppState,
    tools::Tools,
};
use vestibule_store::SqliteStore;
use zeroize::Zeroizing;

use crate::{
    clock::TestClock,
    gate::{Asker, Gate, Page, PageAnswer, Queue},
    record::Record,
    setting,
};

/// How often everything that is ready may run on. What is not done by then goes on the
/// next time: a schedule like any other.
const TURNS: u32 = 3;

/// The one house of all tests.
pub(crate) static HOUSE: LazyLock<House> = LazyLock::new(House::open);

/// What all servers have in common, in all their lives and in every world: what is read
/// once and does not change.
pub(crate) struct House {
    config: Config,
    landing_page: LandingPage,
    profiles: Arc<Profiles>,
    sealer: Arc<Sealer>,
    pub(crate) ehr: vestibule_sandbox::IdTokenKey,
}

pub(crate) struct Server {
    pub(crate) asker: Asker,
    runtime: Runtime,
    router: Router,
    /// Who waits for an answer, in the order of their requests.
    asked: Mutex<Vec<Asked>>,
}

/// Who asked, until the answer is there.
type Asked = Arc<Mutex<Option<PageAnswer>>>;

impl House {
    /// Writes configuration and profiles, and reads them.
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        setting::write(folder.path());
        let config = Config::read(&folder.path().join("vestibule.toml")).unwrap();
        let sealer = Arc::new(Sealer::new(&Zeroizing::new([7; 32])));
        let landing_page = LandingPage::of(&config).unwrap();
        let rng = ChaCha20Rng::seed_from_u64(0);
        let gate = Gate::new(Asker::Outside, &Queue::default());
        let clock = Arc::new(TestClock::new());
        let outside = Builder::new_current_thread().enable_all().build().unwrap();
        let registry = outside.block_on(async {
            let tools = Tools {
                store: Arc::new(SqliteStore::in_memory().await.unwrap()),
                transport: Arc::new(gate),
                ..tools(&config, &sealer, &clock, rng)
            };
            Registry::open(&config.profiles, tools).await.unwrap()
        });
        Self {
            profiles: registry.profiles(),
            config,
            landing_page,
            sealer,
            ehr: vestibule_sandbox::IdTokenKey::default(),
        }
    }

    pub(crate) fn routing(&self) -> &RoutingRules {
        &self.config.routing_rules
    }

    /// Begins another life of a server.
    pub(crate) fn start(&self, gate: Gate, clock: &Arc<TestClock>, seed: u64) -> Server {
        let runtime = paused_runtime();
        let asker = gate.asker;
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let (config, landing_page) = (&self.config, &self.landing_page);
        let tools = Tools {
            store: Arc::new(gate.clone()),
            transport: Arc::new(gate),
            ..tools(config, &self.sealer, clock, rng)
        };
        let state = AppState {
            tools,
            profiles: Arc::clone(&self.profiles),
            launch_rules: Arc::new(LaunchRules::new(config)),
        };
        let in_flight = InFlight::default();
        let attendance = Attendance::new(state.tools.clone(), Arc::clone(&state.profiles));
        let pexip = routes::pexip(
            &state.tools,
            attendance,
            &config.pexip,
            &config.trusted_proxies,
            &in_flight,
        );
        let policies = Policies::new(&config.frame_ancestors)
            .with_landing_page(landing_page, &config.frame_ancestors);
        let router = routes::router(
            &state,
            pexip,
            landing_page,
            &config.pexip,
            policies,
            &in_flight,
        );
        runtime.spawn(async move { jobs::of_launches(&state, &in_flight).await });
        Server {
            asker,
            runtime,
            router,
            asked: Mutex::default(),
        }
    }
}

impl Server {
    /// Begins to answer a request. Nobody hears the answer where `answer` is none.
    pub(crate) fn take(
        &self,
        request: http::Request<Body>,
        answer: Option<PageAnswer>,
        record: &Record,
    ) {
        let (router, record) = (self.router.clone(), record.clone());
        let answer = Arc::new(Mutex::new(answer));
        self.asked.lock().unwrap().push(Arc::clone(&answer));
        self.runtime.spawn(async move {
            let response = router.oneshot(request).await.unwrap();
            let page = page(response).await;
            record.digest_page(&page);
            if let Some(answer) = answer.lock().unwrap().take() {
                drop(answer.send(page));
            }
        });
    }

    /// Lets everything go on that can.
    pub(crate) fn go_on(&self) {
        go_on(&self.runtime);
    }

    /// Moves its time.
    pub(crate) fn advance(&self, by: Duration) {
        self.runtime.block_on(tokio::time::advance(by));
    }
}

impl Drop for Server {
    /// Whoever waits hears of the end in the order of the requests: the runtime ends its
    /// tasks in an order of its own, which no seed tells.
    fn drop(&mut self) {
        for asked in self.asked.lock().unwrap().drain(..) {
            drop(asked.lock().unwrap().take());
        }
    }
}

pub(crate) async fn page(response: http::Response<Body>) -> Page {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Page {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// A runtime on which nothing happens but what the schedule lets happen.
pub(crate) fn paused_runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}

pub(crate) fn go_on(runtime: &Runtime) {
    runtime.block_on(async {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    });
}

fn tools(config: &Config, sealer: &Arc<Sealer>, clock: &Arc<TestClock>, rng: ChaCha20Rng) -> Tools {
    let gate = Arc::new(Gate::new(Asker::Outside, &Queue::default()));
    Tools {
        store: gate.clone(),
        clock: clock.clone(),
        random: Arc::new(Random::new(Box::new(rng))),
        transport: gate,
        sealer: Arc::clone(sealer),
        routing: Arc::new(config.routing_rules.clone()),
        metadata: Arc::default(),
        repeats: Arc::default(),
        turned_away: Default::default(),
        telemetry: Arc::default(),
    }
}
