//! What this server asks of every launch, whatever its profile.

use std::sync::OnceLock;

use crate::{
    config::Config, limits::LaunchLimits, retention::Days, source_address::TrustedProxies,
};

/// Rules for all launches.
#[derive(Debug, Default)]
pub struct LaunchRules {
    /// How many may come from one place.
    pub limits: LaunchLimits,
    /// Who is believed where a launch comes from.
    pub trusted_proxies: TrustedProxies,
    /// Whether a browser must prove that a launch began in it.
    pub cookie_required: bool,
    /// How long launches are kept.
    pub keep: Days,
    proxy_is_told_of: OnceLock<()>,
}

impl LaunchRules {
    /// As the configuration says.
    pub fn new(config: &Config) -> Self {
        Self {
            limits: LaunchLimits::new(config.limits),
            trusted_proxies: config.trusted_proxies.clone(),
            cookie_required: config.require_launch_cookie,
            keep: config.retention.days,
            proxy_is_told_of: OnceLock::new(),
        }
    }

    /// Says in the log, once, that a peer speaks for others and is not believed. Anybody
    /// can do so; a proxy that does it makes all launches count as one place's.
    pub fn tell_of_a_proxy(&self) {
        self.proxy_is_told_of.get_or_init(|| {
            tracing::warn!(
                "a peer that trusted_proxies does not name sends X-Forwarded-For, which is \
                 not believed; if it is the reverse proxy before this server, name it there, \
                 or all launches count as coming from one address"
            );
        });
    }
}
