//! Who may read which resource.

use serde_json::Value;

use super::{Ehr, sign_in::bearer};
use crate::fhir::{self, FhirFault, ResourceType};

impl Ehr {
    /// A resource, for the holder of the access token in the `Authorization`
    /// header.
    pub(crate) fn resource(
        &self,
        authorization: Option<&str>,
        kind: ResourceType,
        id: &str,
    ) -> Result<Value, FhirFault> {
        let now = self.clock.now();
        let grant = bearer(authorization)
            .and_then(|token| self.lock().authorization_server.grant_of(token, now))
            .ok_or(FhirFault::Unauthorized)?;
        fhir::read(grant, kind, id)
    }
}
