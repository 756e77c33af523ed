//! Renewing the tokens that a launch holds.

use std::time::Duration;

use rand::RngExt as _;
use vestibule_launch::UnixTime;
use vestibule_store::Session;

use super::{Held, SessionError, SignedIn};
use crate::{
    profile::Profile,
    telemetry::RenewalOutcome,
    token_endpoint::{self, TokenEndpointError},
    tools::Tools,
};

/// How far apart attempts are, at least and at most.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(2 * 60);

/// How far apart it is tried to store renewed tokens: the EHR may have made the old ones
/// useless.
const STORING: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// Why tokens are not renewed.
#[derive(Debug, thiserror::Error)]
enum RenewalError {
    /// The profile is gone or has no sign-in any more.
    #[error("its profile has no sign-in any more")]
    NoSignIn,
    /// The EHR gave nothing to renew the tokens with.
    #[error("there is nothing to renew the tokens with")]
    NoRefreshToken,
    /// The EHR gave no new tokens.
    #[error(transparent)]
    Ehr(#[from] TokenEndpointError),
    /// The lease was over, and somebody else renews the tokens.
    #[error("somebody else renews the tokens")]
    Lost,
    /// What is stored cannot be had, or the new tokens not stored.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Renews the tokens of a session that this caller has claimed. Where that fails says in
/// the log why, and when it is tried again: never where the EHR has decided or the
/// tokens have expired meanwhile. Then EHR calls of this launch fail, which is logged
/// once, with `degraded`.
pub(crate) async fn renew_or_put_off(
    tools: &Tools,
    profile: Option<&Profile>,
    session: &Session,
) -> Option<SignedIn> {
    let request_id = session.request_id;
    let error = match renew(tools, profile, session).await {
        Ok(signed_in) => {
            tools.telemetry.renewal(RenewalOutcome::Renewed);
            tracing::info!(%request_id, "the EHR's tokens are renewed");
            return Some(signed_in);
        }
        Err(RenewalError::Lost) => {
            tools.telemetry.renewal(RenewalOutcome::Lost);
            tracing::info!(%request_id, "somebody else renews the EHR's tokens");
            return None;
        }
        Err(error) => error,
    };
    let try_again_at = if error.is_final() {
        None
    } else {
        next_attempt(tools, session.expires_at)
    };
    let degraded = try_again_at.is_none();
    if degraded {
        tools.telemetry.renewal(RenewalOutcome::GivenUp);
        tracing::error!(%request_id, %error, degraded, "the EHR's tokens are not renewed any more");
    } else {
        tools.telemetry.renewal(RenewalOutcome::Later);
        tracing::warn!(%request_id, %error, "the EHR's tokens are not renewed; it is tried again");
    }
    if let Err(error) = tools.store.renewal_failed(session, try_again_at).await {
        // The lease ends by itself.
        tracing::error!(%request_id, %error, "a failed renewal cannot be recorded");
    }
    None
}

/// A quarter of what is left, so that attempts come closer together as the end comes
/// near; with jitter, so that the launches of a morning do not all come at once.
fn next_attempt(tools: &Tools, expires_at: UnixTime) -> Option<UnixTime> {
    let now = tools.now();
    let pause = (expires_at.since(now) / 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    let jitter = tools.random.with(|rng| rng.random_range(0.5..1.0));
    let next = now + pause.mul_f64(jitter);
    (next < expires_at).then_some(next)
}

async fn renew(
    tools: &Tools,
    profile: Option<&Profile>,
    session: &Session,
) -> Result<SignedIn, RenewalError> {
    let sign_in = profile.and_then(|profile| profile.sign_in.as_ref());
    let sign_in = sign_in.ok_or(RenewalError::NoSignIn)?;
    let credentials = &sign_in.application(session.role).credentials;
    let held = Held::open(tools, session).map_err(SessionError::from)?;
    let old = held.signed_in.as_ref();
    let old = old.ok_or(RenewalError::NoRefreshToken)?.clone();
    let request = old.tokens.renewal().ok_or(RenewalError::NoRefreshToken)?;

    let asked_at = tools.now();
    let response = token_endpoint::ask(tools, &old.token_endpoint, credentials, &request).await?;
    let renewed = SignedIn {
        scope: response.scope.clone().or(old.scope),
        tokens: old.tokens.renewed(&response, asked_at),
        ..old
    };
    let held = Held {
        signed_in: Some(renewed.clone()),
        ..held
    };
    if store(tools, session, &held, &renewed).await? {
        Ok(renewed)
    } else {
        Err(RenewalError::Lost)
    }
}

/// A refresh token that the EHR has replaced is stored before it can be used again.
async fn store(
    tools: &Tools,
    session: &Session,
    held: &Held,
    renewed: &SignedIn,
) -> Result<bool, SessionError> {
    let (renew_at, expires_at) = (renewed.tokens.renew_at(), renewed.tokens.expires_at());
    let mut pauses = STORING.into_iter();
    loop {
        let sealed = held.seal(tools, session.profile, session.request_id);
        let stored = tools.store.renewed(session, sealed, renew_at, expires_at);
        match (stored.await, pauses.next()) {
            (Ok(stored), _) => return Ok(stored),
            (Err(_), Some(pause)) => tokio::time::sleep(pause).await,
            (Err(error), None) => return Err(error.into()),
        }
    }
}

impl RenewalError {
    /// Whether another attempt is of no use.
    fn is_final(&self) -> bool {
        match self {
            Self::NoSignIn | Self::NoRefreshToken => true,
            Self::Ehr(error) => error.is_final(),
            Self::Session(SessionError::Sealed(_)) => true,
            Self::Session(SessionError::Store(_)) | Self::Lost => false,
        }
    }
}
