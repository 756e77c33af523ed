//! Rows 4 and 5: for how long tokens are waited for, and what is sent once more, on a way to
//! the EHR that does as the test says.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::Instant;
use vestibule_server::{
    http_client::{Transport, TransportError},
    profile::Overlap,
    token_endpoint::{self, TokenEndpointError},
};
use vestibule_smart::{ClientCredentials, TokenEndpoint, TokenRequest};

use super::server_itself::Parts;
use crate::{
    failure_page,
    support::{Launch, encrypt, parameter, return_path},
};

const METADATA: &str = r#"{"authorization_endpoint": "https://ehr.example.org/authorize",
    "token_endpoint": "https://ehr.example.org/token",
    "code_challenge_methods_supported": ["S256"]}"#;

const TOKENS: &str =
    r#"{"access_token": "access-token-of-the-ehr", "token_type": "bearer", "expires_in": 3600}"#;

const SECOND: Duration = Duration::from_secs(1);

/// What came of asking for tokens.
#[derive(Clone, Copy)]
enum Outcome {
    NothingSent(fn(String) -> TransportError),
    /// The EHR may have seen it.
    Lost(fn() -> TransportError),
    Unavailable,
    Tokens,
    /// None comes until the deadline.
    Nothing,
}

/// A way to the EHR on which each request for tokens has its outcome, after so long.
#[derive(Default)]
struct Scripted {
    outcomes: Mutex<VecDeque<(Duration, Outcome)>>,
    /// The deadlines of the requests for tokens.
    deadlines: Mutex<Vec<Duration>>,
}

impl Scripted {
    fn new(outcomes: &[(Duration, Outcome)]) -> Arc<Self> {
        Arc::new(Self {
            outcomes: Mutex::new(outcomes.iter().copied().collect()),
            deadlines: Mutex::default(),
        })
    }

    fn deadlines(&self) -> Vec<Duration> {
        self.deadlines.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        let answer = |status: u16, body: &str| {
            let mut answer = http::Response::new(body.into());
            *answer.status_mut() = status.try_into().unwrap();
            Ok(answer)
        };
        if request.uri().path() != "/token" {
            return answer(200, METADATA);
        }
        self.deadlines.lock().unwrap().push(deadline);
        let (after, outcome) = self.outcomes.lock().unwrap().pop_front().unwrap();
        if !after.is_zero() {
            tokio::time::sleep(after).await;
        }
        match outcome {
            Outcome::NothingSent(error) => Err(error("nothing was sent".to_owned())),
            Outcome::Lost(error) => Err(error()),
            Outcome::Unavailable => answer(503, ""),
            Outcome::Tokens => answer(200, TOKENS),
            Outcome::Nothing => {
                tokio::time::sleep(deadline - after).await;
                Err(TransportError::Timeout(deadline))
            }
        }
    }
}

/// Asks for tokens on a clock of its own. Gives the deadlines of the requests, and how long
/// it took.
async fn ask(
    outcomes: &[(Duration, Outcome)],
) -> (Result<(), TokenEndpointError>, Vec<Duration>, Duration) {
    let transport = Scripted::new(outcomes);
    let parts = Parts::with(transport.clone()).await;
    let endpoint: TokenEndpoint = "https://ehr.example.org/token".parse().unwrap();
    let request = TokenRequest::ClientCredentials { scope: None };
    let client = Overlap::only(ClientCredentials::Basic {
        client_id: "client".to_owned(),
        client_secret: "s3cret".into(),
    });
    // Not before: the database works on threads of its own, in real time.
    tokio::time::pause();
    let begun = Instant::now();
    let asked = token_endpoint::ask(&parts.tools, &endpoint, &client, &request).await;
    let took = begun.elapsed();
    tokio::time::resume();
    (asked.map(drop), transport.deadlines(), took)
}

/// The same but for the ticks of the runtime's clock.
fn assert_about(took: Duration, expected: Duration) {
    let ticks = Duration::from_millis(5);
    assert!(took.abs_diff(expected) <= ticks, "{took:?} {expected:?}");
}

#[tokio::test]
async fn row_04_tokens_are_waited_for_eight_seconds_repeats_included() {
    let nothing = (Duration::ZERO, Outcome::Nothing);
    let (asked, deadlines, took) = ask(&[nothing]).await;
    assert_eq!(deadlines, [8 * SECOND]);
    assert_eq!(asked, Err(TransportError::Timeout(8 * SECOND).into()));
    assert_about(took, 8 * SECOND);

    let (asked, deadlines, took) = ask(&[(3 * SECOND, Outcome::Unavailable), nothing]).await;
    let [first, left] = deadlines[..] else {
        panic!("{deadlines:?}")
    };
    assert_eq!(first, 8 * SECOND);
    assert_about(left, 5 * SECOND - Duration::from_millis(250));
    assert_eq!(asked, Err(TransportError::Timeout(left).into()));
    assert_about(took, 8 * SECOND);
}

/// A launch whose request for tokens fares like this. Gives the status of what its user is
/// shown, and how often tokens were asked for.
async fn launch(outcomes: &[Outcome]) -> (u16, usize) {
    let outcomes: Vec<_> = outcomes.iter().map(|it| (Duration::ZERO, *it)).collect();
    let transport = Scripted::new(&outcomes);
    let parts = Parts::with(transport.clone()).await;
    let data = encrypt(Launch::PATIENT.plaintext.unwrap());
    let data: String = url::form_urlencoded::byte_serialize(data.as_bytes()).collect();
    let path = format!("{}&data={data}", parts.launch_path());
    let (status, headers, _) = parts.get(&path).await;
    assert_eq!(status, 303);
    let state = parameter(headers["location"].to_str().unwrap(), "state");
    let path = format!(
        "{}?code=code-of-the-ehr&state={state}",
        return_path("patient")
    );
    let (status, headers, text) = parts.get(&path).await;
    if status == 303 {
        let link = headers["location"].to_str().unwrap();
        assert_eq!(parameter(link, "role"), "guest");
    } else {
        failure_page::assert_page(&headers, &text);
    }
    (status.as_u16(), transport.deadlines().len())
}

#[tokio::test]
async fn row_05_where_nothing_was_sent_it_is_sent_once_more() {
    for error in [
        TransportError::Unreachable,
        TransportError::Dns,
        TransportError::Tls,
    ] {
        let nothing_sent = Outcome::NothingSent(error);
        assert_eq!(launch(&[nothing_sent, Outcome::Tokens]).await, (303, 2));
        assert_eq!(launch(&[nothing_sent, nothing_sent]).await, (502, 2));
    }
}

#[tokio::test]
async fn row_05_what_the_ehr_may_have_seen_is_not_sent_again() {
    let broken_off = || TransportError::BrokenOff("in the middle".to_owned());
    let too_large = || TransportError::TooLarge(1);
    assert_eq!(launch(&[Outcome::Lost(broken_off)]).await, (502, 1));
    assert_eq!(launch(&[Outcome::Lost(too_large)]).await, (502, 1));
    let timeout = || TransportError::Timeout(8 * SECOND);
    assert_eq!(launch(&[Outcome::Lost(timeout)]).await, (504, 1));
}
