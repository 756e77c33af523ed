//! A scripted EHR: what it answers is up to the test.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use futures_util::stream;
use serde_json::{Map, Value, json};
use tokio::{net::TcpSocket, sync::Notify};
use vestibule_test_log::canary;

/// What the metadata endpoint does.
#[derive(Clone, Copy)]
pub(crate) enum MetadataScript {
    Works,
    Answers(u16),
    /// Answers 200 with this.
    Says(&'static str),
    Hangs,
}

/// What the token endpoint does.
#[derive(Clone)]
pub(crate) enum TokenScript {
    /// Gives tokens, and names this encounter.
    Gives(Option<&'static str>),
    /// Gives tokens, with these fields too, or in the place of others.
    GivesAlso(Value),
    /// The code was used before, or has expired.
    Refuses,
    /// Refuses clients whose secret is not this one; otherwise gives tokens.
    Wants(&'static str),
    /// Does the same once it may.
    Waits(Arc<Notify>, Box<TokenScript>),
    /// Does the first once, and then the second.
    Then(Box<TokenScript>, Box<TokenScript>),
    Answers(u16, &'static str),
    /// Is unavailable, and says for how many seconds.
    RetryAfter(u16),
    /// Gives tokens one byte a second.
    Drips,
    /// Breaks off in the middle of its answer.
    BreaksOff,
    Hangs,
}

/// A token request as it arrived.
pub(crate) struct TokenRequest {
    pub(crate) authorization: String,
    pub(crate) body: String,
    pub(crate) traceparent: Option<String>,
}

pub(crate) struct Script {
    pub(crate) metadata: MetadataScript,
    /// `Cache-Control` of the metadata.
    pub(crate) cache_control: Option<&'static str>,
    /// More fields of the metadata.
    pub(crate) more_metadata: Map<String, Value>,
    /// Below which base a CapabilityStatement is: `oauth/fhir` is the launches' `iss`.
    pub(crate) capability_statement: Option<&'static str>,
    /// Whether it never answers what is asked of CapabilityStatements.
    pub(crate) capability_statement_hangs: bool,
    pub(crate) metadata_requests: usize,
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
                cache_control: None,
                more_metadata: Map::new(),
                capability_statement: None,
                capability_statement_hangs: false,
                metadata_requests: 0,
                token: TokenScript::Gives(None),
                token_requests: Vec::new(),
                token_endpoint: None,
                lost: None,
            })),
        };
        let router = Router::new()
            .route("/oauth/fhir/.well-known/smart-configuration", get(metadata))
            .route("/{*base}", get(capability_statement))
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

    fn endpoints(&self) -> (String, String) {
        let address = self.address;
        let token = self.script(|script| script.token_endpoint.clone());
        (
            format!("http://{address}/authorize?tenant=1"),
            token.unwrap_or(format!("http://{address}/token")),
        )
    }
}

async fn metadata(State(ehr): State<Ehr>) -> Response {
    let (authorize, token) = ehr.endpoints();
    let (script, cache_control, more) = ehr.script(|script| {
        script.metadata_requests += 1;
        let more = script.more_metadata.clone();
        (script.metadata, script.cache_control, more)
    });
    match script {
        MetadataScript::Works => {
            let mut document = json!({
                "authorization_endpoint": authorize,
                "token_endpoint": token,
                "code_challenge_methods_supported": ["S256"],
            });
            document.as_object_mut().unwrap().extend(more);
            let cache_control = cache_control.unwrap_or("no-transform");
            ([(header::CACHE_CONTROL, cache_control)], Json(document)).into_response()
        }
        MetadataScript::Answers(status) => StatusCode::from_u16(status).unwrap().into_response(),
        MetadataScript::Says(text) => text.into_response(),
        MetadataScript::Hangs => hang().await,
    }
}

async fn capability_statement(State(ehr): State<Ehr>, Path(path): Path<String>) -> Response {
    if ehr.script(|script| script.capability_statement_hangs) {
        return hang().await;
    }
    let base = ehr.script(|script| script.capability_statement);
    if base.is_none_or(|base| path != format!("{base}/metadata")) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (authorize, token) = ehr.endpoints();
    Json(json!({
        "resourceType": "CapabilityStatement",
        "rest": [{"mode": "server", "security": {"extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [
                {"url": "authorize", "valueUri": authorize},
                {"url": "token", "valueUri": token},
            ],
        }]}}],
        // Longer than any other answer may be.
        "text": "a".repeat(100_000),
    }))
    .into_response()
}

async fn token(State(ehr): State<Ehr>, headers: HeaderMap, body: String) -> Response {
    let authorization = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    let authorization = authorization.unwrap_or_default().to_owned();
    let traceparent = headers.get("traceparent");
    let traceparent = traceparent.map(|value| value.to_str().unwrap().to_owned());
    let mut script = ehr.script(|script| {
        script.token_requests.push(TokenRequest {
            authorization: authorization.clone(),
            traceparent: traceparent.clone(),
            body,
        });
        match script.token.clone() {
            TokenScript::Then(first, second) => {
                script.token = *second;
                *first
            }
            script => script,
        }
    });
    if let TokenScript::Waits(may_answer, then) = script {
        may_answer.notified().await;
        script = *then;
    }
    match script {
        TokenScript::Waits(..) | TokenScript::Then(..) => unreachable!("one at a time"),
        TokenScript::Gives(encounter) => {
            Json(tokens(json!({"encounter": encounter}))).into_response()
        }
        TokenScript::GivesAlso(more) => Json(tokens(more)).into_response(),
        TokenScript::Refuses => refuses(StatusCode::BAD_REQUEST, "invalid_grant"),
        TokenScript::Wants(secret) => {
            let wanted = format!("provider-app:{secret}");
            let wanted = format!("Basic {}", base64_of(&wanted));
            if authorization == wanted {
                Json(tokens(json!({}))).into_response()
            } else {
                refuses(StatusCode::UNAUTHORIZED, "invalid_client")
            }
        }
        TokenScript::Answers(status, body) => {
            (StatusCode::from_u16(status).unwrap(), Html(body)).into_response()
        }
        TokenScript::RetryAfter(seconds) => {
            let headers = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
        }
        TokenScript::Drips => {
            let bytes = Bytes::from(tokens(json!({})).to_string());
            let drip = stream::unfold(bytes, |mut bytes| async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let drop = (!bytes.is_empty()).then(|| bytes.split_to(1))?;
                Some((Ok::<_, Infallible>(drop), bytes))
            });
            Body::from_stream(drip).into_response()
        }
        TokenScript::BreaksOff => {
            let parts = [
                Ok("{\"access_token\":"),
                Err(std::io::Error::other("broken off")),
            ];
            Body::from_stream(stream::iter(parts)).into_response()
        }
        TokenScript::Hangs => hang().await,
    }
}

fn tokens(more: Value) -> Value {
    let mut tokens = json!({
        "access_token": canary::ACCESS_TOKEN,
        "refresh_token": canary::REFRESH_TOKEN,
        "token_type": "bearer",
        "expires_in": 3600,
        "scope": "launch",
    });
    let Value::Object(more) = more else {
        panic!("fields are an object")
    };
    tokens.as_object_mut().unwrap().extend(more);
    tokens
}

fn refuses(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

fn base64_of(text: &str) -> String {
    use base64ct::Encoding as _;
    base64ct::Base64::encode_string(text.as_bytes())
}

async fn hang() -> Response {
    tokio::time::sleep(Duration::from_secs(60)).await;
    StatusCode::OK.into_response()
}
