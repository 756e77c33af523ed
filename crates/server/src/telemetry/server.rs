//! `GET /metrics`, on a listener of its own.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::encoding::text;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::{
    MetricsConfig, MetricsConfigError, Telemetry,
    labels::{ListenerLabels, ProfileLabels},
};
use crate::{
    in_flight::InFlight,
    profile::Profiles,
    readiness::Readiness,
    routes,
    serving::{Draining, Listener, Settings, Tls},
    tools::Tools,
};

/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// OpenMetrics 1.0, which Prometheus reads from version 2.5.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Has its address but does not answer yet.
pub struct MetricsServer {
    listener: Listener,
    router: Router,
}

/// What the gauges of the server are read from.
#[derive(Clone, Debug)]
pub struct Gauges {
    /// The profiles.
    pub profiles: Arc<Profiles>,
    /// Requests of launches, and work for them.
    pub in_flight: InFlight,
    /// Whether launches can be taken.
    pub readiness: Arc<Readiness>,
    /// The server's own certificate, where it has one.
    pub tls: Option<Arc<Tls>>,
}

/// What the route works with.
struct Watched {
    tools: Tools,
    gauges: Gauges,
    token: Option<SecretString>,
}

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
pub enum MetricsListenError {
    /// The token cannot be used.
    #[error(transparent)]
    Token(#[from] MetricsConfigError),
    /// The address cannot be listened on.
    #[error(
        "metrics.listen: {address}: {source}; choose another address or end what uses this one"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

impl MetricsServer {
    /// Takes the address.
    ///
    /// # Errors
    /// Where it cannot be listened on, or the token cannot be used.
    pub async fn bind(
        config: &MetricsConfig,
        settings: Settings,
        tools: &Tools,
        gauges: Gauges,
    ) -> Result<Self, MetricsListenError> {
        let refused = |source| MetricsListenError::Listen {
            address: config.listen,
            source,
        };
        let token = config.token()?;
        let listener = Listener::bind(config.listen, settings);
        let listener = listener.await.map_err(refused)?;
        let address = listener.address();
        tracing::info!(%address, "metrics are told");
        if !address.ip().is_loopback() && token.is_none() {
            tracing::warn!(
                %address,
                "metrics are told beyond this machine to everybody who asks; see metrics.token_file"
            );
        }
        let watched = Watched {
            tools: tools.clone(),
            gauges,
            token,
        };
        let router = Router::new()
            .route("/metrics", get(metrics))
            .layer(middleware::from_fn(end_at_deadline))
            .with_state(Arc::new(watched));
        let router = routes::without_pages(router);
        Ok(Self { listener, router })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Its routes, for what looks at all of them.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Answers until draining begins, then lets requests under way finish.
    pub async fn run(self, draining: Draining) {
        self.listener.serve(self.router, draining).await;
    }
}

impl fmt::Debug for MetricsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsServer")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

async fn end_at_deadline(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(DEADLINE, next.run(request)).await;
    answered.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

async fn metrics(State(watched): State<Arc<Watched>>, headers: HeaderMap) -> Response {
    if !watched.admits(&headers) {
        let challenge = [(
            header::WWW_AUTHENTICATE,
            "Bearer realm=\"vestibule metrics\"",
        )];
        return (
            StatusCode::UNAUTHORIZED,
            challenge,
            "a bearer token is needed\n",
        )
            .into_response();
    }
    match watched.text().await {
        Ok(text) => {
            let kind = [(header::CONTENT_TYPE, OPEN_METRICS)];
            (kind, text).into_response()
        }
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Watched {
    /// RFC 6750 section 2.1.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let given = headers.get(header::AUTHORIZATION);
        let given = given.and_then(|value| value.to_str().ok()?.split_once(' '));
        given.is_some_and(|(scheme, given)| {
            scheme.eq_ignore_ascii_case("bearer")
                && bool::from(given.as_bytes().ct_eq(token.expose_secret().as_bytes()))
        })
    }

    async fn text(&self) -> Result<String, fmt::Error> {
        let telemetry = &self.tools.telemetry;
        let Gauges {
            profiles,
            in_flight,
            readiness,
            tls,
        } = &self.gauges;
        let (report, ()) = tokio::join!(readiness.look(), telemetry.look_at_outbox(&self.tools));
        let series = &telemetry.series;
        series.ready.set(i64::from(report.ready));
        let in_flight = i64::try_from(in_flight.now()).unwrap_or(i64::MAX);
        series.in_flight.set(in_flight);
        let profiles = profiles.now();
        let count = i64::try_from(profiles.iter().count()).unwrap_or(i64::MAX);
        series.profiles.set(count);
        for profile in profiles.iter() {
            // It is told from before its first count on, or `rate()` would miss that one.
            let profile = profile.uuid.to_string();
            let failed = &series.error_templates_failed;
            drop(failed.get_or_create(&ProfileLabels { profile }));
        }
        if let Some(tls) = tls {
            let ends = tls.ends().as_millis() / 1000;
            let listener = "launches";
            let certificate = &series.certificate_ends;
            certificate
                .get_or_create(&ListenerLabels { listener })
                .set(ends);
        }
        telemetry.text()
    }
}

impl Telemetry {
    /// All series in OpenMetrics' text format.
    ///
    /// # Errors
    /// None that is known: text grows as long as there is memory.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
