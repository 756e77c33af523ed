//! What is watched of the running server: counts and durations for Prometheus, and the
//! spans of a launch for OpenTelemetry. Labels are of closed sets and profile uuids only:
//! never a name, an alias, an address or a token.

mod config;
mod connections;
mod labels;
mod launch_span;
mod line_bound;
mod outbox;
mod process;
mod series;
mod server;
mod step;
mod traced_transport;
mod traces;

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use prometheus_client::registry::Registry;
use tracing::{Instrument as _, Span};
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName};
use vestibule_store::{FailureSource, StoreError};

pub use config::{MetricsConfig, MetricsConfigError};
pub use connections::{ConnectionCounts, ConnectionRefusal, OpenConnection};
pub use launch_span::{LaunchSpan, surround};
pub use line_bound::{LineBound, Permit};
pub use server::{Gauges, MetricsListenError, MetricsServer};
pub use step::Step;
pub use traced_transport::TracedTransport;
pub use traces::{Traces, TracesConfig, TracesError};

use labels::{
    DatabaseLabels, FailureLabels, JoinedLabels, LaunchLabels, OutcomeLabels, ProfileLabels,
    RequestLabels, RouteLabels, StepLabels, WriteBackLabels,
};
use outbox::OutboxGauge;
use series::Series;

/// The server's own counts. One for a server; tests read it back as text.
pub struct Telemetry {
    registry: Registry,
    series: Series,
    outbox: OutboxGauge,
    lines: Mutex<LineBound>,
}

/// Whose launch it is.
#[derive(Clone, Copy, Debug)]
pub struct LaunchKind<'a> {
    /// The profile.
    pub profile: Uuid,
    /// Who launches.
    pub role: EhrRole,
    /// The dialect's name.
    pub dialect: &'a str,
}

/// What became of an attempt at a write-back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteBackOutcome {
    /// The EHR has taken it.
    Sent,
    /// It is tried again.
    Later,
    /// It is not tried again.
    GivenUp,
    /// It is not true any more: nothing was sent.
    NotNeeded,
}

/// What became of an attempt to renew tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalOutcome {
    /// The EHR gave new ones.
    Renewed,
    /// Another server had the lease.
    Lost,
    /// It is tried again.
    Later,
    /// The tokens are not renewed any more.
    GivenUp,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The listener that it came in by.
    pub listener: &'static str,
    /// The method; those that are not of RFC 9110 or PATCH count together.
    pub method: &'a http::Method,
    /// The route's template, or `-` where none matched.
    pub route: &'a str,
    /// The status.
    pub status: u16,
    /// How long it took until the response began.
    pub took: Duration,
}

impl Telemetry {
    /// Begins to count.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let series = Series::register(&mut registry);
        registry.register_collector(Box::new(process::Process));
        Self {
            registry,
            series,
            outbox: OutboxGauge::default(),
            lines: Mutex::new(LineBound::default()),
        }
    }

    /// A launch was stored.
    pub fn launch_begun(&self, kind: LaunchKind<'_>) {
        let labels = LaunchLabels::from(kind);
        self.series.launches_begun.get_or_create(&labels).inc();
    }

    /// A launch has its join link.
    pub fn launch_completed(&self, kind: LaunchKind<'_>) {
        let labels = LaunchLabels::from(kind);
        self.series.launches_completed.get_or_create(&labels).inc();
    }

    /// Somebody is in the visit, so long after the button.
    pub fn launch_joined(&self, profile: Uuid, role: EhrRole, after: Duration) {
        let labels = JoinedLabels {
            profile: profile.to_string(),
            role: role.as_str(),
        };
        let joined = self.series.button_to_joined.get_or_create(&labels);
        joined.observe(after.as_secs_f64());
    }

    /// Somebody saw a failure.
    pub fn launch_failed(&self, source: FailureSource, error_name: ErrorName) {
        let labels = FailureLabels::new(source, error_name);
        self.series.launches_failed.get_or_create(&labels).inc();
    }

    /// The profile's error page could not be made from its template.
    pub fn error_template_failed(&self, profile: Uuid) {
        let profile = profile.to_string();
        let labels = ProfileLabels { profile };
        let failed = self.series.error_templates_failed.get_or_create(&labels);
        failed.inc();
    }

    /// SMART metadata was asked for; says whether the EHR told it.
    pub fn metadata_fetched(&self, told: bool) {
        let outcome = if told { "told" } else { "failed" };
        let labels = OutcomeLabels { outcome };
        self.series.metadata_fetches.get_or_create(&labels).inc();
    }

    /// A launch goes on with old SMART metadata because the EHR tells no new one.
    pub fn metadata_stale(&self) {
        self.series.metadata_stale.inc();
    }

    /// A write-back was tried. `status` is the EHR's answer, where there was one.
    pub fn write_back(&self, outcome: WriteBackOutcome, status: Option<u16>) {
        let labels = WriteBackLabels::new(outcome, status);
        self.series.write_backs.get_or_create(&labels).inc();
    }

    /// Tokens were to be renewed.
    pub fn renewal(&self, outcome: RenewalOutcome) {
        let outcome = outcome.as_str();
        let labels = OutcomeLabels { outcome };
        self.series.renewals.get_or_create(&labels).inc();
    }

    /// A request was answered.
    pub fn request(&self, answered: Answered<'_>) {
        let labels = RequestLabels::from(answered);
        self.series.http_requests.get_or_create(&labels).inc();
        let labels = RouteLabels {
            route: answered.route.to_owned(),
        };
        let durations = self.series.http_durations.get_or_create(&labels);
        durations.observe(answered.took.as_secs_f64());
    }

    /// Whether a log line about something refused may be written now. Those that may not
    /// are counted.
    pub fn may_log_refusal(&self) -> bool {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match lines.permit(Instant::now()) {
            Permit::Yes { left_out: 0 } => true,
            Permit::Yes { left_out } => {
                tracing::warn!(left_out, "log lines about refused requests were left out");
                true
            }
            Permit::No => {
                self.series.lines_left_out.inc();
                false
            }
        }
    }

    /// Takes a step of a launch: a span, and how long it took.
    pub async fn step<F: Future>(&self, step: Step, future: F) -> F::Output {
        let begun = Instant::now();
        let output = future.instrument(step.span()).await;
        self.took(step, begun);
        output
    }

    /// The same for a step that waits for nothing.
    pub fn step_now<T>(&self, step: Step, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let output = step.span().in_scope(work);
        self.took(step, begun);
        output
    }

    fn took(&self, step: Step, begun: Instant) {
        let labels = StepLabels {
            step: step.as_str(),
        };
        let durations = self.series.steps.get_or_create(&labels);
        durations.observe(begun.elapsed().as_secs_f64());
    }

    /// Asks the store: a span, how long it took, and whether it failed. `operation` is
    /// the name of the store's function.
    ///
    /// # Errors
    /// The store's.
    pub async fn stored<T>(
        &self,
        operation: &'static str,
        future: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let labels = DatabaseLabels { operation };
        let begun = Instant::now();
        // What jobs ask all the time belongs to no trace.
        let span = if Span::current().is_none() {
            Span::none()
        } else {
            tracing::info_span!("store", operation)
        };
        let stored = future.instrument(span).await;
        let durations = self.series.database_durations.get_or_create(&labels);
        durations.observe(begun.elapsed().as_secs_f64());
        let errors = self.series.database_errors.get_or_create(&labels);
        errors.inc_by(stored.is_err().into());
        stored
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry(…)")
    }
}

impl WriteBackOutcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Later => "later",
            Self::GivenUp => "given_up",
            Self::NotNeeded => "not_needed",
        }
    }
}

impl RenewalOutcome {
    const ALL: [Self; 4] = [Self::Renewed, Self::Lost, Self::Later, Self::GivenUp];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Lost => "lost",
            Self::Later => "later",
            Self::GivenUp => "given_up",
        }
    }
}
