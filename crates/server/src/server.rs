//! The running server: puts the parts together, serves, and ends in good order.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch};
use vestibule_launch::Clock;
use vestibule_node::{Node, NodeSettings};
use vestibule_store::{SqliteStore, StoreError};

use crate::{
    admin::AdminServer,
    clock::SystemClock,
    conferencing::{Attendance, EmbeddedEvents, EmbeddedPolicy, PexipServer, Recorder},
    config::{Config, ConfigError},
    http_client::{HttpClient, HttpClientError},
    in_flight::InFlight,
    jobs,
    landing_page::{LandingPage, LandingPageError},
    launch_rules::LaunchRules,
    plain,
    profile::{ProfileSet, Registry, RegistryError},
    random::{self, Random},
    routes,
    sealing::{self, Sealer, StateKeyError},
    security_headers::Policies,
    state::AppState,
    tools::Tools,
};

/// The database, in the data folder.
pub(crate) const DATABASE: &str = "vestibule.db";

/// How long launches under way may take to finish when the server ends.
const FINISH: Duration = Duration::from_secs(15);

/// How long connections may stay open after that; event streams do not end otherwise.
const CLOSE: Duration = Duration::from_secs(1);

/// How long what the node told last may take to be recorded.
const RECORD: Duration = Duration::from_secs(5);

/// A server that has its address but does not answer yet.
pub struct Server {
    state: AppState,
    registry: Arc<Registry>,
    admin: Option<AdminServer>,
    pexip: Option<PexipServer>,
    listener: TcpListener,
    address: SocketAddr,
    router: axum::Router,
    node: Node,
    events: EmbeddedEvents,
    recorder: Recorder,
    store: SqliteStore,
    in_flight: InFlight,
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
    /// Serving ended with an error.
    #[error("serving ended: {0}")]
    Serve(std::io::Error),
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
        let landing_page = LandingPage::read(&config.www, &config.landing_page)?;
        make_data_folder(config)?;
        let mut rng = random::system();
        let key = sealing::state_key(config, sealing::environment().as_ref(), &mut *rng)?;
        let store = SqliteStore::open(&config.data.join(DATABASE)).await?;
        let tools = Tools {
            store: Arc::new(store.clone()),
            clock: Arc::clone(&clock),
            random: Arc::new(Random::new(rng)),
            transport: Arc::new(HttpClient::trusting(
                config.trusted_certificates.as_deref(),
            )?),
            sealer: Arc::new(Sealer::new(&key)),
            routing: Arc::new(config.routing_rules.clone()),
            metadata: Arc::default(),
            repeats: Arc::default(),
        };
        let registry = Arc::new(Registry::open(&config.profiles, tools.clone()).await?);
        let profiles = registry.profiles();
        let attendance = Attendance::new(tools.clone(), Arc::clone(&profiles));
        let (events, recorder) = EmbeddedEvents::new(attendance.clone(), tools.now());
        let node = Node::new(
            NodeSettings::default(),
            Arc::new(EmbeddedPolicy::new(tools.clone())),
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
        let routes = routes::pexip(&state.tools, attendance, &config.pexip, &in_flight);
        let pexip = match config.pexip.listen {
            Some(address) => Some(pexip(address, routes).await?),
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

        let refused = |source| ServerError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let admin = admin(config, &registry, &state.tools).await?;
        Ok(Self {
            state,
            registry,
            admin,
            pexip,
            listener,
            address,
            router,
            node,
            events,
            recorder,
            store,
            in_flight,
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin API listens, if it does.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(AdminServer::address)
    }

    /// Where Pexip comes in, if not where browsers do.
    pub fn pexip_address(&self) -> Option<SocketAddr> {
        self.pexip.as_ref().map(PexipServer::address)
    }

    /// The profiles with which the server starts.
    pub fn profiles(&self) -> Arc<ProfileSet> {
        self.state.profiles.now()
    }

    /// Serves until `end`, then lets launches under way finish, tells everybody in a
    /// conference, and closes the store.
    ///
    /// # Errors
    /// Where the listener fails.
    pub async fn run(
        self,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServerError> {
        let Self {
            registry,
            admin,
            pexip,
            listener,
            router,
            node,
            events,
            recorder,
            state,
            store,
            in_flight,
            ..
        } = self;
        tokio::spawn(recorder.run());
        let (ending, mut accept_no_more) = watch::channel(false);
        let mut administering = tokio::task::JoinSet::new();
        if let Some(admin) = admin {
            let mut accept_no_more = accept_no_more.clone();
            administering.spawn(admin.run(async move {
                let _ = accept_no_more.wait_for(|ending| *ending).await;
            }));
        }
        if let Some(pexip) = pexip {
            let mut accept_no_more = accept_no_more.clone();
            administering.spawn(pexip.run(async move {
                let _ = accept_no_more.wait_for(|ending| *ending).await;
            }));
        }
        let serving = axum::serve(
            listener,
            router.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(async move {
            // An error means that the sender is gone: the end as well.
            let _ = accept_no_more.wait_for(|ending| *ending).await;
        });
        let ends = async {
            tokio::select! {
                () = end => {}
                () = node.run() => {}
                () = jobs::run(&state, &registry, &in_flight) => {}
            }
            ending.send_replace(true);
            finish(&in_flight).await;
            node.shut_down();
            tokio::time::sleep(CLOSE).await;
        };
        let served = tokio::select! {
            served = serving => {
                // Every connection is closed; a launch may go on without its browser's.
                finish(&in_flight).await;
                served.map_err(ServerError::Serve)
            }
            () = ends => Ok(()),
        };
        // Also where every connection was closed before anybody was told.
        node.shut_down();
        ending.send_replace(true);
        let administered = administering.join_all();
        if tokio::time::timeout(CLOSE, administered).await.is_err() {
            tracing::info!("connections of administrators and of Pexip are cut off");
        }
        events.recorded(RECORD).await;
        store.close().await;
        served
    }
}

async fn admin(
    config: &Config,
    registry: &Arc<Registry>,
    tools: &Tools,
) -> Result<Option<AdminServer>, ServerError> {
    let Some(admin) = &config.admin else {
        return Ok(None);
    };
    AdminServer::bind(admin, &config.trusted_proxies, Arc::clone(registry), tools)
        .await
        .map(Some)
        .map_err(|source| ServerError::AdminListen {
            address: admin.listen,
            source,
        })
}

async fn pexip(address: SocketAddr, routes: axum::Router) -> Result<PexipServer, ServerError> {
    let bound = PexipServer::bind(address, routes).await;
    bound.map_err(|source| ServerError::PexipListen { address, source })
}

async fn finish(in_flight: &InFlight) {
    if tokio::time::timeout(FINISH, in_flight.none())
        .await
        .is_err()
    {
        tracing::warn!("launches under way are cut off");
    }
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
