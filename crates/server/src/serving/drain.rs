//! The end of serving: nothing new is accepted, what is under way is finished.

use tokio::sync::watch;

/// Says when the end begins.
#[derive(Debug)]
pub struct Drain(watch::Sender<bool>);

/// Whether the end has begun. Clones are told together.
#[derive(Clone, Debug)]
pub struct Draining(watch::Receiver<bool>);

impl Drain {
    /// It has not begun.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// It begins.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// For whoever must know.
    pub fn draining(&self) -> Draining {
        Draining(self.0.subscribe())
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Draining {
    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        // Without whoever says so nothing goes on either.
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits until it begins.
    pub async fn begun(&mut self) {
        // An error says that the sender is gone: the end as well.
        let _ = self.0.wait_for(|begun| *begun).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_hears_of_the_end_and_of_a_lost_sender() {
        let drain = Drain::new();
        let mut draining = drain.draining();
        assert!(!draining.has_begun());
        drain.begin();
        assert!(draining.has_begun());
        draining.begun().await;

        let mut draining = Drain::new().draining();
        assert!(draining.has_begun());
        draining.begun().await;
    }
}
