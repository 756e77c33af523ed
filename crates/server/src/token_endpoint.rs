//! Asking an EHR's token endpoint: within a deadline, with every secret that is valid,
//! and again only where nothing can have come of it.

use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use tokio::time::Instant;
use vestibule_launch::UnixTime;
use vestibule_smart::{Client, ClockSkew, TokenEndpoint, TokenError, TokenRequest, TokenResponse};

use crate::{http_client::TransportError, profile::Overlap, tools::Tools};

/// How long it may take, repeats included.
const DEADLINE: Duration = Duration::from_secs(8);

/// How long to wait before the one repeat, where the EHR does not say.
const PAUSE: Duration = Duration::from_millis(250);

/// How long to wait at most where it does. Longer is for the user to wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How far the clocks may be apart before they are the reason of a refusal.
const LEEWAY: Duration = Duration::from_secs(60);

/// Why there are no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenEndpointError {
    /// The token endpoint did not answer.
    #[error("the EHR's token endpoint: {0}")]
    Transport(#[from] TransportError),
    /// The answer is a refusal or of no use.
    #[error(transparent)]
    Answer(#[from] TokenError),
    /// This client's assertion was refused, and the clocks are apart.
    #[error("the EHR refused this server's signed proof of itself, and {0}; set the clocks")]
    ClockSkew(ClockSkew),
}

impl TokenEndpointError {
    /// Whether the EHR has decided, so that to ask again is of no use.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Answer(TokenError::Refused(_)))
    }
}

/// Asks for tokens. Where the EHR does not accept this client's secret or key, the one
/// that it has replaced is tried while that is valid.
///
/// # Errors
/// [`TokenEndpointError`], of the first secret where all are refused.
pub async fn ask<C: Clone + Into<Client>>(
    tools: &Tools,
    endpoint: &impl AsRef<TokenEndpoint>,
    clients: &Overlap<C>,
    request: &TokenRequest,
) -> Result<TokenResponse, TokenEndpointError> {
    let until = Instant::now() + DEADLINE;
    let mut first_refusal = None;
    let clients: Vec<Client> = clients
        .valid(tools.now())
        .cloned()
        .map(Into::into)
        .collect();
    for client in clients {
        // A signed proof is good for one use, so each request has its own.
        let build = || {
            let now = tools.now();
            let request = request.clone();
            tools
                .random
                .with(|rng| client.request(request, endpoint, now, rng))
        };
        let answer = send(tools, build, until).await?;
        match TokenResponse::from_response(&answer) {
            Err(error) if is_refused_client(&error) => {
                let error = skewed(&client, &answer, tools.now()).unwrap_or(error.into());
                first_refusal.get_or_insert(error);
            }
            other => return Ok(other?),
        }
    }
    Err(first_refusal.expect("a current secret there always is"))
}

/// Sends, and once more where the EHR cannot have seen the request or says that it has
/// not handled it.
async fn send(
    tools: &Tools,
    build: impl Fn() -> Request<Vec<u8>>,
    until: Instant,
) -> Result<Response<Vec<u8>>, TransportError> {
    let left = || until.saturating_duration_since(Instant::now());
    let first = tools.transport.send(build(), left()).await;
    let pause = match &first {
        Err(error) if error.nothing_was_sent() => PAUSE,
        Ok(answer) if answer.status() == StatusCode::SERVICE_UNAVAILABLE => {
            match retry_after(answer) {
                None => PAUSE,
                Some(pause) if pause <= LONGEST_PAUSE => pause,
                Some(_) => return first,
            }
        }
        _ => return first,
    };
    tokio::time::sleep(pause.min(left())).await;
    tools.transport.send(build(), left()).await
}

/// `Retry-After` in seconds; a date is not read, and counts as too long.
fn retry_after(answer: &Response<Vec<u8>>) -> Option<Duration> {
    let value = answer.headers().get(header::RETRY_AFTER)?;
    let seconds = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok());
    Some(Duration::from_secs(seconds.unwrap_or(u64::MAX)))
}

fn is_refused_client(error: &TokenError) -> bool {
    match error {
        TokenError::Refused(error) => error.as_str() == "invalid_client",
        TokenError::Status(status) => *status == 401,
        TokenError::TooLarge | TokenError::Malformed(_) => false,
    }
}

fn skewed(
    client: &Client,
    answer: &Response<Vec<u8>>,
    now: UnixTime,
) -> Option<TokenEndpointError> {
    let Client::PrivateKey { .. } = client else {
        return None;
    };
    let skew = ClockSkew::of_answer(answer.headers(), now)?;
    skew.exceeds(LEEWAY)
        .then_some(TokenEndpointError::ClockSkew(skew))
}
