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
};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{access_log, profile::Registry, source_address::TrustedProxies, tools::Tools};

mod access;
mod administrator;
mod answer;
mod config;
mod listing;
mod names;
mod oidc;
mod pages;
mod password;
mod retention;
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

/// Longest body of a request, in bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// Longest form, in bytes.
const FORM_LIMIT: usize = 16 * 1024;

/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The admin API, which has its address but does not answer yet.
pub struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    retention: retention::Retention,
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
}

impl AdminServer {
    /// Takes the address. `trusted_proxies` are believed when they say whom they speak for.
    ///
    /// # Errors
    /// Where it cannot be listened on.
    pub async fn bind(
        config: &AdminConfig,
        trusted_proxies: &TrustedProxies,
        registry: Arc<Registry>,
        tools: &Tools,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "the admin API listens beyond this machine, by plain HTTP: \
                 only a reverse proxy with TLS may reach it"
            );
        }
        tracing::info!(%address, "administrators come in here");
        let live = Arc::new(pages::Live::new());
        Ok(Self {
            listener,
            address,
            router: router(config, trusted_proxies, registry, tools, Arc::clone(&live)),
            live,
            retention: retention::Retention::new(config, tools),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `end`, then lets requests under way finish.
    pub async fn run(self, end: impl Future<Output = ()> + Send + 'static) {
        let service = self
            .router
            .into_make_service_with_connect_info::<SocketAddr>();
        let live = self.live;
        let end = async move {
            end.await;
            live.end();
        };
        let serving = axum::serve(self.listener, service).with_graceful_shutdown(end);
        tokio::select! {
            served = serving => {
                if let Err(error) = served {
                    tracing::error!(%error, "the admin API has ended");
                }
            }
            () = self.retention.run() => {}
        }
    }
}

impl fmt::Debug for AdminServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn router(
    config: &AdminConfig,
    trusted_proxies: &TrustedProxies,
    registry: Arc<Registry>,
    tools: &Tools,
    live: Arc<pages::Live>,
) -> Router {
    let access = Arc::new(access::Access::new(config, trusted_proxies, tools.clone()));
    let admin = Arc::new(Admin {
        registry,
        tools: tools.clone(),
        access: Arc::clone(&access),
        oidc: config.oidc.clone().map(oidc::Oidc::new),
        trusted_proxies: trusted_proxies.clone(),
        live,
        looks: names::Looks::new(),
    });
    let api = telehealth_profile::router()
        .fallback(async || answer::not_found())
        .method_not_allowed_fallback(async || {
            answer::error(StatusCode::METHOD_NOT_ALLOWED, "This cannot be done here.")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(end_at_deadline))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(access, access::require));
    let pages = sign_in::router()
        .merge(oidc::router())
        .merge(pages::router())
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(middleware::from_fn(end_at_deadline))
        .layer(CatchPanicLayer::custom(panicked));
    api.merge(pages)
        .layer(middleware::from_fn(access_log::log))
        .with_state(admin)
}

/// A request goes on without whoever sent it: a change that was begun is finished, and
/// logged.
async fn end_at_deadline(request: Request, next: Next) -> Response {
    let running = tokio::spawn(next.run(request));
    match tokio::time::timeout(DEADLINE, running).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        Err(_) => answer::error(
            StatusCode::SERVICE_UNAVAILABLE,
            "the request took too long; look whether it was done, then try again",
        ),
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    drop(panic);
    answer::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "an error in the server; its log has more",
    )
}
