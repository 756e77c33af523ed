//! Tells the EHR which trace a request belongs to, where an administrator wants that.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::traces::trace_parent;
use crate::http_client::{Transport, TransportError};

/// Sends with `traceparent` (W3C Trace Context).
pub struct TracedTransport(Arc<dyn Transport>);

impl TracedTransport {
    /// Sends by another transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }
}

#[async_trait]
impl Transport for TracedTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        self.0.send(traced(request), deadline).await
    }

    async fn send_long(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
        longest: usize,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        self.0.send_long(traced(request), deadline, longest).await
    }
}

fn traced(mut request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
    if let Some((name, value)) = trace_parent() {
        request.headers_mut().insert(name, value);
    }
    request
}
