//! The running server: puts the parts together, serves, and ends in good order.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};
use vestibule_launch::Clock;
use vestibule_node::{Node, NodeSettings};
use vestibule_store::{Store, StoreError};

use crate::{
    access_log::RequestLog,
    admin::{AdminConfig, AdminServer},
    clock::SystemClock,
    conferencing::{
        Attendance, EmbeddedEvents, EmbeddedPolicy, PexipServer, Recorder, StoredPinAttempts,
    },
    config::{Config, ConfigError},
    database::{self, DatabasePlaceError, Place},
    http_client::{HttpClient, HttpClientError, Transport},
    in_flight::InFlight,
    jobs::{self, Hangups},
    landing_page::{LandingPage, LandingPageError},
    launch_rules::LaunchRules,
    plain,
    profile::{ProfileSet, Registry, RegistryError},
    random::{self, Random},
    readiness::Readiness,
    retention::Days,
    routes,
    sealing::{self, Sealer, StateKeyError},
    security_headers::Policies,
    serving::{CertificateError, Drain, Listener, Settings, Tls},
    state::AppState,
    telemetry::{Gauges, MetricsListenError, MetricsServer, Telemetry, TracedTransport},
    tools::Tools,
};

/// How long launches under way may take to finish when the server ends.
const FINISH: Duration = Duration::from_secs(15);

/// How long connections may stay open after that.
const CLOSE: Duration = Duration::from_secs(1);

/// How long what the node told last may take to be recorded.
const RECORD: Duration = Duration::from_secs(5);

/// A server that has its address but does not answer yet.
pub struct Server {
    state: AppState,
    registry: Arc<Registry>,
    admin: Option<AdminServer>,
    pexip: Option<PexipServer>,
    metrics: Option<MetricsServer>,
    listener: Listener,
    tls: Option<Arc<Tls>>,
    drain: Drain,
    router: axum::Router,
    node: Node,
    events: EmbeddedEvents,
    recorder: Recorder,
    store: Arc<dyn Store>,
    in_flight: InFlight,
    /// How long the audit log is kept, where that is said.
    audit_kept: Option<Duration>,
    hangups: Hangups,
    /// Requests that begin to come in, where launches and Pexip do.
    coming: InFlight,
}

/// Why the server does not start or run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The configuration file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The profiles cannot be used.
    #[error(transparent)]
    Profiles(#[from] RegistryError),
    /// The sealing key cannot be used.
    #[error(transparent)]
    Key(#[from] StateKeyError),
    /// It cannot be told where the database is.
    #[error(transparent)]
    Database(#[from] DatabasePlaceError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no landing page.
    #[error(transparent)]
    LandingPage(#[from] LandingPageError),
    /// The data folder cannot be made.
    #[error("data: {path}: {source}; check the path and its permissions", path = path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The admin API's address cannot be listened on.
    #[error("admin.listen: {address}: {source}; choose another address or end what uses this one")]
    AdminListen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address for Pexip cannot be listened on.
    #[error("pexip.listen: {address}: {source}; choose another address or end what uses this one")]
    PexipListen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Metrics cannot be told.
    #[error(transparent)]
    Metrics(#[from] MetricsListenError),
    /// The address cannot be listened on.
    #[error("listen: {address}: {source}; choose another address or end what uses this one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The HTTP client cannot be made.
    #[error(transparent)]
    HttpClient(#[from] HttpClientError),
    /// A listener has ended by itself.
    #[error("serving ended: {0}")]
    Serve(tokio::task::JoinError),
    /// The server's own certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl Server {
    /// Puts the server together and takes its address, with the machine's clock.
    ///
    /// # Errors
    /// [`ServerError`], with what to do.
    pub async fn bind(config: &Config) -> Result<Self, ServerError> {
        Self::bind_with_clock(config, Arc::new(SystemClock)).await
    }

    /// The same with a clock of the caller's.
    ///
    /// # Errors
    /// [`ServerError`], with what to do.
    pub async fn bind_with_clock(
        config: &Config,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        let landing_page = LandingPage::of(config)?;
        let tls = match &config.tls {
            Some(tls) => Some(Arc::new(Tls::open(tls, clock.now())?)),
            None => None,
        };
        let coming = InFlight::default();
        let telemetry = Arc::<Telemetry>::default();
        let settings = |listener, tls: Option<&Arc<Tls>>| Settings {
            limits: config.connections,
            tls: tls.cloned(),
            trusted_proxies: config.trusted_proxies.clone(),
            under_way: coming.clone(),
            counts: telemetry.connections(listener),
        };
        make_data_folder(config)?;
        let mut rng = random::system();
        let key = sealing::state_key(config, sealing::environment().as_ref(), &mut *rng)?;
        let place = Place::of(config, database::environment().as_ref())?;
        let store = place.open().await?;
        let tools = Tools {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            random: Arc::new(Random::new(rng)),
            transport: transport(config)?,
            sealer: Arc::new(Sealer::new(&key)),
            routing: Arc::new(config.routing_rules.clone()),
            metadata: Arc::default(),
            repeats: Arc::default(),
            turned_away: Default::default(),
            telemetry: Arc::clone(&telemetry),
        };
        // What is changed after the folder was read is not missed.
        let hangups = Hangups::new();
        let registry = Arc::new(Registry::open(&config.profiles, tools.clone()).await?);
        let profiles = registry.profiles();
        let attendance = Attendance::new(tools.clone(), Arc::clone(&profiles));
        let (events, recorder) = EmbeddedEvents::new(attendance.clone(), tools.now());
        let node = Node::new(
            NodeSettings::default(),
            Arc::new(EmbeddedPolicy::new(tools.clone())),
            Arc::new(StoredPinAttempts::new(tools.clone())),
            Arc::new(events.clone()),
            clock,
            random::system(),
        );
        let state = AppState {
            tools,
            profiles,
            launch_rules: Arc::new(LaunchRules::new(config)),
        };
        let in_flight = InFlight::default();
        let policies = Policies::new(&config.frame_ancestors)
            .with_landing_page(&landing_page, &config.frame_ancestors);
        let mut conferencing = node.router();
        let routes = routes::pexip(
            &state.tools,
            attendance,
            &config.pexip,
            &config.trusted_proxies,
            &in_flight,
        );
        let pexip = match config.pexip.listen {
            Some(address) => {
                let tls = tls.as_ref().filter(|tls| tls.is_for_pexip());
                Some(pexip(address, settings("pexip", tls), routes, &state.tools).await?)
            }
            None => {
                conferencing = conferencing.merge(routes);
                None
            }
        };
        if plain::lacks_node(&config.landing_page, &config.pexip) {
            tracing::warn!(
                "visits in plain HTML are sent on to another browser: with Pexip Infinity, \
                 landing_page.node must say where its conferencing node is"
            );
        }
        let router = routes::router(
            &state,
            conferencing,
            &landing_page,
            &config.pexip,
            policies,
            &in_flight,
        );
        let drain = Drain::new();
        let store_of_launches = Arc::clone(&state.tools.store);
        let folder = matches!(place, Place::File(_)).then(|| config.data.clone());
        let readiness = Readiness::new(store_of_launches, folder, drain.draining());
        let readiness = Arc::new(readiness);
        let log = |listener| RequestLog::new(listener, &state.tools);
        let router = router.merge(routes::readiness(&readiness, log("launches")));

        let refused = |source| ServerError::Listen {
            address: config.listen,
            source,
        };
        let listener = Listener::bind(config.listen, settings("launches", tls.as_ref()));
        let listener = listener.await.map_err(refused)?;
        // Nobody waits for what is asked of the admin API and of metrics.
        let apart = |settings| Settings {
            under_way: InFlight::default(),
            ..settings
        };
        let for_admin = Tools {
            store: place.for_administrators(&state.tools.store),
            ..state.tools.clone()
        };
        let kept = config.retention.days;
        let admin = match &config.admin {
            Some(config) => {
                let tls = tls.as_ref().filter(|tls| tls.is_for_admin());
                let settings = apart(settings("admin", tls));
                Some(admin(config, settings, &registry, &for_admin, kept).await?)
            }
            None => None,
        };
        let open = routes::readiness(&readiness, log("admin"));
        let open = open.merge(routes::health(log("admin")));
        let admin = admin.map(|admin| admin.with_open_routes(open));
        let metrics = match &config.metrics {
            Some(config) => {
                let settings = apart(settings("metrics", None));
                let gauges = Gauges {
                    profiles: Arc::clone(&state.profiles),
                    in_flight: in_flight.clone(),
                    readiness: Arc::clone(&readiness),
                    tls: tls.clone(),
                };
                Some(MetricsServer::bind(config, settings, &state.tools, gauges).await?)
            }
            None => None,
        };
        Ok(Self {
            state,
            registry,
            admin,
            pexip,
            metrics,
            listener,
            tls,
            drain,
            router,
            node,
            events,
            recorder,
            store,
            in_flight,
            audit_kept: config.admin.as_ref().map(AdminConfig::audit_kept),
            hangups,
            coming,
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Where the server is reached: scheme, address and port.
    pub fn url(&self) -> String {
        format!("{}://{}", self.listener.scheme(), self.address())
    }

    /// Where the admin API is reached, if it is served.
    pub fn admin_url(&self) -> Option<String> {
        self.admin.as_ref().map(AdminServer::url)
    }

    /// Where the admin API listens, if it does.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(AdminServer::address)
    }

    /// Where Pexip comes in, if not where browsers do.
    pub fn pexip_address(&self) -> Option<SocketAddr> {
        self.pexip.as_ref().map(PexipServer::address)
    }

    /// The routes for browsers, and those of the admin API, for what describes them.
    pub fn routers(&self) -> (&axum::Router, Option<&axum::Router>) {
        let admin = self.admin.as_ref().map(AdminServer::router);
        (&self.router, admin)
    }

    /// The routes of the listener for metrics, if there is one.
    pub fn metrics_router(&self) -> Option<&axum::Router> {
        self.metrics.as_ref().map(MetricsServer::router)
    }

    /// Where metrics are told, if they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(MetricsServer::address)
    }

    /// The profiles with which the server starts.
    pub fn profiles(&self) -> Arc<ProfileSet> {
        self.state.profiles.now()
    }

    /// Serves until `end`, then lets launches under way finish, tells everybody in a
    /// conference, and closes the store. The admin API answers to the last, so that it
    /// can be asked how the end goes.
    ///
    /// # Errors
    /// Where a listener ends before it was told to.
    pub async fn run(
        self,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServerError> {
        let Self {
            registry,
            admin,
            pexip,
            metrics,
            listener,
            tls,
            drain,
            router,
            node,
            events,
            recorder,
            state,
            store,
            in_flight,
            audit_kept,
            hangups,
            coming,
        } = self;
        tokio::spawn(recorder.run());
        let mut serving = JoinSet::new();
        serving.spawn(listener.serve(router, drain.draining()));
        if let Some(pexip) = pexip {
            serving.spawn(pexip.run(drain.draining()));
        }
        let last = Drain::new();
        if let Some(admin) = admin {
            serving.spawn(admin.run(last.draining()));
        }
        if let Some(metrics) = metrics {
            serving.spawn(metrics.run(last.draining()));
        }
        let watching = async {
            match &tls {
                Some(tls) => tls.watch(&*state.tools.clock).await,
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            () = end => Ok(()),
            () = node.run() => Ok(()),
            () = jobs::run(&state, &registry, &in_flight, audit_kept, hangups) => Ok(()),
            () = watching => Ok(()),
            Some(ended) = serving.join_next() => ended.map_err(ServerError::Serve),
        };
        drain.begin();
        let under_way = [&coming, &in_flight];
        let end = Instant::now() + FINISH;
        finish(under_way, end).await;
        node.shut_down();
        last.begin();
        while !closed(&mut serving).await {
            if under_way.iter().all(|count| count.now() == 0) || Instant::now() >= end {
                tracing::info!("connections that did not end by themselves are cut off");
                break;
            }
            // Whoever was connected has asked only now.
            finish(under_way, end).await;
        }
        events.recorded(RECORD).await;
        if tokio::time::timeout(RECORD, store.close()).await.is_err() {
            tracing::warn!("the database does not let go; its connections are cut off");
        }
        ended
    }
}

/// The way to EHRs.
fn transport(config: &Config) -> Result<Arc<dyn Transport>, HttpClientError> {
    let client = Arc::new(HttpClient::trusting(
        config.trusted_certificates.as_deref(),
    )?);
    if config.traces.as_ref().is_some_and(|traces| traces.tell_ehr) {
        return Ok(Arc::new(TracedTransport::new(client)));
    }
    Ok(client)
}

async fn admin(
    config: &AdminConfig,
    settings: Settings,
    registry: &Arc<Registry>,
    tools: &Tools,
    launches_kept: Days,
) -> Result<AdminServer, ServerError> {
    let registry = Arc::clone(registry);
    let bound = AdminServer::bind(config, settings, registry, tools, launches_kept).await;
    bound.map_err(|source| ServerError::AdminListen {
        address: config.listen,
        source,
    })
}

async fn pexip(
    address: SocketAddr,
    settings: Settings,
    routes: axum::Router,
    tools: &Tools,
) -> Result<PexipServer, ServerError> {
    let bound = PexipServer::bind(address, settings, routes, tools).await;
    bound.map_err(|source| ServerError::PexipListen { address, source })
}

/// Lets what is under way finish until `end`.
async fn finish(under_way: [&InFlight; 2], end: Instant) {
    let finished = async {
        for count in under_way {
            count.none().await;
        }
    };
    if tokio::time::timeout_at(end, finished).await.is_err() {
        tracing::warn!("launches under way are cut off");
    }
}

/// Whether every connection has ended.
async fn closed(serving: &mut JoinSet<()>) -> bool {
    let closed = async { while serving.join_next().await.is_some() {} };
    tokio::time::timeout(CLOSE, closed).await.is_ok()
}

pub(crate) fn make_data_folder(config: &Config) -> Result<(), ServerError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data)
        .map_err(|source| ServerError::Data {
            path: config.data.clone(),
            source,
        })
}
