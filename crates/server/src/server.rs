//! The running server: puts the parts together, serves, and ends in good order.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch};
use vestibule_launch::{Clock, crypto::KeyCheckValue};
use vestibule_node::{Node, NodeSettings};
use vestibule_store::{SqliteStore, StoreError};

use crate::{
    clock::SystemClock,
    conferencing::{EventLog, StorePolicy},
    config::{Config, ConfigError},
    http_client::HttpClient,
    in_flight::InFlight,
    profile::{Profile, ProfileError},
    random::{self, Random},
    routes,
    sealing::{self, KeyFileError, Sealer},
    security_headers::Policies,
    state::AppState,
    tools::Tools,
};

/// How long launches under way may take to finish when the server ends.
const FINISH: Duration = Duration::from_secs(15);

/// How long connections may stay open after that; event streams do not end otherwise.
const CLOSE: Duration = Duration::from_secs(1);

/// How often is forgotten what is of no use any more.
const PURGE_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How long launches are kept, for the help desk to find them.
const KEEP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A server that has its address but does not answer yet.
pub struct Server {
    profile: Arc<Profile>,
    listener: TcpListener,
    address: SocketAddr,
    router: axum::Router,
    node: Node,
    tools: Tools,
    store: SqliteStore,
    in_flight: InFlight,
}

/// Why the server does not start or run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The configuration file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The sealing key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of the landing page is none.
    #[error("www: {path} is not a folder with an index.html; build the landing page first", path = .0.display())]
    Www(PathBuf),
    /// The data folder cannot be made.
    #[error("data: {path}: {source}; check the path and its permissions", path = path.display())]
    Data {
        /// The folder.
        path: PathBuf,
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
    #[error("the HTTP client: {0}; check the machine's certificates")]
    HttpClient(#[from] reqwest::Error),
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
        let profile = Arc::new(Profile::read(&config.profile)?);
        if !config.www.join("index.html").is_file() {
            return Err(ServerError::Www(config.www.clone()));
        }
        make_data_folder(config)?;
        let mut rng = random::system();
        let key = sealing::read_or_create(&config.data.join("state.key"), &mut *rng)?;
        let store = SqliteStore::open(&config.data.join("vestibule.db")).await?;
        let tools = Tools {
            store: Arc::new(store.clone()),
            clock: Arc::clone(&clock),
            random: Arc::new(Random::new(rng)),
            transport: Arc::new(HttpClient::new()?),
            sealer: Arc::new(Sealer::new(&key)),
        };
        let node = Node::new(
            NodeSettings::default(),
            Arc::new(StorePolicy::new(tools.clone())),
            Arc::new(EventLog),
            clock,
            random::system(),
        );
        let state = AppState {
            tools: tools.clone(),
            profile: Arc::clone(&profile),
        };
        let in_flight = InFlight::default();
        let policies = Policies::new(&config.frame_ancestors);
        let router = routes::router(&state, node.router(), &config.www, policies, &in_flight);

        let refused = |source| ServerError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self {
            profile,
            listener,
            address,
            router,
            node,
            tools,
            store,
            in_flight,
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key check value of the profile's encryption key, where it may be shown.
    pub fn key_check_value(&self) -> Option<KeyCheckValue> {
        self.profile.key_check_value()
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
            listener,
            router,
            node,
            tools,
            store,
            in_flight,
            ..
        } = self;
        let (ending, mut accept_no_more) = watch::channel(false);
        let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
            // An error means that the sender is gone: the end as well.
            let _ = accept_no_more.wait_for(|ending| *ending).await;
        });
        let ends = async {
            tokio::select! {
                () = end => {}
                () = node.run() => {}
                () = purge(&tools) => {}
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
        store.close().await;
        served
    }
}

async fn finish(in_flight: &InFlight) {
    if tokio::time::timeout(FINISH, in_flight.none())
        .await
        .is_err()
    {
        tracing::warn!("launches under way are cut off");
    }
}

fn make_data_folder(config: &Config) -> Result<(), ServerError> {
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

async fn purge(tools: &Tools) {
    let mut ticks = tokio::time::interval(PURGE_INTERVAL);
    loop {
        ticks.tick().await;
        let now = tools.now();
        match tools.store.purge(now - KEEP, now).await {
            Ok(0) => {}
            Ok(launches) => tracing::info!(launches, "old launches are forgotten"),
            Err(error) => tracing::error!(%error, "old launches cannot be forgotten"),
        }
    }
}
