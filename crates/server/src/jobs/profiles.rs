//! Notices changes of the profiles: in the folder on SIGHUP, in the database by itself,
//! whoever made them.

use std::time::Duration;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::MissedTickBehavior,
};

use crate::profile::{Registry, RegistryError};

/// How often the database is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often expired secrets are forgotten, in looks at the database: every minute.
const FORGET: u32 = 30;

/// SIGHUPs from now on. Without it one would end the process.
pub(crate) struct Hangups(Option<Signal>);

impl Hangups {
    pub(crate) fn new() -> Self {
        match signal(SignalKind::hangup()) {
            Ok(hangups) => Self(Some(hangups)),
            Err(error) => {
                tracing::error!(%error, "SIGHUP will not reload the profiles");
                Self(None)
            }
        }
    }

    async fn next(&mut self) {
        let came = match &mut self.0 {
            Some(hangups) => hangups.recv().await,
            None => None,
        };
        if came.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

pub(super) async fn run(registry: &Registry, mut hangups: Hangups) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = 0_u32;
    let mut told = None;
    loop {
        tokio::select! {
            () = hangups.next() => {
                reload(registry).await;
                told = None;
            }
            _ = ticks.tick() => {
                look(registry, &mut told).await;
                looks = looks.wrapping_add(1);
                if looks.is_multiple_of(FORGET) {
                    forget(registry).await;
                }
            }
        }
    }
}

async fn reload(registry: &Registry) {
    match registry.reload().await {
        Ok(()) => {
            let profiles = registry.entries().len();
            tracing::info!(profiles, "the profiles are reloaded");
        }
        Err(error) => tracing::error!(%error, "the profiles stay as they were"),
    }
}

/// The same fault is told once, not at every look.
async fn look(registry: &Registry, told: &mut Option<String>) {
    match registry.refresh().await {
        Ok(changed) => {
            *told = None;
            if changed {
                let profiles = registry.entries().len();
                tracing::info!(profiles, "the profiles of the database have changed");
            }
        }
        Err(error) => tell(&error, told),
    }
}

fn tell(error: &RegistryError, told: &mut Option<String>) {
    let text = error.to_string();
    if told.as_ref() != Some(&text) {
        tracing::error!(%error, "the profiles stay as they were");
        *told = Some(text);
    }
}

async fn forget(registry: &Registry) {
    match registry.forget_expired().await {
        Ok(0) => {}
        Ok(profiles) => tracing::info!(profiles, "replaced secrets are forgotten"),
        Err(error) => tracing::error!(%error, "replaced secrets cannot be forgotten"),
    }
}
