//! What a test that runs the EHR in its own process can see and change.

use std::{fmt, sync::Arc};

use serde_json::Value;

use crate::{ehr::Ehr, endpoint::Endpoint, fault::Fault};

/// A handle on a running EHR.
#[derive(Clone)]
pub struct Controls(pub(crate) Arc<Ehr>);

impl Controls {
    /// Adds a fault to the end of the fault script.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault) {
        self.0.faults().add(endpoint, fault);
    }

    /// Ends all faults that have not played yet.
    pub fn clear_faults(&self) {
        self.0.faults().clear();
    }

    /// How many requests the endpoint has had, with or without a fault.
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        self.0.faults().requests(endpoint)
    }

    /// The journal, newest last, as `/status.json` shows it.
    pub fn journal(&self) -> Vec<Value> {
        self.0
            .journal()
            .iter()
            .map(|entry| serde_json::to_value(entry).expect("an entry has no map but of strings"))
            .collect()
    }
}

impl fmt::Debug for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controls").finish_non_exhaustive()
    }
}
