//! One PIN, counted at the alias and at the conference that it is tried at.

use tokio::time::Instant;
use vestibule_launch::UnixTime;

use crate::{
    Node, PinAttempt, PinAttempts, PinAttemptsUnavailable, PinLimit, PinTarget,
    ServiceConfiguration, alias::Alias, refusal::Refusal,
};

/// A PIN that counts as wrong until it is [`Self::withdrawn`].
pub(crate) struct PinCount {
    alias: String,
    name: String,
    service_tag: String,
    began: UnixTime,
}

/// Where a PIN is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    AtAlias,
    AtBoth,
}

impl PinCount {
    /// Counts a PIN before it is looked at.
    ///
    /// # Errors
    /// [`Refusal::PinLocked`], and [`Refusal::PolicyUnavailable`] where it cannot be
    /// counted.
    pub(crate) async fn begin(
        node: &Node,
        alias: &Alias,
        service: &ServiceConfiguration,
    ) -> Result<Self, Refusal> {
        let count = Self {
            alias: alias.key(),
            name: service.name().to_owned(),
            service_tag: service.service_tag().to_owned(),
            began: node.now(),
        };
        let settings = node.settings();
        let limit = |attempts: usize| PinLimit {
            attempts: attempts.max(1),
            window: settings.pin_attempts_window,
        };
        let end = Instant::now() + settings.policy_deadline;
        let by_alias = limit(settings.pin_attempts);
        count.begin_at(node, count.alias(), by_alias, end).await?;
        let by_conference = limit(settings.pin_attempts_per_conference);
        let begun = count.begin_at(node, count.conference(), by_conference, end);
        match begun.await {
            Ok(()) => Ok(count),
            Err(refusal) => {
                // The PIN is not looked at. Whether it was counted at the conference is not
                // known where that failed: there it may count until the window has passed.
                count.withdrawn_from(node, Counted::AtAlias).await;
                Err(refusal)
            }
        }
    }

    /// Counts it at one of the two.
    async fn begin_at(
        &self,
        node: &Node,
        at: PinTarget<'_>,
        limit: PinLimit,
        end: Instant,
    ) -> Result<(), Refusal> {
        let begun = node.pin_attempts().begin(at, limit, self.began);
        let begun = tokio::time::timeout_at(end, begun).await;
        match begun.unwrap_or(Err(PinAttemptsUnavailable)) {
            Ok(PinAttempt::Counted) => Ok(()),
            Ok(PinAttempt::Locked { retry_after }) => Err(Refusal::PinLocked { retry_after }),
            Err(error) => {
                tracing::warn!("{error}");
                Err(Refusal::PolicyUnavailable)
            }
        }
    }

    /// Takes it back: it was not wrong.
    pub(crate) async fn withdrawn(self, node: &Node) {
        self.withdrawn_from(node, Counted::AtBoth).await;
    }

    /// Whoever waits may go away meanwhile.
    async fn withdrawn_from(self, node: &Node, counted: Counted) {
        let node = node.clone();
        let withdrawn = tokio::spawn(async move {
            let attempts = node.pin_attempts();
            let deadline = node.settings().policy_deadline;
            let withdrawn = self.withdraw(attempts, counted);
            match tokio::time::timeout(deadline, withdrawn).await {
                Ok(Ok(())) => {}
                Ok(Err(PinAttemptsUnavailable)) | Err(_) => {
                    tracing::warn!(
                        "a PIN that was not wrong counts as wrong: it cannot be taken back"
                    );
                }
            }
        });
        // It panics only where the counting does, which has said so itself.
        let _ = withdrawn.await;
    }

    async fn withdraw(
        &self,
        attempts: &dyn PinAttempts,
        counted: Counted,
    ) -> Result<(), PinAttemptsUnavailable> {
        let at_alias = attempts.withdraw(self.alias(), self.began).await;
        let at_conference = match counted {
            Counted::AtAlias => Ok(()),
            Counted::AtBoth => attempts.withdraw(self.conference(), self.began).await,
        };
        at_alias.and(at_conference)
    }

    fn alias(&self) -> PinTarget<'_> {
        PinTarget::Alias(&self.alias)
    }

    fn conference(&self) -> PinTarget<'_> {
        PinTarget::Conference {
            name: &self.name,
            service_tag: &self.service_tag,
        }
    }
}
