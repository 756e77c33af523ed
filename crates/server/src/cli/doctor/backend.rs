//! Whether the EHR accepts the backend application, and whether it can fetch its keys.

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use vestibule_smart::{AssertionKey, Client, ClockSkew, TokenError, TokenRequest, TokenResponse};

use super::{
    Finding, Outside,
    answer::{advice, what},
};
use crate::{backend::Backend, cli::profile::keypair::jwks_url, profile::ProfileDocument};

const CLIENT: &str = "backend client";
const JWKS: &str = "jwks";

pub(super) async fn examine(
    outside: &Outside,
    document: &ProfileDocument,
    backend: &Backend,
) -> Vec<Finding> {
    let keys = keys(document);
    let mut findings = vec![published(outside, document, &keys).await];
    if let Some(key) = keys.first() {
        findings.push(client(outside, backend, key).await);
    }
    findings
}

/// The current key and the previous one.
fn keys(document: &ProfileDocument) -> Vec<AssertionKey> {
    let previous = document.previous.as_ref();
    let previous = previous.and_then(|table| table.epic_backend_oauth2_app_private_key.as_ref());
    [
        document.epic_backend_oauth2_app_private_key.as_ref(),
        previous,
    ]
    .into_iter()
    .flatten()
    .filter_map(|pem| AssertionKey::from_pem(pem.expose_secret()).ok())
    .collect()
}

/// The keys are looked for where the EHR looks for them.
async fn published(
    outside: &Outside,
    document: &ProfileDocument,
    keys: &[AssertionKey],
) -> Finding {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Key>,
    }
    #[derive(Deserialize)]
    struct Key {
        kid: Option<String>,
    }
    let Some(url) = jwks_url(document) else {
        return Finding::warn(
            JWKS,
            "the profile has no redirect URL, so the address of its keys is not known",
            "fetch it by hand",
        );
    };
    let Ok(request) = http::Request::get(url.as_str()).body(Vec::new()) else {
        return Finding::fail(JWKS, format!("{url} is no URL"), "correct the redirect URL");
    };
    let answer = match outside.send(request).await {
        Ok(answer) => answer,
        Err(error) => {
            let advice = advice(&error, "this server's public address");
            return Finding::warn(JWKS, format!("{url}: {}", what(&error)), advice);
        }
    };
    let set: Option<Set> = serde_json::from_slice(answer.body()).ok();
    let Some(set) = set.filter(|_| answer.status() == 200) else {
        return Finding::fail(
            JWKS,
            format!(
                "{url} answers with status {} and no key set",
                answer.status().as_u16()
            ),
            "start the server with this profile, and have the reverse proxy pass the path on",
        );
    };
    let is_there = |key: &&AssertionKey| {
        let kid = key.kid().as_str();
        set.keys
            .iter()
            .any(|found| found.kid.as_deref() == Some(kid))
    };
    match keys.iter().find(|key| !is_there(key)) {
        None => Finding::ok(JWKS, format!("{url} has the key that signs")),
        Some(key) => Finding::fail(
            JWKS,
            format!("{url} does not have the key {}", key.kid()),
            "have the server that runs take the profile as it is now, and empty caches between",
        ),
    }
}

async fn client(outside: &Outside, backend: &Backend, key: &AssertionKey) -> Finding {
    let id = backend.client_id();
    let client = Client::PrivateKey {
        client_id: id.to_owned(),
        key: key.clone(),
    };
    let now = outside.now();
    let request = TokenRequest::ClientCredentials { scope: None };
    let request = outside
        .random()
        .with(|rng| client.request(request, backend.endpoint(), now, rng));
    let answer = match outside.send(request).await {
        Ok(answer) => answer,
        Err(error) => {
            let text = format!("the token endpoint: {}", what(&error));
            return Finding::fail(CLIENT, text, advice(&error, "the EHR"));
        }
    };
    match TokenResponse::from_response(&answer) {
        Ok(_) => Finding::ok(CLIENT, format!("{id} is given access tokens")),
        Err(TokenError::Refused(error)) => {
            let skew = ClockSkew::of_answer(answer.headers(), outside.now());
            let skewed = skew.is_some_and(|skew| skew.exceeds(std::time::Duration::from_secs(60)));
            let advice = match (error.as_str(), skewed) {
                (_, true) => "set the clocks: they are more than a minute apart",
                ("unauthorized_client", _) => {
                    "have the EHR map a user to the backend application, and activate it"
                }
                _ => {
                    "compare the client id, have the EHR fetch the JWKS URL anew, and check that \
                     epic_backend_oauth2_app_token_endpoint_url is written as the EHR writes it"
                }
            };
            Finding::fail(CLIENT, format!("{id} is refused: {error}"), advice)
        }
        Err(error) => Finding::fail(
            CLIENT,
            error.to_string(),
            "correct epic_backend_oauth2_app_token_endpoint_url, or ask whether the EHR is up",
        ),
    }
}
