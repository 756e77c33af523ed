//! Row 3: the EHR's name cannot be resolved, and then it can.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use vestibule_launch::ErrorName;
use vestibule_server::http_client::{HttpClient, Transport, TransportError};

use super::{assert_invariants, server_itself::Parts};
use crate::support::{Launch, TestServer, encrypt, launch_path};

#[tokio::test]
async fn row_03_a_name_that_does_not_exist_is_told_by_a_name_of_its_own() {
    let server = TestServer::with_profile(
        "allowed_iss = ['https://ehr.invalid/fhir']\nshow_debug_information = true",
    )
    .await;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", "https://ehr.invalid/fhir")
        .append_pair("launch", "launch-token-0")
        .append_pair("data", &encrypt(Launch::PATIENT.plaintext.unwrap()))
        .finish();
    let path = format!("{}?{form}", launch_path("patient"));
    let response = server.get(&path).await;
    assert_invariants(response, 502, ErrorName::EhrDns).await;
    let page = server.get(&path).await.text().await.unwrap();
    assert!(page.contains("the log has the cause"), "{page}");
    assert!(!page.contains("resolved"), "{page}");
}

/// Resolves names only after so many attempts.
struct Resolving {
    failures: AtomicUsize,
    client: HttpClient,
}

#[async_trait]
impl Transport for Resolving {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        let left = |failures: usize| failures.checked_sub(1);
        if self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
            .is_ok()
        {
            return Err(TransportError::Dns("no such name".to_owned()));
        }
        self.client.send(request, deadline).await
    }
}

#[tokio::test]
async fn row_03_a_name_that_comes_back_is_found_within_five_seconds() {
    let transport = Resolving {
        failures: AtomicUsize::new(3),
        client: HttpClient::new().unwrap(),
    };
    let parts = Parts::with(Arc::new(transport)).await;
    let path = parts.launch_path();
    for _ in 0..3 {
        assert_eq!(parts.get(&path).await.0, 502);
    }
    // After several failures in a row nobody is asked for a moment.
    assert_eq!(parts.get(&path).await.0, 502);
    parts.clock.advance(Duration::from_secs(5));
    assert_eq!(parts.get(&path).await.0, 303);
}
