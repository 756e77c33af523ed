//! The wish of the user, or of the machine, that the demo ends.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use anyhow::{Context, Result};

/// Told once a signal to stop has arrived.
pub(super) struct Stop(Receiver<()>);

impl Stop {
    /// Catches SIGINT (Ctrl-C), SIGTERM and SIGHUP from now on.
    pub(super) fn on_signals() -> Result<Self> {
        let (sender, receiver) = channel();
        ctrlc::set_handler(move || {
            // Fails only where the demo is over already.
            let _ = sender.send(());
        })
        .context("cannot catch Ctrl-C")?;
        Ok(Self(receiver))
    }

    /// Waits this long at most; whether to stop.
    pub(super) fn wait(&self, time: Duration) -> bool {
        !matches!(self.0.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }

    #[cfg(test)]
    pub(super) fn never() -> (Self, std::sync::mpsc::Sender<()>) {
        let (sender, receiver) = channel();
        (Self(receiver), sender)
    }
}
