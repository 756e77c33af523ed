//! The backend application: how this server signs itself in at an EHR, without a user
//! (SMART App Launch 2.2, "Backend Services"). Direct join links and what is told to
//! the EHR of their launches need it.

use std::{fmt, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use vestibule_launch::UnixTime;
use vestibule_smart::{AssertionKey, Client, Jwks, TokenEndpoint, TokenRequest};

use crate::{
    profile::Overlap,
    token_endpoint::{self, TokenEndpointError},
    tools::Tools,
};

mod keys;

pub(crate) use keys::JWKS_ROUTE;
pub use keys::{BackendKeys, JWKS_MAX_AGE, jwks_path};

/// How long after a failure the token endpoint is not asked again: who waited for the
/// same token hears the same.
const PAUSE: Duration = Duration::from_secs(2);

/// How long before its end a token is not used any more, at the most.
const LONGEST_MARGIN: Duration = Duration::from_secs(60);

/// Until when the second key may be tried: it is only looked at once.
const FOR_THIS_REQUEST: UnixTime = UnixTime::from_millis(i64::MAX);

/// The backend application of one profile, with the token that it has.
pub struct Backend {
    client_id: String,
    endpoint: TokenEndpoint,
    keys: BackendKeys,
    held: Mutex<Held>,
}

/// What is known of the token. One request at a time brings a new one.
#[derive(Default)]
struct Held {
    token: Option<(SecretString, UnixTime)>,
    failure: Option<(TokenEndpointError, UnixTime)>,
}

impl Backend {
    /// An application that is registered with the EHR under this id.
    pub fn new(client_id: String, endpoint: TokenEndpoint, keys: BackendKeys) -> Self {
        Self {
            client_id,
            endpoint,
            keys,
            held: Mutex::default(),
        }
    }

    /// The application's id at the EHR.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The EHR's token endpoint.
    pub fn endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    /// The public keys, as the EHR is to see them at `now`.
    pub fn jwks(&self, now: UnixTime) -> Jwks {
        self.keys.published(now)
    }

    /// An access token: the one that is there while it is good, or else a new one,
    /// asked for once however many wait for it.
    ///
    /// # Errors
    /// [`TokenEndpointError`].
    pub async fn access_token(&self, tools: &Tools) -> Result<SecretString, TokenEndpointError> {
        self.token_other_than(tools, None).await
    }

    /// The same where the EHR has refused the token `refused`.
    ///
    /// # Errors
    /// [`TokenEndpointError`].
    pub async fn new_access_token(
        &self,
        tools: &Tools,
        refused: &SecretString,
    ) -> Result<SecretString, TokenEndpointError> {
        self.token_other_than(tools, Some(refused)).await
    }

    async fn token_other_than(
        &self,
        tools: &Tools,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, TokenEndpointError> {
        let mut held = self.held.lock().await;
        let now = tools.now();
        if let Some((token, good_until)) = &held.token
            && now < *good_until
            && refused.is_none_or(|refused| refused.expose_secret() != token.expose_secret())
        {
            return Ok(token.clone());
        }
        if let Some((failure, until)) = &held.failure
            && now < *until
        {
            return Err(failure.clone());
        }
        let asked = self.ask(tools, now).await;
        *held = match &asked {
            Ok((token, good_until)) => Held {
                token: Some((token.clone(), *good_until)),
                failure: None,
            },
            Err(error) => Held {
                token: None,
                failure: Some((error.clone(), tools.now() + PAUSE)),
            },
        };
        asked.map(|(token, _)| token)
    }

    /// A new token, and until when it is to be used.
    async fn ask(
        &self,
        tools: &Tools,
        now: UnixTime,
    ) -> Result<(SecretString, UnixTime), TokenEndpointError> {
        let client = |key: &AssertionKey| Client::PrivateKey {
            client_id: self.client_id.clone(),
            key: key.clone(),
        };
        let (first, second) = self.keys.signing(now);
        let second = second.map(|key| (client(key), FOR_THIS_REQUEST));
        let clients = Overlap::new(client(first), second);
        let request = TokenRequest::ClientCredentials { scope: None };
        let response = token_endpoint::ask(tools, &self.endpoint, &clients, &request).await?;
        let life = response.expires_in;
        let good_until = now + (life - (life / 6).min(LONGEST_MARGIN));
        Ok((response.access_token, good_until))
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
