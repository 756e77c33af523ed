//! A scripted EHR: what it answers is up to the test.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::{net::TcpSocket, sync::Notify};

/// What the metadata endpoint does.
#[derive(Clone, Copy)]
pub(crate) enum MetadataScript {
    Works,
    Answers(u16),
    Hangs,
}

/// What the token endpoint does.
#[derive(Clone)]
pub(crate) enum TokenScript {
    /// Gives tokens, and names this encounter.
    Gives(Option<&'static str>),
    Refuses,
    /// Does the same once it may.
    Waits(Arc<Notify>, Box<TokenScript>),
    Answers(u16, &'static str),
    Hangs,
}

/// A token request as it arrived.
pub(crate) struct TokenRequest {
    pub(crate) authorization: String,
    pub(crate) body: String,
}

pub(crate) struct Script {
    pub(crate) metadata: MetadataScript,
    pub(crate) token: TokenScript,
    pub(crate) token_requests: Vec<TokenRequest>,
    token_endpoint: Option<String>,
    /// Keeps the address of a lost token endpoint from being given to somebody else.
    lost: Option<TcpSocket>,
}

#[derive(Clone)]
pub(crate) struct Ehr {
    pub(crate) address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Ehr {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ehr = Self {
            address: listener.local_addr().unwrap(),
            script: Arc::new(Mutex::new(Script {
                metadata: MetadataScript::Works,
                token: TokenScript::Gives(None),
                token_requests: Vec::new(),
                token_endpoint: None,
                lost: None,
            })),
        };
        let router = Router::new()
            .route("/oauth/fhir/.well-known/smart-configuration", get(metadata))
            .route("/token", post(token))
            .with_state(ehr.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        ehr
    }

    /// The `iss` of launches.
    pub(crate) fn iss(&self) -> String {
        format!("http://{}/oauth/fhir", self.address)
    }

    pub(crate) fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.script.lock().unwrap())
    }

    /// From now on the metadata names a token endpoint where nobody listens.
    pub(crate) fn lose_token_endpoint(&self) {
        let bound = TcpSocket::new_v4().unwrap();
        bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = bound.local_addr().unwrap();
        self.script(|script| {
            script.token_endpoint = Some(format!("http://{address}/token"));
            script.lost = Some(bound);
        });
    }
}

async fn metadata(State(ehr): State<Ehr>) -> Response {
    let (script, token_endpoint) =
        ehr.script(|script| (script.metadata, script.token_endpoint.clone()));
    match script {
        MetadataScript::Works => Json(json!({
            "authorization_endpoint": format!("http://{}/authorize?tenant=1", ehr.address),
            "token_endpoint": token_endpoint.unwrap_or(format!("http://{}/token", ehr.address)),
            "code_challenge_methods_supported": ["S256"],
        }))
        .into_response(),
        MetadataScript::Answers(status) => StatusCode::from_u16(status).unwrap().into_response(),
        MetadataScript::Hangs => hang().await,
    }
}

async fn token(State(ehr): State<Ehr>, headers: HeaderMap, body: String) -> Response {
    let mut script = ehr.script(|script| {
        let authorization = headers
            .get("authorization")
            .map(|value| value.to_str().unwrap());
        let authorization = authorization.unwrap_or_default().to_owned();
        script.token_requests.push(TokenRequest {
            authorization,
            body,
        });
        script.token.clone()
    });
    if let TokenScript::Waits(may_answer, then) = script {
        may_answer.notified().await;
        script = *then;
    }
    match script {
        TokenScript::Waits(..) => unreachable!("it waits once"),
        TokenScript::Gives(encounter) => Json(json!({
            "access_token": "access-token-of-the-ehr",
            "token_type": "bearer",
            "expires_in": 3600,
            "scope": "launch",
            "encounter": encounter,
        }))
        .into_response(),
        TokenScript::Refuses => (
            StatusCode::BAD_REQUEST,
            Json(json!({"error": "invalid_grant"})),
        )
            .into_response(),
        TokenScript::Answers(status, body) => {
            (StatusCode::from_u16(status).unwrap(), Html(body)).into_response()
        }
        TokenScript::Hangs => hang().await,
    }
}

async fn hang() -> Response {
    tokio::time::sleep(Duration::from_secs(60)).await;
    StatusCode::OK.into_response()
}
