//! One PIN, counted at the alias and at the conference that it is tried at.

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
        let deadline = node.settings().policy_deadline;
        let begun = tokio::time::timeout(deadline, count.begin_both(node)).await;
        match begun.unwrap_or(Err(PinAttemptsUnavailable)) {
            Ok(PinAttempt::Counted) => Ok(count),
            Ok(PinAttempt::Locked { retry_after }) => Err(Refusal::PinLocked { retry_after }),
            Err(error) => {
                tracing::warn!("{error}");
                Err(Refusal::PolicyUnavailable)
            }
        }
    }

    async fn begin_both(&self, node: &Node) -> Result<PinAttempt, PinAttemptsUnavailable> {
        let settings = node.settings();
        let limit = |attempts: usize| PinLimit {
            attempts: attempts.max(1),
            window: settings.pin_attempts_window,
        };
        let attempts = node.pin_attempts();
        let by_alias = limit(settings.pin_attempts);
        let begun = attempts.begin(self.alias(), by_alias, self.began).await?;
        if begun != PinAttempt::Counted {
            return Ok(begun);
        }
        let by_conference = limit(settings.pin_attempts_per_conference);
        let begun = attempts.begin(self.conference(), by_conference, self.began);
        let begun = begun.await?;
        if begun != PinAttempt::Counted {
            attempts.withdraw(self.alias(), self.began).await?;
        }
        Ok(begun)
    }

    /// Takes it back: it was not wrong. Whoever waits may go away meanwhile.
    pub(crate) async fn withdrawn(self, node: &Node) {
        let node = node.clone();
        let withdrawn = tokio::spawn(async move {
            let attempts = node.pin_attempts();
            let deadline = node.settings().policy_deadline;
            let both = self.withdraw_both(attempts);
            match tokio::time::timeout(deadline, both).await {
                Ok(Ok(())) => {}
                Ok(Err(PinAttemptsUnavailable)) | Err(_) => {
                    tracing::warn!("a right PIN counts as wrong: it cannot be taken back");
                }
            }
        });
        // It panics only where the counting does, which has said so itself.
        let _ = withdrawn.await;
    }

    async fn withdraw_both(
        &self,
        attempts: &dyn PinAttempts,
    ) -> Result<(), PinAttemptsUnavailable> {
        attempts.withdraw(self.alias(), self.began).await?;
        attempts.withdraw(self.conference(), self.began).await
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
