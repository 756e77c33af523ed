//! Row 9: the clocks of the EHR and of this server are apart.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use vestibule_launch::{Clock as _, ErrorName, UnixTime};
use vestibule_server::{
    failure::Failure as _,
    http_client::{Transport, TransportError},
    profile::Overlap,
    token_endpoint::{self, TokenEndpointError},
};
use vestibule_smart::{
    AssertionKey, Client, ClientCredentials, KeyKind, TokenEndpoint, TokenRequest,
};

use super::server_itself::Parts;
use crate::support::{Launch, TestClock, TestServer};

/// A token endpoint that refuses every client, at this time by its own clock.
struct Refuses {
    date: UnixTime,
}

#[async_trait]
impl Transport for Refuses {
    async fn send(
        &self,
        _: http::Request<Vec<u8>>,
        _: Duration,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        let seconds = u64::try_from(self.date.as_millis() / 1000).unwrap();
        let date = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
        let answer = http::Response::builder()
            .status(401)
            .header("date", httpdate::fmt_http_date(date))
            .body(br#"{"error": "invalid_client"}"#.to_vec());
        Ok(answer.unwrap())
    }
}

async fn ask(client: Client, date: UnixTime) -> TokenEndpointError {
    let parts = Parts::with(Arc::new(Refuses { date })).await;
    let endpoint: TokenEndpoint = "https://ehr.example.org/token".parse().unwrap();
    let request = TokenRequest::ClientCredentials { scope: None };
    let clients = Overlap::only(client);
    let asked = token_endpoint::ask(&parts.tools, &endpoint, &clients, &request).await;
    asked.err().unwrap()
}

fn signing() -> Client {
    Client::PrivateKey {
        client_id: "backend".to_owned(),
        key: AssertionKey::generate(KeyKind::P384).unwrap(),
    }
}

#[tokio::test]
async fn row_09_a_refused_proof_is_blamed_on_the_clocks_where_they_are_apart() {
    let now = TestClock::new().now();
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (date, sentence) in [
        (
            now + minutes(10),
            "the EHR's clock is 600 s ahead of this server's",
        ),
        (
            now - minutes(10),
            "the EHR's clock is 600 s behind this server's",
        ),
    ] {
        let error = ask(signing(), date).await;
        assert_eq!(error.answer().1, ErrorName::ClockSkew);
        assert!(error.to_string().contains(sentence), "{error}");
    }
    for date in [now, now + minutes(1), now - minutes(1)] {
        let error = ask(signing(), date).await;
        assert_eq!(error.answer().1, ErrorName::TokenExchange);
    }
}

#[tokio::test]
async fn row_09_a_refused_secret_has_nothing_to_do_with_clocks() {
    let now = TestClock::new().now();
    let client = Client::from(ClientCredentials::Basic {
        client_id: "client".to_owned(),
        client_secret: "s3cret".into(),
    });
    let error = ask(client, now + Duration::from_secs(600)).await;
    assert_eq!(error.answer().1, ErrorName::TokenExchange);
}

#[tokio::test]
async fn row_09_a_launch_does_not_care_what_time_the_ehr_has() {
    // The scripted EHR has the machine's time, years before the server's.
    let server = TestServer::start().await;
    server.launch(Launch::PROVIDER).await;
}
