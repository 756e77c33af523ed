//! Traces: the spans of launches, sent to a collector by OTLP over HTTP. Sending is apart
//! from launches: what the collector does not take in time is lost, and nothing waits.

use std::{
    fmt,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{KeyValue, propagation::TextMapPropagator as _, trace::TracerProvider as _};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient as OtlpClient, HttpError};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};
use serde::Deserialize;
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};
use url::Url;

use crate::http_client::{HttpClient, HttpClientError, Transport as _};

/// How long the collector may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long sending the last spans may take as the server ends.
const FLUSH: Duration = Duration::from_secs(3);

/// How often spans are sent.
const INTERVAL: Duration = Duration::from_secs(2);

/// Most spans that wait. Those of a launch are about fifteen.
const QUEUE: usize = 8192;

/// Most spans of one message.
const BATCH: usize = 512;

/// The one place where spans are made: below it in the tree of modules.
const TARGET: &str = "vestibule_server::telemetry";

/// `[traces]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracesConfig {
    /// Where the collector takes OTLP in protobuf over HTTP, such as
    /// `http://127.0.0.1:4318/v1/traces`.
    #[serde(deserialize_with = "endpoint")]
    pub endpoint: Url,
    /// Whether EHRs are told, by `traceparent`, which trace a request belongs to. Not by
    /// default.
    #[serde(default)]
    pub tell_ehr: bool,
}

/// Anything that is no address is refused without repeating it.
fn endpoint<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    Url::parse(&text).map_err(|_| serde::de::Error::custom("endpoint must be a URL"))
}

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// There is no HTTP client.
    #[error(transparent)]
    HttpClient(#[from] HttpClientError),
    /// The exporter cannot be made.
    #[error("traces.endpoint: {0}")]
    Exporter(String),
    /// The address is of no use.
    #[error("traces.endpoint: must begin with http:// or https:// and hold no password")]
    Endpoint,
}

/// Sends spans until it is flushed.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send, on the runtime of the caller. `certificates` are trusted beside the
    /// machine's.
    ///
    /// # Errors
    /// [`TracesError`].
    pub fn begin(config: &TracesConfig, certificates: Option<&Path>) -> Result<Self, TracesError> {
        let endpoint = &config.endpoint;
        let is_http = matches!(endpoint.scheme(), "http" | "https");
        if !is_http || endpoint.password().is_some() || !endpoint.username().is_empty() {
            return Err(TracesError::Endpoint);
        }
        let client = Collector {
            client: HttpClient::trusting(certificates)?,
            runtime: tokio::runtime::Handle::current(),
            fault: Fault::default(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.as_str())
            .with_timeout(DEADLINE)
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(|error| TracesError::Exporter(error.to_string()))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(INTERVAL)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let resource = Resource::builder_empty().with_attributes([
            KeyValue::new("service.name", "vestibule"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ]);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(resource.build())
            .build();
        Ok(Self(provider))
    }

    /// Takes the spans of launches, and nothing else: no log line, and nothing that a
    /// library says of itself.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("vestibule"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_ours))
    }

    /// Sends what waits, and ends. Where the collector does not take it in time, it is
    /// lost.
    pub async fn flush(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FLUSH));
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::info!("the last traces could not be sent");
        }
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Traces(…)")
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    let below = metadata.target().strip_prefix(TARGET);
    metadata.is_span() && below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
}

/// Makes a span part of the trace that a proxy began (W3C Trace Context), where nobody
/// sends traces this does nothing.
pub(super) fn continue_trace(span: &Span, headers: &HeaderMap) {
    let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    // An error says that spans go nowhere.
    let _ = span.set_parent(context);
}

/// `traceparent` of the span of the moment, where one is sent to a collector.
pub(crate) fn trace_parent() -> Option<(HeaderName, HeaderValue)> {
    const NAME: &str = "traceparent";
    let context = Span::current().context();
    let mut fields = std::collections::HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut fields);
    let value = fields.get(NAME)?;
    let value = HeaderValue::from_str(value).ok()?;
    Some((HeaderName::from_static(NAME), value))
}

/// Sends by this server's own HTTP client. The exporter has a thread of its own, and the
/// client needs the runtime.
#[derive(Debug)]
struct Collector {
    client: HttpClient,
    runtime: tokio::runtime::Handle,
    fault: Fault,
}

/// Why the collector did not take the last batch, where it did not.
#[derive(Debug, Default)]
struct Fault(Mutex<Option<String>>);

impl Fault {
    /// Takes what became of a batch, and says so where it is not what it was before.
    fn becomes(&self, fault: Option<String>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == fault {
            return;
        }
        match &fault {
            Some(fault) => {
                tracing::warn!(fault, "traces are lost: the collector does not take them");
            }
            None => tracing::info!("the collector takes traces again"),
        }
        *last = fault;
    }
}

#[async_trait]
impl OtlpClient for Collector {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let request = request.map(|body| body.to_vec());
        let sent = self
            .runtime
            .spawn(async move { client.send(request, DEADLINE).await });
        let sent = sent.await?;
        self.fault.becomes(match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(response.status().to_string()),
            Err(error) => Some(error.to_string()),
        });
        Ok(sent?.map(Bytes::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_http_address_without_a_password() {
        for bad in [
            "ftp://127.0.0.1/v1/traces",
            "http://user:S3CRET@127.0.0.1/v1/traces",
        ] {
            let config = TracesConfig {
                endpoint: bad.parse().unwrap(),
                tell_ehr: false,
            };
            let error = Traces::begin(&config, None).unwrap_err().to_string();
            assert!(error.contains("traces.endpoint"), "{error}");
            assert!(!error.contains("S3CRET"), "{error}");
        }
    }
}
