//! From a one-time ticket to what it stands for.

use sha2::{Digest as _, Sha256};
use vestibule_launch::{
    LaunchTicket,
    launch_api::{RedeemRequest, RedeemedLaunch},
};
use vestibule_store::{BrowserHash, Redemption, StoreError, TicketHash};

use crate::{
    sealing::{NotSealedHere, Purpose},
    tools::Tools,
};

/// Characters of `browser`: 128 bits in hexadecimal.
const BROWSER_LENGTH: usize = 32;

/// Why a ticket is not redeemed.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// The request's body is not a [`RedeemRequest`].
    #[error("the body must be a JSON object with `ticket` and `browser`")]
    Body(http::StatusCode),
    /// `browser` is not 128 bits in hexadecimal.
    #[error("`browser` must be 32 hexadecimal digits")]
    Browser,
    /// The ticket is malformed, unknown or expired.
    #[error("the ticket is unknown or has expired; open the visit from the appointment again")]
    Unknown,
    /// Another browser redeemed it, or this one more than 60 seconds ago.
    #[error("the ticket was used already; open the visit from the appointment again")]
    Used,
    /// What was sealed cannot be opened.
    #[error("what was stored {0}")]
    Sealed(#[from] NotSealedHere),
    /// The store failed.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

/// Redeems a ticket for the first browser that asks.
///
/// # Errors
/// [`RedeemError`].
pub async fn redeem(tools: &Tools, request: &RedeemRequest) -> Result<RedeemedLaunch, RedeemError> {
    let browser = browser_hash(&request.browser).ok_or(RedeemError::Browser)?;
    let ticket = LaunchTicket::parse(&request.ticket).map_err(|_| RedeemError::Unknown)?;
    let hash = TicketHash::from_bytes(ticket.hash());
    let redeeming = tools.store.redeem_ticket(hash, browser, tools.now());
    match tools.telemetry.stored("redeem_ticket", redeeming).await? {
        Redemption::Redeemed(redeemed) => {
            let id = redeemed.request_id.as_bytes();
            Ok(tools
                .sealer
                .open(Purpose::Ticket, redeemed.profile, id, &redeemed.sealed)?)
        }
        Redemption::Used => Err(RedeemError::Used),
        Redemption::Unknown => Err(RedeemError::Unknown),
    }
}

/// By what a browser is known again; `None` where `browser` is not 128 bits in
/// hexadecimal.
pub(super) fn browser_hash(browser: &str) -> Option<BrowserHash> {
    is_browser_key(browser).then(|| BrowserHash::from_bytes(Sha256::digest(browser).into()))
}

/// Whether `browser` is 128 bits in hexadecimal.
pub(crate) fn is_browser_key(browser: &str) -> bool {
    browser.len() == BROWSER_LENGTH && browser.bytes().all(|byte| byte.is_ascii_hexdigit())
}
