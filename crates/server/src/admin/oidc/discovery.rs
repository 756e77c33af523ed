//! The provider's metadata: OpenID Connect Discovery 1.0, section 4.

use std::time::Duration;

use axum::http::{Request, header};
use tokio::{sync::Mutex, time::timeout};
use vestibule_launch::UnixTime;
use vestibule_smart::Metadata;

use super::{DEADLINE, OidcError};
use crate::tools::Tools;

/// How long the provider's metadata is believed.
const BELIEVED: Duration = Duration::from_secs(10 * 60);

/// How long it is believed that the provider cannot be reached.
const AWAY: Duration = Duration::from_secs(5);

/// How long a request waits for another one that asks for the metadata.
const PATIENCE: Duration = Duration::from_secs(2);

/// The metadata, asked for by one request at a time.
#[derive(Default)]
pub(super) struct Discovery(Mutex<Known>);

/// What is known of the provider.
#[derive(Default)]
enum Known {
    #[default]
    Nothing,
    /// Its metadata, believed until then.
    Metadata(Box<Metadata>, UnixTime),
    /// It cannot be reached; it is not asked before then.
    Away(UnixTime),
}

impl Discovery {
    /// The metadata of the provider of this name.
    pub(super) async fn metadata(
        &self,
        tools: &Tools,
        issuer: &str,
    ) -> Result<Metadata, OidcError> {
        let known = timeout(PATIENCE, self.0.lock()).await;
        let mut known = known.map_err(|_| OidcError::Away)?;
        match &*known {
            Known::Metadata(metadata, until) if tools.now() < *until => {
                return Ok(metadata.as_ref().clone());
            }
            Known::Away(until) if tools.now() < *until => return Err(OidcError::Away),
            _ => {}
        }
        let fetched = fetch(tools, issuer).await;
        *known = match &fetched {
            Ok(metadata) => Known::Metadata(Box::new(metadata.clone()), tools.now() + BELIEVED),
            Err(_) => Known::Away(tools.now() + AWAY),
        };
        fetched
    }
}

async fn fetch(tools: &Tools, issuer: &str) -> Result<Metadata, OidcError> {
    let base = issuer.trim_end_matches('/');
    let request = Request::get(format!("{base}/.well-known/openid-configuration"))
        .header(header::ACCEPT, "application/json")
        .body(Vec::new())
        .expect("the configuration has checked the issuer");
    let answer = tools.transport.send(request, DEADLINE).await?;
    let metadata = Metadata::from_response(&answer)?;
    if metadata.issuer() != Some(issuer) {
        return Err(OidcError::OtherIssuer);
    }
    Ok(metadata)
}
