//! What stands for the EHR: its metadata and its token endpoint, which answers the same
//! tokens to every contender. To sign the user in is the load generator's part.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Result;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

const METADATA_PATH: &str = "/fhir/.well-known/smart-configuration";
const TOKEN_PATH: &str = "/oauth2/token";

/// A running EHR.
pub(crate) struct Ehr {
    /// Its base URL.
    pub(crate) address: String,
    answers: Arc<Answers>,
}

struct Answers {
    metadata: Bytes,
    tokens: Bytes,
    given: AtomicU64,
}

impl Ehr {
    /// Listens on a free port.
    pub(crate) async fn open() -> Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let metadata = json!({
            "authorization_endpoint": format!("{address}/oauth2/authorize"),
            "token_endpoint": format!("{address}{TOKEN_PATH}"),
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "client-confidential-symmetric"],
        });
        let tokens = json!({
            "access_token": "eyJhbGciOiJub25lIn0.vN3cFs0f8qW2m9xZrT5uYb7kLhJgDpQa.e1",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "launch openid fhirUser",
            "patient": "erXuFYUfucBZaryVksYEcMg3",
        });
        let answers = Arc::new(Answers {
            metadata: metadata.to_string().into(),
            tokens: tokens.to_string().into(),
            given: AtomicU64::new(0),
        });
        tokio::spawn(accept(listener, Arc::clone(&answers)));
        Ok(Self { address, answers })
    }

    /// The `iss` of its launches.
    pub(crate) fn iss(&self) -> String {
        format!("{}/fhir", self.address)
    }

    /// How many tokens it has given out.
    pub(crate) fn tokens_given(&self) -> u64 {
        self.answers.given.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, answers: Arc<Answers>) {
    while let Ok((stream, _)) = listener.accept().await {
        let answers = Arc::clone(&answers);
        tokio::spawn(async move { serve(stream, &answers).await });
    }
}

async fn serve(stream: TcpStream, answers: &Answers) {
    // Small answers on connections that stay open wait for an acknowledgement otherwise.
    drop(stream.set_nodelay(true));
    let service = service_fn(async |request| Ok::<_, Infallible>(answers.answer(request).await));
    // A contender that ends breaks off.
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

impl Answers {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, METADATA_PATH) => json_answer(self.metadata.clone()),
            (&Method::POST, TOKEN_PATH) => self.tokens(request).await,
            _ => refusal(StatusCode::NOT_FOUND),
        }
    }

    /// Tokens for a code with its verifier, to a client that shows its secret.
    async fn tokens(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let has_secret = request
            .headers()
            .get(header::AUTHORIZATION)
            .is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
        let Ok(body) = request.into_body().collect().await else {
            return refusal(StatusCode::BAD_REQUEST);
        };
        let body = body.to_bytes();
        let form = str::from_utf8(&body).unwrap_or_default();
        let is_whole = ["grant_type=authorization_code", "code=", "code_verifier="]
            .iter()
            .all(|field| form.contains(field));
        if !(has_secret && is_whole) {
            return refusal(StatusCode::BAD_REQUEST);
        }
        self.given.fetch_add(1, Ordering::Relaxed);
        json_answer(self.tokens.clone())
    }
}

fn json_answer(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
