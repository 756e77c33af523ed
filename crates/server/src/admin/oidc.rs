//! Sign-in by OpenID Connect: the code flow with PKCE, state and nonce.
//!
//! What the return needs is sealed in a cookie of the browser that left, so that any
//! server may answer, and nobody else's browser can be signed in.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Query, RawQuery, State, rejection::QueryRejection},
    http::{Extensions, HeaderMap, HeaderValue, Request, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;
use url::form_urlencoded;
use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_smart::{
    Callback, ClientCredentials, Metadata, MetadataError, TokenError, TokenRequest, TokenResponse,
    Verifier,
};
use vestibule_store::{AdminSession, AuditAction, NewAuditEntry};

use super::{Admin, access::SignedIn, administrator::Rejected, pages, session, sign_in::own_page};
use crate::{http_client::TransportError, plain::is_loopback, sealing::Purpose, tools::Tools};

mod config;
mod identity;

pub use config::OidcConfig;
use identity::{Identity, IdentityFault, identity};

/// Where signing in begins.
pub(super) const START: &str = "/admin/oidc";

/// Where the provider sends the browser back to.
const CALLBACK: &str = "/admin/oidc/callback";

/// How long one may take at the provider.
const VALIDITY: Duration = Duration::from_secs(10 * 60);

/// How long the provider may take for each answer.
const DEADLINE: Duration = Duration::from_secs(8);

/// How long the provider's metadata is believed.
const BELIEVED: Duration = Duration::from_secs(10 * 60);

const COOKIE: &str = "vestibule-admin-oidc";

pub(super) fn router() -> Router<Arc<Admin>> {
    Router::new()
        .route(START, get(start))
        .route(CALLBACK, get(callback))
}

/// The provider.
pub(super) struct Oidc {
    config: OidcConfig,
    /// The provider's metadata, and until when it is believed. Who asks meanwhile waits.
    known: Mutex<Option<(Metadata, UnixTime)>>,
}

/// What the return needs.
#[derive(Serialize, Deserialize)]
struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    expires_at: i64,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
}

/// Why nobody is signed in. The log has it; the page does not.
#[derive(Debug, thiserror::Error)]
enum OidcError {
    #[error("the provider {0}")]
    Transport(#[from] TransportError),
    #[error("the provider's metadata: {0}")]
    Metadata(#[from] MetadataError),
    #[error("the provider's metadata names another issuer than the configuration")]
    OtherIssuer,
    #[error("the browser has not begun to sign in here, or took too long")]
    NotBegun,
    #[error("the provider's return cannot be used")]
    Return,
    #[error("the provider's token answer: {0}")]
    Token(#[from] TokenError),
    #[error(transparent)]
    Identity(#[from] IdentityFault),
}

async fn start(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Some(provider) = &admin.oidc else {
        return not_here();
    };
    let config = &provider.config;
    let metadata = match provider.metadata(&admin.tools).await {
        Ok(metadata) => metadata,
        Err(error) => return failed(&admin, &error, "").await,
    };
    let next = query.map_or_else(|_| String::new(), |Query(asked)| asked.next);
    let tools = &admin.tools;
    let (state, nonce, verifier) = tools.random.with(|rng| {
        let mut text = || {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            Base64UrlUnpadded::encode_string(&bytes)
        };
        let (state, nonce) = (text(), text());
        (state, nonce, Verifier::generate(rng))
    });
    let mut url = metadata.authorization_endpoint().clone();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", &config.client_id),
        ("redirect_uri", &config.redirect_uri),
        ("scope", &config.scope),
        ("state", &state),
        ("nonce", &nonce),
        ("code_challenge", &verifier.challenge()),
        ("code_challenge_method", "S256"),
    ]);
    let pending = Pending {
        state,
        nonce,
        verifier: verifier.expose().to_owned(),
        next: own_page(&next).to_owned(),
        expires_at: (tools.now() + VALIDITY).as_millis(),
    };
    let sealed = tools.random.with(|rng| {
        let purpose = Purpose::AdminSignIn;
        tools.sealer.seal(purpose, Uuid::nil(), b"", &pending, rng)
    });
    let mut response = Redirect::to(url.as_str()).into_response();
    let value = Base64UrlUnpadded::encode_string(&sealed);
    let cookie = cookie(&headers, &value, VALIDITY);
    let headers = response.headers_mut();
    headers.insert(header::SET_COOKIE, cookie);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn callback(
    State(admin): State<Arc<Admin>>,
    extensions: Extensions,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(provider) = &admin.oidc else {
        return not_here();
    };
    let source = admin.trusted_proxies.source(&extensions, &headers);
    let source = source.to_string();
    let query = query.unwrap_or_default();
    let (identity, next) = match provider.signed_in(&admin.tools, &headers, &query).await {
        Ok(signed_in) => signed_in,
        Err(error) => {
            let mut response = failed(&admin, &error, &source).await;
            let forget = cookie(&headers, "", Duration::ZERO);
            response.headers_mut().insert(header::SET_COOKIE, forget);
            return response;
        }
    };
    let entry = NewAuditEntry {
        administrator: Some(identity.name.clone()),
        role: Some(identity.role.as_str().to_owned()),
        source,
        action: AuditAction::SignedIn,
        subject: None,
        details: "by OpenID Connect".to_owned(),
    };
    let signed_in = SignedIn {
        name: identity.name,
        role: identity.role,
        may_see_names: identity.may_see_names,
        credential: provider.config.credential(),
    };
    let tools = &admin.tools;
    let begun = async {
        tools.store.record_audit(entry, tools.now()).await?;
        session::begin(&admin, &headers, &signed_in).await
    };
    let session = match begun.await {
        Ok(cookie) => cookie,
        Err(error) => {
            tracing::error!(%error, "nobody can sign in");
            return Rejected::Unavailable.into_response();
        }
    };
    // A redirect would still count as the provider's, and the session's cookie is for
    // requests from this site only.
    let mut response = pages::message(StatusCode::OK, "Signed in", "You are signed in.");
    let answer = response.headers_mut();
    answer.append(header::SET_COOKIE, session);
    answer.append(header::SET_COOKIE, cookie(&headers, "", Duration::ZERO));
    if let Ok(refresh) = HeaderValue::try_from(format!("0; url={next}")) {
        answer.insert(header::REFRESH, refresh);
    }
    response
}

fn pending(tools: &Tools, headers: &HeaderMap) -> Option<Pending> {
    let name = cookie_name(headers);
    let cookies = headers.get_all(header::COOKIE).iter();
    let pending: Pending = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name)
        .take(1)
        .find_map(|(_, value)| {
            let sealed = Base64UrlUnpadded::decode_vec(value).ok()?;
            let purpose = Purpose::AdminSignIn;
            tools.sealer.open(purpose, Uuid::nil(), b"", &sealed).ok()
        })?;
    let expires_at = UnixTime::from_millis(pending.expires_at);
    (tools.now() < expires_at).then_some(pending)
}

impl Oidc {
    pub(super) fn new(config: OidcConfig) -> Self {
        Self {
            config,
            known: Mutex::default(),
        }
    }

    /// The administrator of a session that was begun by this provider's word.
    pub(super) fn still(&self, session: &AdminSession) -> Option<SignedIn> {
        self.config.still(session)
    }

    /// Who comes back from the provider, and where to go on.
    async fn signed_in(
        &self,
        tools: &Tools,
        headers: &HeaderMap,
        query: &str,
    ) -> Result<(Identity, String), OidcError> {
        let config = &self.config;
        let pending = pending(tools, headers).ok_or(OidcError::NotBegun)?;
        let callback = Callback::from_query(query).map_err(|_| OidcError::Return)?;
        if !bool::from(callback.state().as_bytes().ct_eq(pending.state.as_bytes())) {
            return Err(OidcError::NotBegun);
        }
        let metadata = self.metadata(tools).await?;
        callback
            .check_issuer(&metadata)
            .map_err(|_| OidcError::Return)?;
        let Callback::Code { code, .. } = callback else {
            return Err(OidcError::Return);
        };
        let request = TokenRequest::AuthorizationCode {
            code,
            redirect_uri: config.redirect_uri.clone(),
            verifier: Verifier::from_exposed(&pending.verifier).map_err(|_| OidcError::NotBegun)?,
        };
        let asked = request.into_request(&metadata, &config.credentials());
        let answer = tools.transport.send(asked, DEADLINE).await?;
        let answer = TokenResponse::from_response(&answer)?;
        let token = answer.id_token.ok_or(IdentityFault::Malformed)?;
        let token = token.expose_secret();
        let identity = identity(config, token, &pending.nonce, tools.now())?;
        Ok((identity, pending.next))
    }

    /// The provider's metadata: OpenID Connect Discovery 1.0, section 4.
    async fn metadata(&self, tools: &Tools) -> Result<Metadata, OidcError> {
        let mut known = self.known.lock().await;
        if let Some((metadata, until)) = &*known
            && tools.now() < *until
        {
            return Ok(metadata.clone());
        }
        let issuer = self.config.issuer.trim_end_matches('/');
        let request = Request::get(format!("{issuer}/.well-known/openid-configuration"))
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .expect("the configuration has checked the issuer");
        let answer = tools.transport.send(request, DEADLINE).await?;
        let metadata = Metadata::from_response(&answer)?;
        if metadata.issuer() != Some(self.config.issuer.as_str()) {
            return Err(OidcError::OtherIssuer);
        }
        *known = Some((metadata.clone(), tools.now() + BELIEVED));
        Ok(metadata)
    }
}

impl OidcConfig {
    fn still(&self, session: &AdminSession) -> Option<SignedIn> {
        let is_same = bool::from(session.credential.ct_eq(&self.credential()));
        is_same.then_some(())?;
        Some(SignedIn {
            name: session.administrator.clone(),
            role: session::role_of(session)?,
            may_see_names: session.may_see_names,
            credential: session.credential,
        })
    }

    /// Another one as soon as anything is different by which sessions were begun.
    fn credential(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let (roles, names) = (format!("{:?}", self.roles), format!("{:?}", self.names));
        for part in [
            "vestibule oidc",
            &self.issuer,
            &self.client_id,
            &self.name_claim,
            &self.groups_claim,
            &roles,
            &names,
        ] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    fn credentials(&self) -> ClientCredentials {
        let client_id = self.client_id.clone();
        match &self.client_secret {
            Some(client_secret) => ClientCredentials::Basic {
                client_id,
                client_secret: client_secret.clone(),
            },
            None => ClientCredentials::Public { client_id },
        }
    }
}

async fn failed(admin: &Admin, error: &OidcError, source: &str) -> Response {
    tracing::warn!(%error, "admin: nobody was signed in by OpenID Connect");
    let (status, text) = match error {
        OidcError::Transport(_) | OidcError::Metadata(_) | OidcError::OtherIssuer => (
            StatusCode::BAD_GATEWAY,
            "The sign-in of your organisation does not answer as it should. Try again soon.",
        ),
        OidcError::Identity(IdentityFault::NoRole) => (
            StatusCode::FORBIDDEN,
            "Your account has no role here. Ask whoever gives out roles.",
        ),
        _ => (
            StatusCode::BAD_REQUEST,
            "The sign-in was not finished here, or took too long. Begin again.",
        ),
    };
    if let OidcError::Identity(_) | OidcError::Token(_) = error {
        let tools = &admin.tools;
        let entry = NewAuditEntry {
            administrator: None,
            role: None,
            source: source.to_owned(),
            action: AuditAction::SignInFailed,
            subject: None,
            details: "by OpenID Connect".to_owned(),
        };
        if let Err(error) = tools.store.record_audit(entry, tools.now()).await {
            tracing::error!(%error, "a failed sign-in cannot be recorded");
        }
    }
    pages::message(status, "You are not signed in", text)
}

fn not_here() -> Response {
    pages::message(
        StatusCode::NOT_FOUND,
        "Not here",
        "There is no sign-in by OpenID Connect here.",
    )
}

fn cookie_name(headers: &HeaderMap) -> String {
    let prefix = if is_loopback(headers) { "" } else { "__Host-" };
    format!("{prefix}{COOKIE}")
}

/// Sent along when the provider sends the browser back, and with no other request from
/// elsewhere.
fn cookie(headers: &HeaderMap, value: &str, life: Duration) -> HeaderValue {
    let (name, life) = (cookie_name(headers), life.as_secs());
    let secure = if is_loopback(headers) { "" } else { "; Secure" };
    let text = format!("{name}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::try_from(text).expect("all of it is visible ASCII");
    value.set_sensitive(true);
    value
}

/// Where to sign in by OpenID Connect, to go on to `next`.
pub(super) fn start_at(next: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next);
    format!("{START}?{}", query.finish())
}
