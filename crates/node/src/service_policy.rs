//! Where the node learns which services there are.

use crate::ServiceConfiguration;

/// Answers what stands behind an alias: the contract of Pexip's external policy
/// (`GET /policy/v1/service/configuration`), in-process.
#[async_trait::async_trait]
pub trait ServicePolicy: Send + Sync {
    /// The service behind `local_alias`, which is the alias as dialled, without
    /// a scheme; `None` where there is none.
    ///
    /// Answers for one service should differ in nothing but their PINs. The
    /// node waits no longer than
    /// [`NodeSettings::policy_deadline`](crate::NodeSettings::policy_deadline).
    ///
    /// # Errors
    /// [`PolicyUnavailable`] where it cannot be known now.
    async fn service_configuration(
        &self,
        local_alias: &str,
    ) -> Result<Option<ServiceConfiguration>, PolicyUnavailable>;
}

/// The policy cannot answer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service policy is not available; try again later")]
pub struct PolicyUnavailable;
