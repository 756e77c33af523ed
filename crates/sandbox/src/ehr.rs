//! The simulated EHR: its state, its clock and its journal behind one lock.

mod direct_join;
mod fhir;
mod sign_in;
mod write_backs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::CryptoRng;
use serde_json::Value;
use vestibule_launch::{Clock, UnixTime};

pub(crate) use direct_join::VisitLinks;
pub(crate) use write_backs::WriteBackHeaders;

use crate::{
    authorization_server::AuthorizationServer,
    config::Config,
    connection_status::StatusCredentials,
    end_of_call::EndOfCallRecord,
    endpoint::Endpoint,
    fault::{FaultScript, Met},
    id_token::IdTokenKey,
    journal::{Entry, Event, Journal},
    key_fetch::KeyFetch,
    launch_link::LaunchRecord,
    metadata_forms::MetadataForms,
    pages::Pages,
    zoom::ZoomRecord,
};

/// Everything that the routes share.
pub(crate) struct Ehr {
    pub(crate) pages: Pages,
    address: String,
    metadata: MetadataForms,
    launch: LaunchRecord,
    zoom: Option<ZoomRecord>,
    status: Option<StatusCredentials>,
    end_of_call: EndOfCallRecord,
    key_fetch: KeyFetch,
    clock: Arc<dyn Clock>,
    moving: Mutex<Moving>,
    faults: Mutex<FaultScript>,
}

/// What changes from request to request.
struct Moving {
    authorization_server: AuthorizationServer,
    journal: Journal,
    rng: Box<dyn CryptoRng + Send>,
}

impl Ehr {
    /// The EHR at `address`, such as `http://127.0.0.1:7081`.
    pub(crate) fn new(
        config: Config,
        address: String,
        clock: Arc<dyn Clock>,
        rng: Box<dyn CryptoRng + Send>,
        id_token_key: IdTokenKey,
    ) -> Self {
        let authorization_server =
            AuthorizationServer::new(config.clients, config.tokens, &address, id_token_key);
        Self {
            pages: Pages::new(),
            address,
            metadata: config.metadata,
            launch: config.launch,
            zoom: config.zoom,
            status: config.status,
            end_of_call: config.end_of_call,
            key_fetch: KeyFetch::default(),
            clock,
            moving: Mutex::new(Moving {
                authorization_server,
                journal: Journal::default(),
                rng,
            }),
            faults: Mutex::new(FaultScript::new(config.faults)),
        }
    }

    /// The EHR's own address, without a slash at the end.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn metadata(&self) -> MetadataForms {
        self.metadata
    }

    /// The path at which the EHR takes the call that says a visit has ended.
    pub(crate) fn end_of_call_path(&self) -> &str {
        &self.end_of_call.path
    }

    /// The public keys of id tokens, and who signs them.
    pub(crate) fn id_token_keys(&self) -> Value {
        self.lock().authorization_server.id_tokens().jwks()
    }

    pub(crate) fn journal(&self) -> Vec<Entry> {
        self.lock().journal.entries()
    }

    /// The fault script and its counts.
    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultScript> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request of the endpoint and gives the fault that it meets.
    pub(crate) fn meet_fault(&self, endpoint: Endpoint) -> Option<Met> {
        let met = self.faults().meet(endpoint)?;
        let event = Event::FaultPlayed {
            endpoint,
            fault: met.answer.to_string(),
        };
        self.lock().record(event, self.clock.now());
        Some(met)
    }

    fn lock(&self) -> MutexGuard<'_, Moving> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Moving {
    fn record(&mut self, event: Event, now: UnixTime) {
        self.journal.record(event, now);
    }
}
