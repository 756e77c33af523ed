//! The client against npm's oidc-provider: PKCE demanded, codes for one use,
//! refresh tokens that rotate, and client assertions that are good once.

mod browser;
mod launch;
mod provider;

use launch::{By, Launch, STATE, get};
use provider::{Provider, REDIRECT_URI};
use rand::{rand_core::UnwrapErr, rngs::SysRng};
use secrecy::ExposeSecret as _;
use vestibule_launch::UnixTime;
use vestibule_smart::{
    AssertionKey, AuthorizeRequest, Callback, Client, IssuerMismatch, KeyKind, Metadata,
    TokenEndpoint, TokenError, TokenRequest, Tokens, Verifier,
};

fn backend() -> TokenRequest {
    TokenRequest::ClientCredentials {
        scope: Some("system/Appointment.rs".parse().expect("a scope")),
    }
}

fn refused(error: &str) -> TokenError {
    TokenError::Refused(error.parse().expect("an error code"))
}

#[tokio::test]
async fn the_server_is_as_strict_as_its_metadata_says() {
    let launch = Launch::discover().await;
    let issuer = &Provider::running().issuer;
    assert_eq!(launch.metadata.issuer(), Some(issuer.as_str()));
    assert!(launch.metadata.redirects_name_the_issuer());
    assert!(launch.metadata.jwks_uri().is_some());
    let methods = launch.metadata.token_endpoint_auth_methods().unwrap();
    assert!(methods.contains(&"private_key_jwt".to_owned()));
    assert!(methods.contains(&"client_secret_basic".to_owned()));
}

#[tokio::test]
async fn a_launch_brings_tokens_and_every_renewal_a_new_refresh_token() {
    let mut launch = Launch::discover().await;
    let client = Provider::running().basic();
    let code = launch.code(&client).await;
    let answer = launch.ask(&client, code).await.unwrap();
    assert!(answer.id_token.is_some());
    let granted = answer.scope.as_deref().unwrap();
    assert!(granted.split(' ').any(|scope| scope == "launch"));

    let first = Tokens::new(&answer, launch.now);
    assert!(first.renew_at().unwrap() < first.expires_at());
    let answer = launch.ask(&client, first.renewal().unwrap()).await.unwrap();
    let second = first.clone().renewed(&answer, launch.now);
    assert_ne!(second.authorization(), first.authorization());
    let answer = launch
        .ask(&client, second.renewal().unwrap())
        .await
        .unwrap();
    let third = second.renewed(&answer, launch.now);

    // A refresh token that was replaced counts as stolen, and ends the session.
    let stolen = launch.ask(&client, first.renewal().unwrap()).await;
    assert_eq!(stolen.unwrap_err(), refused("invalid_grant"));
    let ended = launch.ask(&client, third.renewal().unwrap()).await;
    assert_eq!(ended.unwrap_err(), refused("invalid_grant"));
}

#[tokio::test]
async fn a_public_client_signs_in_by_a_posted_form() {
    let mut launch = Launch::discover().await;
    let client = Provider::running().public();
    let long_launch_token = "l".repeat(6000);
    let callback = launch.sign_in(&client, &long_launch_token, By::Form).await;
    let Callback::Code { code, .. } = callback else {
        panic!("{callback:?}");
    };
    let exchange = TokenRequest::AuthorizationCode {
        code,
        redirect_uri: REDIRECT_URI.to_owned(),
        verifier: launch.verifier.clone(),
    };
    let answer = launch.ask(&client, exchange).await.unwrap();
    assert!(!answer.access_token.expose_secret().is_empty());
}

#[tokio::test]
async fn a_code_is_good_once_and_its_second_use_takes_the_tokens_back() {
    let mut launch = Launch::discover().await;
    let client = Provider::running().basic();
    let code = launch.code(&client).await;
    let answer = launch.ask(&client, code.clone()).await.unwrap();
    let again = launch.ask(&client, code).await;
    assert_eq!(again.unwrap_err(), refused("invalid_grant"));
    let tokens = Tokens::new(&answer, launch.now);
    let renewal = launch.ask(&client, tokens.renewal().unwrap()).await;
    assert_eq!(renewal.unwrap_err(), refused("invalid_grant"));
}

#[tokio::test]
async fn without_challenge_or_with_another_verifier_there_are_no_tokens() {
    let mut launch = Launch::discover().await;
    let client = Provider::running().basic();
    let mut code = launch.code(&client).await;
    if let TokenRequest::AuthorizationCode { verifier, .. } = &mut code {
        *verifier = Verifier::generate(&mut UnwrapErr(SysRng));
    }
    let answer = launch.ask(&client, code).await;
    assert_eq!(answer.unwrap_err(), refused("invalid_grant"));

    let request = AuthorizeRequest {
        client_id: client.client_id(),
        redirect_uri: REDIRECT_URI,
        scope: &launch.scope,
        launch: "xyz123",
        aud: &Provider::running().fhir_base(),
        state: STATE,
        code_challenge: "",
    };
    let mut url = request.url(&launch.metadata);
    let fields: Vec<_> = url
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| !name.starts_with("code_challenge"))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(fields);
    let query = launch.browser.follow(get(url.as_str()), REDIRECT_URI).await;
    let Callback::Refused { error, .. } = Callback::from_query(&query).unwrap() else {
        panic!("a code without a challenge");
    };
    assert_eq!(error.as_str(), "invalid_request");
}

#[tokio::test]
async fn a_refused_sign_in_comes_back_with_its_reason() {
    let mut launch = Launch::discover().await;
    let client = Provider::running().basic();
    let callback = launch.sign_in(&client, "refuse", By::Url).await;
    let Callback::Refused {
        error,
        error_description,
        ..
    } = &callback
    else {
        panic!("{callback:?}");
    };
    assert_eq!(error.as_str(), "access_denied");
    assert_eq!(error_description.as_deref(), Some("The user said no"));

    let elsewhere = serde_json::to_string(&launch.metadata)
        .unwrap()
        .replace(r#""issuer":"http://127"#, r#""issuer":"http://128"#);
    let elsewhere: Metadata = serde_json::from_str(&elsewhere).unwrap();
    assert_eq!(
        callback.check_issuer(&elsewhere),
        Err(IssuerMismatch::Other)
    );
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let mut launch = Launch::discover().await;
    let provider = Provider::running();
    let code = launch.code(&provider.basic()).await;
    let answer = launch.ask(&provider.with_secret("s/e:c%r"), code).await;
    assert_eq!(answer.unwrap_err(), refused("invalid_client"));
}

#[tokio::test]
async fn a_client_with_a_key_signs_in_by_code_and_renews() {
    for client in Provider::running().with_keys() {
        let mut launch = Launch::discover().await;
        let code = launch.code(&client).await;
        let answer = launch.ask(&client, code).await.unwrap();
        let tokens = Tokens::new(&answer, launch.now);
        launch
            .ask(&client, tokens.renewal().unwrap())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_backend_client_gets_tokens_by_its_key_and_an_assertion_is_good_once() {
    let launch = Launch::discover().await;
    for client in Provider::running().with_keys() {
        let request = launch.request(&client, backend());
        let answer = launch.send(request.clone()).await.unwrap();
        assert_eq!(answer.scope.as_deref(), Some("system/Appointment.rs"));
        assert!(answer.refresh_token.is_none());
        let replayed = launch.send(request).await;
        assert_eq!(replayed.unwrap_err(), refused("invalid_client"));
        launch.ask(&client, backend()).await.unwrap();
    }
}

#[tokio::test]
async fn an_old_assertion_one_for_another_server_and_one_by_another_key_are_refused() {
    let mut launch = Launch::discover().await;
    for client in Provider::running().with_keys() {
        let elsewhere: TokenEndpoint = "https://ehr.example/token".parse().unwrap();
        let mut request = client.request(backend(), &elsewhere, launch.now, &mut UnwrapErr(SysRng));
        *request.uri_mut() = launch.metadata.token_endpoint().clone();
        let answer = launch.send(request).await;
        assert_eq!(answer.unwrap_err(), refused("invalid_client"));

        let now = launch.now;
        launch.now = UnixTime::from_millis(now.as_millis() - 600_000);
        let answer = launch.ask(&client, backend()).await;
        assert_eq!(answer.unwrap_err(), refused("invalid_client"));
        launch.now = now;

        let kind = match client.client_id() {
            "RS384" => KeyKind::Rsa2048,
            _ => KeyKind::P384,
        };
        let impostor = Client::PrivateKey {
            client_id: client.client_id().to_owned(),
            key: AssertionKey::generate(kind).unwrap(),
        };
        let answer = launch.ask(&impostor, backend()).await;
        assert_eq!(answer.unwrap_err(), refused("invalid_client"));
    }
}
