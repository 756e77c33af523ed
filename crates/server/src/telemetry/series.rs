//! The series, with their names and what they say. Names end in their unit, in seconds
//! and bytes, and counters in `_total` (OpenMetrics 1.0).

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{
    RenewalOutcome, Step, WriteBackOutcome,
    labels::{
        DatabaseLabels, FailureLabels, JoinedLabels, LaunchLabels, ListenerLabels, OutcomeLabels,
        ProfileLabels, RefusalLabels, RequestLabels, RouteLabels, StepLabels, VersionLabels,
        WriteBackLabels, failures,
    },
};

type Durations<L> = Family<L, Histogram>;

/// Every series that the server counts by itself.
pub(super) struct Series {
    pub(super) launches_begun: Family<LaunchLabels, Counter>,
    pub(super) launches_completed: Family<LaunchLabels, Counter>,
    pub(super) launches_failed: Family<FailureLabels, Counter>,
    pub(super) error_templates_failed: Family<ProfileLabels, Counter>,
    pub(super) button_to_joined: Durations<JoinedLabels>,
    pub(super) steps: Durations<StepLabels>,
    pub(super) metadata_fetches: Family<OutcomeLabels, Counter>,
    pub(super) metadata_stale: Counter,
    pub(super) write_backs: Family<WriteBackLabels, Counter>,
    pub(super) unsent: Gauge,
    pub(super) oldest_unsent: Gauge,
    pub(super) renewals: Family<OutcomeLabels, Counter>,
    pub(super) http_requests: Family<RequestLabels, Counter>,
    pub(super) http_durations: Durations<RouteLabels>,
    pub(super) connections_open: Family<ListenerLabels, Gauge>,
    pub(super) connections_refused: Family<RefusalLabels, Counter>,
    pub(super) in_flight: Gauge,
    pub(super) profiles: Gauge,
    pub(super) database_durations: Durations<DatabaseLabels>,
    pub(super) database_errors: Family<DatabaseLabels, Counter>,
    pub(super) database_up: Gauge,
    pub(super) ready: Gauge,
    /// Of listeners without TLS there is none.
    pub(super) certificate_ends: Family<ListenerLabels, Gauge>,
    pub(super) lines_left_out: Counter,
}

impl Series {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("vestibule");
        let series = Self {
            launches_begun: Family::default(),
            launches_completed: Family::default(),
            launches_failed: Family::default(),
            error_templates_failed: Family::default(),
            button_to_joined: Family::new_with_constructor(while_people_wait),
            steps: Family::new_with_constructor(while_machines_work),
            metadata_fetches: Family::default(),
            metadata_stale: Counter::default(),
            write_backs: Family::default(),
            unsent: Gauge::default(),
            oldest_unsent: Gauge::default(),
            renewals: Family::default(),
            http_requests: Family::default(),
            http_durations: Family::new_with_constructor(while_machines_work),
            connections_open: Family::default(),
            connections_refused: Family::default(),
            in_flight: Gauge::default(),
            profiles: Gauge::default(),
            database_durations: Family::new_with_constructor(while_machines_work),
            database_errors: Family::default(),
            database_up: Gauge::default(),
            ready: Gauge::default(),
            certificate_ends: Family::default(),
            lines_left_out: Counter::default(),
        };
        series.of_launches(registry);
        series.of_the_ehr(registry);
        series.of_the_server(registry);
        series.begin_at_zero();
        series
    }

    fn of_launches(&self, registry: &mut Registry) {
        registry.register(
            "launches_begun",
            "Launches that were stored",
            self.launches_begun.clone(),
        );
        registry.register(
            "launches_completed",
            "Launches that have a join link",
            self.launches_completed.clone(),
        );
        registry.register(
            "launches_failed",
            "Failures that somebody saw, by the name on the error page; source says whether \
             the server or the landing page found it",
            self.launches_failed.clone(),
        );
        registry.register(
            "error_templates_failed",
            "Error pages that a profile's own template failed to make; the built-in one was shown",
            self.error_templates_failed.clone(),
        );
        registry.register_with_unit(
            "button_to_joined",
            "From the EHR's button to the visit, sign-in and waiting for the host included",
            Unit::Seconds,
            self.button_to_joined.clone(),
        );
        registry.register_with_unit(
            "launch_step_duration",
            "Steps of launches; begin, complete and direct_link are whole requests",
            Unit::Seconds,
            self.steps.clone(),
        );
    }

    fn of_the_ehr(&self, registry: &mut Registry) {
        registry.register(
            "metadata_fetches",
            "How often an EHR was asked for its SMART metadata",
            self.metadata_fetches.clone(),
        );
        registry.register(
            "metadata_stale_uses",
            "Launches with old SMART metadata, because the EHR tells no new one",
            self.metadata_stale.clone(),
        );
        registry.register(
            "write_backs",
            "Attempts to tell an EHR something, by what became of it and the class of its answer",
            self.write_backs.clone(),
        );
        registry.register(
            "write_backs_unsent",
            "Write-backs that the EHRs have still to be told; counted every 15 seconds at most",
            self.unsent.clone(),
        );
        registry.register_with_unit(
            "write_backs_oldest_unsent_age",
            "How long ago the oldest of them was stored; 0 where there is none",
            Unit::Seconds,
            self.oldest_unsent.clone(),
        );
        registry.register(
            "renewals",
            "Attempts to renew the tokens of a launch",
            self.renewals.clone(),
        );
    }

    fn of_the_server(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests by listener, method, route template and status",
            self.http_requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Requests until their response begins",
            Unit::Seconds,
            self.http_durations.clone(),
        );
        registry.register(
            "connections_open",
            "Connections of the moment, by listener; TLS handshakes among them",
            self.connections_open.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections that came to nothing: too_many, too_many_of_address or \
             handshake_failed",
            self.connections_refused.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests of launches, and work for them, under way",
            self.in_flight.clone(),
        );
        registry.register(
            "profiles",
            "Telehealth profiles in use",
            self.profiles.clone(),
        );
        registry.register_with_unit(
            "database_operation_duration",
            "Operations of launches and jobs on the database",
            Unit::Seconds,
            self.database_durations.clone(),
        );
        registry.register(
            "database_errors",
            "Operations that the database did not do",
            self.database_errors.clone(),
        );
        registry.register(
            "database_up",
            "Whether the database answered when the unsent write-backs were counted last",
            self.database_up.clone(),
        );
        registry.register(
            "ready",
            "Whether launches can be taken, as /readyz says it",
            self.ready.clone(),
        );
        registry.register_with_unit(
            "certificate_end_timestamp",
            "When the certificate of a listener ends, in seconds since 1970",
            Unit::Seconds,
            self.certificate_ends.clone(),
        );
        registry.register(
            "log_lines_left_out",
            "Log lines about refused requests that were too many",
            self.lines_left_out.clone(),
        );
        let build = Family::<VersionLabels, Gauge>::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&VersionLabels { version }).set(1);
        registry.register("build_info", "This program", build);
    }

    /// A counter that begins with its first count hides that count from `rate()`.
    fn begin_at_zero(&self) {
        for labels in failures() {
            drop(self.launches_failed.get_or_create(&labels));
        }
        for step in Step::ALL {
            let step = step.as_str();
            drop(self.steps.get_or_create(&StepLabels { step }));
        }
        for (outcome, status) in [
            (WriteBackOutcome::Sent, Some(200)),
            (WriteBackOutcome::Later, Some(500)),
            (WriteBackOutcome::Later, None),
            (WriteBackOutcome::GivenUp, Some(400)),
            (WriteBackOutcome::GivenUp, None),
        ] {
            let labels = WriteBackLabels::new(outcome, status);
            drop(self.write_backs.get_or_create(&labels));
        }
        for outcome in RenewalOutcome::ALL {
            let outcome = outcome.as_str();
            drop(self.renewals.get_or_create(&OutcomeLabels { outcome }));
        }
        for outcome in ["told", "failed"] {
            let labels = OutcomeLabels { outcome };
            drop(self.metadata_fetches.get_or_create(&labels));
        }
    }
}

/// From a tenth of a second to an hour.
fn while_people_wait() -> Histogram {
    Histogram::new([
        0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
    ])
}

/// From half a millisecond to the deadline of a request.
fn while_machines_work() -> Histogram {
    Histogram::new([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0,
    ])
}
