//! One attempt to tell an EHR something, and what follows from how it went.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use rand::RngExt as _;
use secrecy::SecretString;
use uuid::Uuid;
use vestibule_launch::{RequestId, UnixTime};
use vestibule_store::{NotTold, Reason, StoreError, WriteBack as Stored};

use super::{Authentication, CannotTell, Status, StatusChange, outbox::Letter};
use crate::{
    http_client::TransportError,
    profile::Profile,
    sealing::{NotSealedHere, Purpose},
    session::{self, SessionError},
    state::AppState,
    token_endpoint::TokenEndpointError,
    tools::Tools,
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long an EHR may take to answer.
const DEADLINE: Duration = Duration::from_secs(8);

/// How long an attempt may take: longer than its parts can together, since tokens that
/// are renewed in it would be lost with it.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(90);

/// How far apart attempts are, at first and at most; jitter takes up to half of it.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// How long it is tried.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// The EHR has taken it.
    Sent { status: u16 },
    /// The EHR has not, for a reason.
    Not {
        status: Option<u16>,
        reason: Reason,
        then: NotTold,
    },
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("its profile is gone, or has no such write-back any more")]
    NotAsked,
    #[error("what was stored {0}")]
    Sealed(#[from] NotSealedHere),
    #[error(transparent)]
    CannotTell(#[from] CannotTell),
    #[error("the EHR's session has ended, and the profile has no backend application")]
    SessionOver,
    #[error("the EHR renews no access token at the moment")]
    NoAccessToken,
    #[error("the backend application: {0}")]
    Backend(#[from] TokenEndpointError),
    #[error("the EHR answered {0}")]
    Answered(StatusCode, Option<Duration>),
    #[error("the EHR {0}")]
    Transport(TransportError),
    #[error("it took longer than {} seconds altogether", ATTEMPT.as_secs())]
    TooLong,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tries it once, and says in the log how that went.
pub(crate) async fn deliver(state: &AppState, stored: &Stored) -> Delivered {
    let tools = &state.tools;
    let (request_id, attempts) = (stored.request_id, stored.attempts);
    let letter = match open(tools, stored) {
        Ok(letter) => letter,
        Err(error) => {
            tracing::error!(%request_id, %error, "a write-back is given up");
            return Delivered::Not {
                status: None,
                reason: Reason::Unopened,
                then: NotTold::GiveUp,
            };
        }
    };
    let write_back = letter.write_back.as_str();
    let change = letter.status.change.as_str();
    let error = match in_time(attempt(state, stored, &letter)).await {
        Ok(Some(status)) => {
            let status = status.as_u16();
            tracing::info!(%request_id, write_back, change, status, attempts, "the EHR was told");
            return Delivered::Sent { status };
        }
        Ok(None) => {
            tracing::info!(%request_id, write_back, change, "the visit goes on: not told");
            return Delivered::Not {
                status: None,
                reason: Reason::VisitGoesOn,
                then: NotTold::NotNeeded,
            };
        }
        Err(error) => error,
    };
    let (status, reason) = (error.status(), error.reason());
    let then = match next_attempt(tools, stored, &error) {
        Some(at) => {
            tracing::warn!(
                %request_id, write_back, change, attempts, status, %error,
                "the EHR was not told; it is tried again"
            );
            NotTold::TryAgain { at }
        }
        None => {
            tracing::error!(
                %request_id, write_back, change, attempts, status, %error,
                "the EHR was not told, and it is given up"
            );
            NotTold::GiveUp
        }
    };
    Delivered::Not {
        status,
        reason,
        then,
    }
}

fn open(tools: &Tools, stored: &Stored) -> Result<Letter, NotSealedHere> {
    let id = stored.request_id.as_bytes();
    tools
        .sealer
        .open(Purpose::WriteBack, stored.profile, id, &stored.sealed)
}

async fn in_time<T>(attempt: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let attempt = tokio::time::timeout(ATTEMPT, attempt);
    attempt.await.unwrap_or(Err(Failed::TooLong))
}

/// `None` where it is not true any more.
async fn attempt(
    state: &AppState,
    stored: &Stored,
    letter: &Letter,
) -> Result<Option<StatusCode>, Failed> {
    let tools = &state.tools;
    let Letter { write_back, status } = letter;
    let profile = state.profiles.now().find(stored.profile);
    let profile = profile.ok_or(Failed::NotAsked)?;
    let mut write_backs = profile.write_backs.iter();
    let write_back = write_backs
        .find(|known| known.kind().as_str() == write_back && known.tells(status.change))
        .ok_or(Failed::NotAsked)?;
    if status.change == StatusChange::CallEnded && goes_on(tools, profile.uuid, status).await? {
        return Ok(None);
    }
    let mut request = write_back.request(status)?;
    request.headers_mut().insert(IDEMPOTENCY_KEY, key(stored));
    let sending = Sending {
        tools,
        profile: &profile,
        authentication: write_back.authentication(),
        request_id: stored.request_id,
    };
    let token = sending.access_token().await?;
    let mut answer = sending.send(request.clone(), token.as_ref()).await?;
    if answer.status() == StatusCode::UNAUTHORIZED
        && let Some(refused) = token
        && let Some(token) = sending.other_than(&refused).await?
    {
        answer = sending.send(request, Some(&token)).await?;
    }
    if answer.status().is_success() {
        return Ok(Some(answer.status()));
    }
    Err(Failed::Answered(answer.status(), retry_after(&answer)))
}

/// Once it is on record that the EHR was told, forgets what the EHR gave for the launch,
/// unless there may be more to tell. Tokens that are not forgotten here are when they
/// expire.
pub(crate) async fn forget(tools: &Tools, request_id: RequestId) {
    match tools.store.end_session(request_id, tools.now()).await {
        Ok(false) => {}
        Ok(true) => tracing::info!(%request_id, "the EHR's session is forgotten"),
        Err(error) => tracing::error!(%request_id, %error, "a session cannot be forgotten"),
    }
}

/// Whether somebody is in the visit, again.
async fn goes_on(tools: &Tools, profile: Uuid, status: &Status) -> Result<bool, StoreError> {
    let Tools { store, sealer, .. } = tools;
    let encounter = sealer.encounter_key(profile, &status.unique_encounter_id);
    let Some(appointment) = store.find_appointment_by_key(encounter).await? else {
        return Ok(false);
    };
    let participants = store.participants(appointment.id).await?;
    Ok(participants.iter().any(|it| it.disconnected_at.is_none()))
}

/// By which an EHR that looks at it knows what it was told before.
fn key(stored: &Stored) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{}-{}\"", stored.request_id, stored.id))
        .expect("a UUID and a number can stand in a header")
}

struct Sending<'a> {
    tools: &'a Tools,
    profile: &'a Profile,
    authentication: &'a Authentication,
    request_id: RequestId,
}

/// An access token, and whose it is.
enum Token {
    /// Of the user who launched.
    User(SecretString),
    /// Of the backend application, which speaks for launches without a user's token.
    Backend(SecretString),
}

impl Sending<'_> {
    /// The token that the request needs, if it needs one.
    async fn access_token(&self) -> Result<Option<Token>, Failed> {
        if !matches!(self.authentication, Authentication::AccessToken) {
            return Ok(None);
        }
        let Self { tools, profile, .. } = *self;
        let token = session::access_token(tools, profile, self.request_id).await?;
        if let Some(token) = token {
            return Ok(Some(Token::User(token)));
        }
        match (&profile.backend, self.is_renewed_later().await?) {
            (Some(backend), _) => {
                let token = backend.access_token(tools).await?;
                Ok(Some(Token::Backend(token)))
            }
            (None, true) => Err(Failed::NoAccessToken),
            (None, false) => Err(Failed::SessionOver),
        }
    }

    /// Another one than that which the EHR has refused; none where there is none.
    async fn other_than(&self, refused: &Token) -> Result<Option<Token>, Failed> {
        let Self { tools, profile, .. } = *self;
        match refused {
            Token::User(refused) => {
                let request_id = self.request_id;
                let token =
                    session::another_access_token(tools, profile, request_id, refused).await?;
                if let Some(token) = token {
                    return Ok(Some(Token::User(token)));
                }
                match (&profile.backend, self.is_renewed_later().await?) {
                    (Some(backend), _) => {
                        let token = backend.access_token(tools).await?;
                        Ok(Some(Token::Backend(token)))
                    }
                    (None, true) => Err(Failed::NoAccessToken),
                    (None, false) => Ok(None),
                }
            }
            Token::Backend(refused) => match &profile.backend {
                Some(backend) => {
                    let token = backend.new_access_token(tools, refused).await?;
                    Ok(Some(Token::Backend(token)))
                }
                None => Ok(None),
            },
        }
    }

    /// Whether the EHR may give the user's session another token later.
    async fn is_renewed_later(&self) -> Result<bool, StoreError> {
        let session = self.tools.store.find_session(self.request_id).await?;
        Ok(session.is_some_and(|session| session.renew_at.is_some()))
    }

    async fn send(
        &self,
        mut request: http::Request<Vec<u8>>,
        token: Option<&Token>,
    ) -> Result<Response<Vec<u8>>, Failed> {
        let token = token.map(|token| match token {
            Token::User(token) | Token::Backend(token) => token,
        });
        if let Some(header) = self.authentication.header(token)? {
            request.headers_mut().insert(header::AUTHORIZATION, header);
        }
        let sent = self.tools.transport.send(request, DEADLINE).await;
        sent.map_err(Failed::Transport)
    }
}

impl Failed {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(status, _) => Some(status.as_u16()),
            _ => None,
        }
    }

    /// In the word that stays on record.
    fn reason(&self) -> Reason {
        match self {
            Self::NotAsked => Reason::ProfileGone,
            Self::Sealed(_) => Reason::Unopened,
            Self::CannotTell(CannotTell::NoExternalId) => Reason::NoExternalId,
            Self::CannotTell(CannotTell::NoRequest) => Reason::NoRequest,
            Self::SessionOver => Reason::SessionEnded,
            Self::NoAccessToken | Self::Backend(_) => Reason::NoAccessToken,
            Self::Answered(..) => Reason::Answered,
            Self::Transport(error) => match error {
                TransportError::Timeout(_) => Reason::Timeout,
                TransportError::Dns(_) => Reason::Dns,
                TransportError::Tls(_) => Reason::Tls,
                TransportError::Unreachable(_)
                | TransportError::BrokenOff(_)
                | TransportError::TooLarge(_) => Reason::Unreachable,
            },
            Self::TooLong => Reason::Timeout,
            Self::Store(_) => Reason::Database,
        }
    }

    /// Whether it would be the same at every attempt.
    fn is_final(&self) -> bool {
        match self {
            Self::NotAsked | Self::Sealed(_) | Self::CannotTell(_) | Self::SessionOver => true,
            Self::NoAccessToken
            | Self::Transport(_)
            | Self::Store(_)
            | Self::Backend(_)
            | Self::TooLong => false,
            Self::Answered(status, _) => {
                let come_again = [
                    StatusCode::REQUEST_TIMEOUT,
                    StatusCode::TOO_EARLY,
                    StatusCode::TOO_MANY_REQUESTS,
                ];
                !status.is_server_error() && !come_again.contains(status)
            }
        }
    }
}

impl From<SessionError> for Failed {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Sealed(error) => error.into(),
            SessionError::Store(error) => error.into(),
        }
    }
}

/// When to try again: later each time, with jitter, and not before the EHR wants it.
/// Never where it is of no use, or where a day would be over.
fn next_attempt(tools: &Tools, stored: &Stored, error: &Failed) -> Option<UnixTime> {
    if error.is_final() {
        return None;
    }
    let asked = match error {
        Failed::Answered(_, retry_after) => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    };
    let jitter = tools.random.with(|rng| rng.random_range(0.5..1.0));
    let pause = pause_after(stored.attempts).mul_f64(jitter);
    let at = tools.now() + pause.max(asked.min(LONGEST_PAUSE));
    (at < stored.since + GIVE_UP_AFTER).then_some(at)
}

fn pause_after(attempts: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

/// The seconds of a `Retry-After`; one with a date is let pass.
fn retry_after(answer: &Response<Vec<u8>>) -> Option<Duration> {
    let value = answer.headers().get(header::RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_never_ends_is_tried_again() {
        let error = in_time(std::future::pending::<Result<(), _>>()).await;
        let error = error.unwrap_err();
        assert!(matches!(error, Failed::TooLong), "{error}");
        assert!(!error.is_final());
        let slow = async {
            tokio::time::sleep(ATTEMPT - Duration::from_secs(1)).await;
            Ok(7)
        };
        assert_eq!(in_time(slow).await.unwrap(), 7);
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<_> = (1..=10).map(|n| pause_after(n).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn what_the_ehr_refuses_is_final_and_what_it_cannot_do_is_not() {
        let is_final =
            |status: u16| Failed::Answered(StatusCode::from_u16(status).unwrap(), None).is_final();
        for status in [301, 400, 401, 403, 404, 405, 422] {
            assert!(is_final(status), "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(!is_final(status), "{status}");
        }
        assert!(!Failed::Transport(TransportError::Timeout(DEADLINE)).is_final());
        assert!(!Failed::NoAccessToken.is_final());
        assert!(Failed::SessionOver.is_final());
        assert!(Failed::CannotTell(CannotTell::NoExternalId).is_final());
    }

    #[test]
    fn a_retry_after_in_seconds_counts() {
        let answer = |value: &str| {
            let answer = Response::builder().header(header::RETRY_AFTER, value);
            answer.body(Vec::new()).unwrap()
        };
        assert_eq!(retry_after(&answer("7")), Some(Duration::from_secs(7)));
        let date = "Fri, 31 Dec 1999 23:59:59 GMT";
        assert_eq!(retry_after(&answer(date)), None);
        assert_eq!(retry_after(&Response::new(Vec::new())), None);
    }
}
