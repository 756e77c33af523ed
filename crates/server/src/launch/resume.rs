//! A launch that is taken up again: after a reload, or where the session was lost.

use std::time::Duration;

use subtle::ConstantTimeEq as _;
use vestibule_launch::{
    RequestId,
    launch_api::{RedeemedLaunch, ResumeRequest},
};
use vestibule_store::StoreError;

use super::{
    bearer::{BearerError, BearerToken, NoBearer, find_bearer},
    redeem::browser_hash,
};
use crate::{
    sealing::{NotSealedHere, Purpose},
    tools::Tools,
};

/// How long a visit that is over can be taken up again: whoever was alone in it may have
/// reloaded the page, or have no network for a moment.
const GRACE: Duration = Duration::from_secs(60);

/// Why a launch is not taken up again.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// The request's body is not a [`ResumeRequest`].
    #[error("the body must be a JSON object with `browser`")]
    Body(http::StatusCode),
    /// `browser` is not 128 bits in hexadecimal.
    #[error("`browser` must be 32 hexadecimal digits")]
    Browser,
    /// No such launch, another browser, another token, or its time is over.
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// What was sealed cannot be opened.
    #[error("what was stored {0}")]
    Sealed(#[from] NotSealedHere),
}

impl From<StoreError> for ResumeError {
    fn from(error: StoreError) -> Self {
        Self::Bearer(error.into())
    }
}

/// Gives again what the ticket of the launch was redeemed for, to the same browser,
/// until the alias expires or the visit is over.
///
/// # Errors
/// [`ResumeError`].
pub async fn resume(
    tools: &Tools,
    request_id: RequestId,
    token: &BearerToken,
    request: &ResumeRequest,
) -> Result<RedeemedLaunch, ResumeError> {
    let browser = browser_hash(&request.browser).ok_or(ResumeError::Browser)?;
    let bearer = find_bearer(tools, request_id, token).await?;
    if !bool::from(browser.as_bytes().ct_eq(bearer.browser.as_bytes())) {
        return Err(BearerError::from(NoBearer).into());
    }
    let asking = tools
        .store
        .over_since(bearer.appointment, bearer.launched_at);
    let over_since = tools.telemetry.stored("over_since", asking).await?;
    if over_since.is_some_and(|since| since + GRACE <= tools.now()) {
        return Err(BearerError::from(NoBearer).into());
    }
    let id = request_id.as_bytes();
    let mut launch: RedeemedLaunch =
        tools
            .sealer
            .open(Purpose::Resumption, bearer.profile, id, &bearer.sealed)?;
    token.expose().clone_into(&mut launch.token);
    Ok(launch)
}
