//! Fetches an application's JWK set from its JWKS URL.

use std::{sync::OnceLock, time::Duration};

use url::Url;

use crate::client_keys::{KEY_SET_MAX, KeySet, KeySetFault};

/// How long it may take, connecting included.
const DEADLINE: Duration = Duration::from_secs(5);

/// An HTTP client for nothing else, made for the first application that has a URL.
#[derive(Default)]
pub(crate) struct KeyFetch(OnceLock<reqwest::Client>);

/// Why an application's keys are not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFetchFault {
    #[error("the JWKS URL of the client cannot be reached or breaks off")]
    Unreachable,
    #[error("the JWKS URL of the client does not answer within five seconds")]
    Late,
    #[error("the JWKS URL of the client does not answer with status 200")]
    Status,
    #[error(transparent)]
    Keys(#[from] KeySetFault),
}

impl KeyFetch {
    fn client(&self) -> &reqwest::Client {
        self.0.get_or_init(|| {
            #[expect(
                clippy::disallowed_methods,
                reason = "the sandbox's only outbound requests, with what server/src/http_client.rs asks for"
            )]
            let builder = reqwest::Client::builder();
            builder
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .user_agent(concat!("vestibule-sandbox/", env!("CARGO_PKG_VERSION")))
                .build()
                .expect("a client without TLS reads nothing from the machine")
        })
    }

    pub(crate) async fn fetch(&self, url: Url) -> Result<KeySet, KeyFetchFault> {
        let body = tokio::time::timeout(DEADLINE, self.body(url))
            .await
            .unwrap_or(Err(KeyFetchFault::Late))?;
        Ok(KeySet::parse(&body)?)
    }

    async fn body(&self, url: Url) -> Result<Vec<u8>, KeyFetchFault> {
        let unreachable = |_| KeyFetchFault::Unreachable;
        let request = self.client().get(url).header("accept", "application/json");
        let mut response = request.send().await.map_err(unreachable)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(KeyFetchFault::Status);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > KEY_SET_MAX {
                return Err(KeySetFault::TooLong.into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}
