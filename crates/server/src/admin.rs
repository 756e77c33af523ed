//! For administrators, on a listener of its own: the admin API, which has telehealth
//! profiles under the paths and field names of Pexip Infinity's management API, and the
//! admin pages under `/admin`.

use std::{any::Any, fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    access_log::{self, RequestLog},
    profile::Registry,
    retention::Days,
    serving::{Draining, Listener, Settings},
    source_address::TrustedProxies,
    tools::Tools,
};

mod access;
mod administrator;
mod answer;
mod config;
mod listing;
mod names;
mod oidc;
mod openapi;
mod pages;
mod password;
mod role;
mod schema;
mod session;
mod sign_in;
mod site;
mod telehealth_profile;

use administrator::{Administrator, Forbidden, Posted};

pub use config::{AdminConfig, AdminUser};
pub use oidc::OidcConfig;
pub use password::{NotAPasswordHash, PasswordHash, PasswordRefused};
pub use role::Role;
pub(crate) use telehealth_profile::PATH as PROFILES;

/// Longest body of a request, in bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// Longest form, in bytes.
const FORM_LIMIT: usize = 16 * 1024;

/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The admin API, which has its address but does not answer yet.
pub struct AdminServer {
    listener: Listener,
    router: Router,
    live: Arc<pages::Live>,
}

/// What the routes share.
struct Admin {
    registry: Arc<Registry>,
    tools: Tools,
    access: Arc<access::Access>,
    oidc: Option<oidc::Oidc>,
    trusted_proxies: TrustedProxies,
    live: Arc<pages::Live>,
    looks: names::Looks,
    /// For how long launches are kept.
    retention: Duration,
    downloads: pages::Downloads,
}

impl AdminServer {
    /// Takes the address. Launches are kept for so many days. The trusted proxies among the settings are believed when they
    /// say whom they speak for.
    ///
    /// # Errors
    /// Where it cannot be listened on.
    pub async fn bind(
        config: &AdminConfig,
        settings: Settings,
        registry: Arc<Registry>,
        tools: &Tools,
        launches_kept: Days,
    ) -> io::Result<Self> {
        let live = Arc::new(pages::Live::new());
        let proxies = &settings.trusted_proxies;
        let router = router(
            config,
            proxies,
            registry,
            tools,
            Arc::clone(&live),
            launches_kept,
        );
        let is_plain = settings.tls.is_none();
        let listener = Listener::bind(config.listen, settings).await?;
        let address = listener.address();
        if is_plain && !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "the admin API listens beyond this machine, by plain HTTP: \
                 only a reverse proxy with TLS may reach it, or set up [tls]"
            );
        }
        tracing::info!(%address, "administrators come in here");
        Ok(Self {
            listener,
            router,
            live,
        })
    }

    /// The same with routes that anybody may ask for.
    #[must_use]
    pub fn with_open_routes(mut self, routes: Router) -> Self {
        self.router = self.router.merge(routes);
        self
    }

    /// Its routes, for what describes them.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Where it is reached: scheme, address and port.
    pub fn url(&self) -> String {
        format!("{}://{}", self.listener.scheme(), self.address())
    }

    /// Answers until draining begins, then lets requests under way finish. Pages that are
    /// watched are no such requests: their streams end.
    pub async fn run(self, mut draining: Draining) {
        let Self {
            listener,
            router,
            live,
        } = self;
        let serving = listener.serve(router, draining.clone());
        let beside = async {
            draining.begun().await;
            live.end();
            // Nothing else ends before the listener does.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = serving => {}
            () = beside => {}
        }
    }
}

impl fmt::Debug for AdminServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminServer")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

fn router(
    config: &AdminConfig,
    trusted_proxies: &TrustedProxies,
    registry: Arc<Registry>,
    tools: &Tools,
    live: Arc<pages::Live>,
    launches_kept: Days,
) -> Router {
    let access = Arc::new(access::Access::new(config, trusted_proxies, tools.clone()));
    let admin = Arc::new(Admin {
        registry,
        tools: tools.clone(),
        access: Arc::clone(&access),
        oidc: config
            .oidc
            .clone()
            .map(|config| oidc::Oidc::new(config, tools)),
        trusted_proxies: trusted_proxies.clone(),
        live,
        looks: names::Looks::new(),
        retention: launches_kept.duration(),
        downloads: pages::Downloads::new(),
    });
    let api = telehealth_profile::router()
        .route(crate::openapi::PATH, get(openapi::document))
        .fallback(async || answer::not_found())
        .method_not_allowed_fallback(async || {
            answer::error(StatusCode::METHOD_NOT_ALLOWED, "This cannot be done here.")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(async |request, next| {
            end_at_deadline(request, next)
                .await
                .unwrap_or_else(too_slow)
        }))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(access, access::require));
    let pages = sign_in::router()
        .merge(oidc::router())
        .merge(pages::router())
        .method_not_allowed_fallback(async || {
            let text = "Open the page again, and use what is on it.";
            pages::message(
                StatusCode::METHOD_NOT_ALLOWED,
                "This cannot be done here",
                text,
            )
        })
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(middleware::from_fn(async |request, next| {
            end_at_deadline(request, next)
                .await
                .unwrap_or_else(page_too_slow)
        }))
        .layer(CatchPanicLayer::custom(page_panicked))
        .layer(middleware::map_response(pages::protect));
    api.merge(pages)
        .layer(middleware::from_fn_with_state(
            RequestLog::new("admin", tools),
            access_log::log,
        ))
        .with_state(admin)
}

/// The request took too long.
struct TooSlow;

/// A request goes on without whoever sent it: a change that was begun is finished, and
/// logged.
async fn end_at_deadline(request: Request, next: Next) -> Result<Response, TooSlow> {
    let running = tokio::spawn(next.run(request));
    match tokio::time::timeout(DEADLINE, running).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(TooSlow),
    }
}

fn too_slow(_: TooSlow) -> Response {
    answer::error(
        StatusCode::SERVICE_UNAVAILABLE,
        "the request took too long; look whether it was done, then try again",
    )
}

fn page_too_slow(_: TooSlow) -> Response {
    pages::message(
        StatusCode::SERVICE_UNAVAILABLE,
        "This took too long",
        "Look whether it was done, then try again.",
    )
}

fn page_panicked(panic: Box<dyn Any + Send>) -> Response {
    drop(panic);
    pages::message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "An error in the server",
        "The server's log says more.",
    )
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    drop(panic);
    answer::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "an error in the server; its log has more",
    )
}
