//! The one-time `launch` parameter: who presses which button.

use std::time::Duration;

use rand::CryptoRng;
use vestibule_launch::{EhrRole, UnixTime};

use super::{AuthorizationServer, GRANT_LIFETIME};
use crate::{
    opaque::{Digest, Opaque},
    visit::Visit,
};

const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A launch that was handed to the browser.
pub(super) struct LaunchToken {
    visit: Visit,
    expires: UnixTime,
    used: bool,
}

/// Why a `launch` parameter is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LaunchFault {
    #[error("this EHR has not issued the launch token")]
    Unknown,
    #[error("the launch token was issued to another client")]
    OfAnotherClient,
    #[error("the launch token was used before")]
    Used,
    #[error("the launch token has expired")]
    Expired,
}

impl AuthorizationServer {
    /// A launch token for the client of the visitor's role, good once and for
    /// five minutes.
    pub(crate) fn issue_launch_token(
        &mut self,
        visit: Visit,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Opaque {
        let token = Opaque::generate(rng);
        let launch = LaunchToken {
            visit,
            expires: now + LIFETIME,
            used: false,
        };
        self.launch_tokens
            .insert(token.digest(), launch, now + GRANT_LIFETIME, now);
        token
    }

    /// Uses up a launch token for the client of `role`.
    pub(super) fn use_launch_token(
        &mut self,
        token: &str,
        role: EhrRole,
        now: UnixTime,
    ) -> Result<Visit, LaunchFault> {
        let launch = self
            .launch_tokens
            .get_mut(&Digest::of(token), now)
            .ok_or(LaunchFault::Unknown)?;
        if launch.visit.role() != role {
            return Err(LaunchFault::OfAnotherClient);
        }
        if launch.used {
            return Err(LaunchFault::Used);
        }
        if launch.expires <= now {
            return Err(LaunchFault::Expired);
        }
        launch.used = true;
        Ok(launch.visit)
    }
}
