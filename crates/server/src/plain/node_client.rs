//! The client API of the conferencing node, asked by the server in the browser's place.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, body::Body};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;
use tokio::time::Instant;
use tower::ServiceExt as _;
use vestibule_launch::encode_component;
use vestibule_smart::MAX_BODY_BYTES;

use super::VisitFault;
use crate::http_client::{Transport, TransportError};

/// How long the node may take for an answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long it may take for all that one page needs. The page must be sent before the
/// route's deadline of 15 seconds, or the browser would never get a renewed token.
const ALL: Duration = Duration::from_secs(12);

/// One conferencing node: the embedded one, or one that the configuration names. Its
/// address never comes from a request.
pub(crate) struct NodeClient {
    transport: Arc<dyn Transport>,
    /// Without a slash at the end.
    origin: String,
    /// What the node is told that browsers call it.
    host: Option<String>,
}

/// The node, asked for one page.
pub(crate) struct Asking<'a> {
    node: &'a NodeClient,
    until: Instant,
}

/// A request header of the client API, which is secret.
pub(crate) enum Secret<'a> {
    /// `pin`.
    Pin(&'a str),
    /// `token`.
    Token(&'a str),
    /// Neither.
    None,
}

impl NodeClient {
    pub(crate) fn embedded(routes: Router) -> Self {
        Self {
            transport: Arc::new(InProcess(routes)),
            // Never resolved: the routes look at the path.
            origin: "http://node.invalid".to_owned(),
            host: None,
        }
    }

    /// `origin` is one of the configuration: scheme, host and port.
    pub(crate) fn remote(transport: Arc<dyn Transport>, origin: &str) -> Self {
        let host = origin.split_once("://").map(|(_, host)| host.to_owned());
        Self {
            transport,
            origin: origin.to_owned(),
            host,
        }
    }

    /// Begins to ask for one page.
    pub(crate) fn asking(&self) -> Asking<'_> {
        Asking {
            node: self,
            until: Instant::now() + ALL,
        }
    }
}

impl Asking<'_> {
    pub(crate) fn host(&self) -> Option<&str> {
        self.node.host.as_deref()
    }

    /// `POST …/conferences/<conference>/<request>`; without a body none is sent.
    pub(crate) async fn post(
        &self,
        conference: &str,
        request: &str,
        secret: Secret<'_>,
        body: Option<&impl serde::Serialize>,
    ) -> Result<(StatusCode, Value), VisitFault> {
        let body = body.map(|body| serde_json::to_vec(body).expect("it has a JSON form"));
        self.send(Method::POST, conference, request, secret, body)
            .await
    }

    /// `GET …/conferences/<conference>/<request>`.
    pub(crate) async fn get(
        &self,
        conference: &str,
        request: &str,
        token: &str,
    ) -> Result<(StatusCode, Value), VisitFault> {
        let secret = Secret::Token(token);
        self.send(Method::GET, conference, request, secret, None)
            .await
    }

    /// Status and body; a body that is no JSON is null.
    async fn send(
        &self,
        method: Method,
        conference: &str,
        request: &str,
        secret: Secret<'_>,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, Value), VisitFault> {
        let uri = format!(
            "{}/api/client/v2/conferences/{}/{request}",
            self.node.origin,
            encode_component(conference)
        );
        let mut builder = Request::builder().method(method).uri(uri);
        if body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, "application/json");
        }
        let secret = match secret {
            Secret::Pin(pin) => Some(("pin", pin)),
            Secret::Token(token) => Some(("token", token)),
            Secret::None => None,
        };
        if let Some((name, value)) = secret {
            let mut value = HeaderValue::try_from(value).map_err(|_| VisitFault::Malformed)?;
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        let request = builder
            .body(body.unwrap_or_default())
            .map_err(|_| VisitFault::NotFound)?;
        let left = self.until.saturating_duration_since(Instant::now());
        let deadline = DEADLINE.min(left);
        let answer = self.node.transport.send(request, deadline).await;
        let answer = answer.map_err(|error| VisitFault::Unavailable(error.to_string()))?;
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        Ok((answer.status(), body))
    }
}

impl fmt::Debug for NodeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeClient")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// The embedded node, without a network in between.
struct InProcess(Router);

#[async_trait]
impl Transport for InProcess {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        deadline: Duration,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let answered = async {
            let Ok(response) = self.0.clone().oneshot(request.map(Body::from)).await;
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await;
            let body = body.map_err(|_| TransportError::TooLarge(MAX_BODY_BYTES))?;
            Ok(Response::from_parts(parts, body.to_vec()))
        };
        tokio::time::timeout(deadline, answered)
            .await
            .unwrap_or(Err(TransportError::Timeout(deadline)))
    }
}
