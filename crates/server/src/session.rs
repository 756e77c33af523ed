//! What a launch holds of the EHR while its visit may run: its tokens where the EHR
//! signed the user in, and who the EHR says it is. Kept sealed, for write-backs.

use std::{fmt, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vestibule_launch::{LaunchContext, RequestId, UnixTime};
use vestibule_smart::{TokenEndpoint, TokenResponse, Tokens};
use vestibule_store::{NewSession, Session, StoreError};

use crate::{
    profile::Profile,
    sealing::{NotSealedHere, Purpose},
    tools::Tools,
};

mod renewal;

pub(crate) use renewal::renew_or_put_off;

/// A token that expires sooner than this is not handed out: the EHR would get it late.
const LAST_USE: Duration = Duration::from_secs(15);

/// Nobody else renews a session for so long: longer than the token endpoint may take.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// How often and how far apart it is looked whether somebody else has renewed a token.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// What a launch holds of the EHR. `Debug` shows nothing of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Held {
    /// Which appointment.
    pub unique_encounter_id: String,
    /// Who launched, as the EHR knows them.
    pub external_id: Option<String>,
    /// The EHR's conference.
    pub conference_id: Option<String>,
    signed_in: Option<SignedIn>,
}

/// The user's tokens, and where they come from.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    tokens: Tokens,
    token_endpoint: TokenEndpoint,
    /// What the EHR granted, where it says so.
    scope: Option<String>,
}

/// Why what a launch holds cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// What was sealed cannot be opened.
    #[error("what was stored of the session {0}")]
    Sealed(#[from] NotSealedHere),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the launch `request_id` holds; `None` where that has ended, or the launch never
/// completed.
///
/// # Errors
/// [`SessionError`].
pub async fn held(tools: &Tools, request_id: RequestId) -> Result<Option<Held>, SessionError> {
    match tools.store.find_session(request_id).await? {
        Some(session) => Ok(Some(Held::open(tools, &session)?)),
        None => Ok(None),
    }
}

/// The access token of the launch `request_id`, renewed first where it is about to
/// expire. `None` where there is none that is good: no sign-in, or the EHR does not
/// renew it, which is logged.
///
/// # Errors
/// [`SessionError`].
pub async fn access_token(
    tools: &Tools,
    profile: &Profile,
    request_id: RequestId,
) -> Result<Option<SecretString>, SessionError> {
    good_token(tools, profile, request_id, |_| true).await
}

/// The same where the EHR has refused `refused`: another one.
///
/// # Errors
/// [`SessionError`].
pub async fn another_access_token(
    tools: &Tools,
    profile: &Profile,
    request_id: RequestId,
    refused: &SecretString,
) -> Result<Option<SecretString>, SessionError> {
    good_token(tools, profile, request_id, |token| token.is_not(refused)).await
}

/// Where somebody else is renewing the token, waits for a few seconds.
async fn good_token(
    tools: &Tools,
    profile: &Profile,
    request_id: RequestId,
    wanted: impl Fn(&SignedIn) -> bool,
) -> Result<Option<SecretString>, SessionError> {
    for _ in 0..LOOKS {
        let Some(session) = tools.store.find_session(request_id).await? else {
            return Ok(None);
        };
        let Some(signed_in) = Held::open(tools, &session)?.signed_in else {
            return Ok(None);
        };
        let is_good = signed_in.is_good(tools.now());
        if is_good && wanted(&signed_in) {
            return Ok(Some(signed_in.access_token()));
        }
        // Given up, or put off because it has just failed.
        let put_off = |renew_at| !is_good && tools.now() < renew_at;
        if session.renew_at.is_none_or(put_off) {
            return Ok(None);
        }
        let claimed = tools.store.claim_renewal(request_id, tools.now(), LEASE);
        let Some(session) = claimed.await? else {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            continue;
        };
        // Somebody else may have been faster between the look and the claim.
        let now_held = Held::open(tools, &session)?.signed_in;
        let usable = now_held.filter(|it| it.is_good(tools.now()) && wanted(it));
        if let Some(signed_in) = usable {
            let renew_at = session.renew_at;
            tools.store.renewal_failed(&session, renew_at).await?;
            return Ok(Some(signed_in.access_token()));
        }
        let renewed = renew_or_put_off(tools, Some(profile), &session).await;
        return Ok(renewed.map(|signed_in| signed_in.access_token()));
    }
    Ok(None)
}

impl Held {
    /// What a launch holds as it completes.
    pub(crate) fn new(context: &LaunchContext, signed_in: Option<SignedIn>) -> Self {
        Self {
            unique_encounter_id: context.unique_encounter_id.as_str().to_owned(),
            external_id: context.external_id.clone(),
            conference_id: context.conference_id.clone(),
            signed_in,
        }
    }

    /// For the store. Where there are no tokens it is kept for `launch_validity`.
    pub(crate) fn into_session(
        self,
        tools: &Tools,
        profile: &Profile,
        request_id: RequestId,
    ) -> NewSession {
        let signed_in = self.signed_in.as_ref();
        NewSession {
            sealed: self.seal(tools, profile.uuid, request_id),
            renew_at: signed_in.and_then(|signed_in| signed_in.tokens.renew_at()),
            expires_at: signed_in.map_or_else(
                || tools.now() + profile.launch_validity,
                |signed_in| signed_in.tokens.expires_at(),
            ),
        }
    }

    fn seal(&self, tools: &Tools, profile: Uuid, request_id: RequestId) -> Vec<u8> {
        let id = request_id.as_bytes();
        tools
            .random
            .with(|rng| tools.sealer.seal(Purpose::Session, profile, id, self, rng))
    }

    fn open(tools: &Tools, session: &Session) -> Result<Self, NotSealedHere> {
        let id = session.request_id.as_bytes();
        tools
            .sealer
            .open(Purpose::Session, session.profile, id, &session.sealed)
    }
}

impl SignedIn {
    /// Tokens that were asked for at `asked_at`.
    pub(crate) fn new(
        response: &TokenResponse,
        token_endpoint: TokenEndpoint,
        asked_at: UnixTime,
    ) -> Self {
        Self {
            tokens: Tokens::new(response, asked_at),
            token_endpoint,
            scope: response.scope.clone(),
        }
    }

    fn is_good(&self, now: UnixTime) -> bool {
        now + LAST_USE < self.tokens.expires_at()
    }

    fn is_not(&self, token: &SecretString) -> bool {
        use secrecy::ExposeSecret as _;
        self.access_token().expose_secret() != token.expose_secret()
    }

    fn access_token(&self) -> SecretString {
        let header = self.tokens.authorization();
        let bearer = header.to_str().ok();
        let token = bearer.and_then(|value| value.strip_prefix("Bearer "));
        token.expect("it is made of the token").into()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(…)")
    }
}
