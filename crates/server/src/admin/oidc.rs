//! Sign-in by OpenID Connect: the code flow with PKCE, state and nonce.
//!
//! What the return needs is sealed in a cookie of the browser that left, so that any
//! server may answer, and nobody else's browser can be signed in.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Query, RawQuery, State, rejection::QueryRejection},
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;
use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_smart::{
    Callback, ClientCredentials, Metadata, MetadataError, TokenError, TokenRequest, TokenResponse,
    Verifier,
};
use vestibule_store::{
    AdminSession, AdminSessionHash, AttemptLimit, Attempted, AuditAction, NewAuditEntry, StoreError,
};

use super::{Admin, access::SignedIn, administrator::Rejected, pages, session, sign_in::own_page};
use crate::{
    credential_attempts::CredentialAttempts, http_client::TransportError, sealing::Purpose,
    tools::Tools,
};

mod config;
mod discovery;
mod identity;
mod refused;

pub use config::OidcConfig;
use discovery::Discovery;
use identity::{Identity, IdentityFault, identity};
use refused::{entry, failed, not_looked_at};

/// Where signing in begins.
pub(super) const START: &str = "/admin/oidc";

/// Where the provider sends the browser back to.
const CALLBACK: &str = "/admin/oidc/callback";

/// How long one may take at the provider.
const VALIDITY: Duration = Duration::from_secs(10 * 60);

/// How long the provider may take for each answer.
const DEADLINE: Duration = Duration::from_secs(8);

const COOKIE: &str = "vestibule-admin-oidc";

pub(super) fn router() -> Router<Arc<Admin>> {
    Router::new()
        .route(START, get(start))
        .route(CALLBACK, get(callback))
}

/// The provider.
pub(super) struct Oidc {
    config: OidcConfig,
    /// Returns that were of no use, by where they came from.
    attempts: CredentialAttempts,
    discovery: Discovery,
}

/// What the return needs.
#[derive(Serialize, Deserialize)]
struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    expires_at: i64,
    /// The hash of the session that the browser had: its cookie is not sent when the
    /// browser comes back from another site.
    before: Option<[u8; 32]>,
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
    #[error("the provider could not be reached a moment ago")]
    Away,
    #[error(transparent)]
    Identity(#[from] IdentityFault),
    #[error("none of the groups has a role; see roles and groups_claim")]
    NoRole(Box<Identity>),
    #[error("an administrator of the configuration has this name")]
    NameTaken(Box<Identity>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn start(
    State(admin): State<Arc<Admin>>,
    extensions: Extensions,
    headers: HeaderMap,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Some(provider) = &admin.oidc else {
        return not_here();
    };
    let config = &provider.config;
    let source = admin.trusted_proxies.source(&extensions, &headers);
    // Whoever may not sign in from there now does not begin to either.
    match provider.attempts.begin(source).await {
        Ok(attempt) => attempt.withdrawn().await,
        Err(refused) => return not_looked_at(&refused.into()),
    }
    let metadata = match provider.metadata(&admin.tools).await {
        Ok(metadata) => metadata,
        Err(error) => return failed(&admin, &error, source).await,
    };
    let is_local = session::is_local(&admin, &extensions, &headers);
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
        before: session::shown(&headers, is_local).map(|hash| *hash.as_bytes()),
    };
    let sealed = tools.random.with(|rng| {
        let purpose = Purpose::AdminSignIn;
        tools.sealer.seal(purpose, Uuid::nil(), b"", &pending, rng)
    });
    let mut response = Redirect::to(url.as_str()).into_response();
    let value = Base64UrlUnpadded::encode_string(&sealed);
    let cookie = cookie(is_local, &value, VALIDITY);
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
    let attempt = match provider.attempts.begin(source).await {
        Ok(attempt) => attempt,
        Err(refused) => return not_looked_at(&refused.into()),
    };
    let is_local = session::is_local(&admin, &extensions, &headers);
    let query = query.unwrap_or_default();
    let signed_in = signed_in(&admin, provider, &headers, is_local, &query);
    let (signed_in, pending) = match signed_in.await {
        Ok(signed_in) => {
            attempt.withdrawn().await;
            signed_in
        }
        Err(error) => {
            if error.is_guess() {
                attempt.wrong();
            } else {
                attempt.withdrawn().await;
            }
            let mut response = failed(&admin, &error, source).await;
            let forget = cookie(is_local, "", Duration::ZERO);
            response.headers_mut().insert(header::SET_COOKIE, forget);
            return response;
        }
    };
    let Pending { next, before, .. } = pending;
    let entry = NewAuditEntry {
        role: Some(signed_in.role.as_str().to_owned()),
        ..entry(AuditAction::SignedIn, source, Some(&signed_in))
    };
    let tools = &admin.tools;
    let begun = async {
        tools.store.record_audit(entry, tools.now()).await?;
        if let Some(before) = before.map(AdminSessionHash::from_bytes) {
            tools.store.end_admin_session(before).await?;
        }
        session::begin(&admin, &headers, is_local, &signed_in).await
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
    answer.append(header::SET_COOKIE, cookie(is_local, "", Duration::ZERO));
    if let Ok(refresh) = HeaderValue::try_from(format!("0; url={next}")) {
        answer.insert(header::REFRESH, refresh);
    }
    response
}

/// Who comes back from the provider, and with what the browser left.
async fn signed_in(
    admin: &Admin,
    provider: &Oidc,
    headers: &HeaderMap,
    is_local: bool,
    query: &str,
) -> Result<(SignedIn, Pending), OidcError> {
    let tools = &admin.tools;
    let pending = pending(tools, headers, is_local).ok_or(OidcError::NotBegun)?;
    let identity = provider.identity(tools, &pending, query).await?;
    if admin.access.has_name(&identity.name) {
        return Err(OidcError::NameTaken(Box::new(identity)));
    }
    let Some(role) = identity.role else {
        return Err(OidcError::NoRole(Box::new(identity)));
    };
    let signed_in = SignedIn {
        name: identity.name,
        identity: Some(identity.identity),
        role,
        may_see_names: identity.may_see_names,
        credential: provider.config.credential(),
    };
    Ok((signed_in, pending))
}

fn pending(tools: &Tools, headers: &HeaderMap, is_local: bool) -> Option<Pending> {
    let name = cookie_name(is_local);
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
    pub(super) fn new(config: OidcConfig, tools: &Tools) -> Self {
        Self {
            config,
            attempts: CredentialAttempts::new(tools.clone(), "admin oidc"),
            discovery: Discovery::default(),
        }
    }

    /// The administrator of a session that was begun by this provider's word.
    pub(super) fn still(&self, session: &AdminSession) -> Option<SignedIn> {
        self.config.still(session)
    }

    async fn metadata(&self, tools: &Tools) -> Result<Metadata, OidcError> {
        self.discovery.metadata(tools, &self.config.issuer).await
    }

    /// Who comes back from the provider, by its word.
    async fn identity(
        &self,
        tools: &Tools,
        pending: &Pending,
        query: &str,
    ) -> Result<Identity, OidcError> {
        let config = &self.config;
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
        consume(tools, &pending.state).await?;
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
        Ok(identity(config, token, &pending.nonce, tools.now())?)
    }
}

impl OidcError {
    /// Whether somebody tried a code that is none, or that is of no use here.
    fn is_guess(&self) -> bool {
        matches!(
            self,
            Self::Token(_) | Self::Identity(_) | Self::NoRole(_) | Self::NameTaken(_)
        )
    }

    /// Whom the provider vouches for.
    fn known(&self) -> Option<&Identity> {
        match self {
            Self::NoRole(identity) | Self::NameTaken(identity) => Some(identity),
            _ => None,
        }
    }
}

/// Lets a state through once, on whichever server, while it is valid.
async fn consume(tools: &Tools, state: &str) -> Result<(), OidcError> {
    let key = tools
        .sealer
        .limit_key("admin oidc state", &[state.as_bytes()]);
    let once = AttemptLimit {
        most: 1,
        window: VALIDITY,
    };
    match tools.store.attempt(key, once, tools.now()).await? {
        Attempted::Now => Ok(()),
        Attempted::Locked { .. } => Err(OidcError::NotBegun),
    }
}

impl OidcConfig {
    fn still(&self, session: &AdminSession) -> Option<SignedIn> {
        let is_same = bool::from(session.credential.ct_eq(&self.credential()));
        is_same.then_some(())?;
        Some(SignedIn {
            name: session.administrator.clone(),
            identity: Some(session.identity.clone()?),
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

fn not_here() -> Response {
    pages::message(
        StatusCode::NOT_FOUND,
        "Not here",
        "There is no sign-in by OpenID Connect here.",
    )
}

fn cookie_name(is_local: bool) -> String {
    let prefix = if is_local { "" } else { "__Host-" };
    format!("{prefix}{COOKIE}")
}

/// Sent along when the provider sends the browser back, and with no other request from
/// elsewhere.
fn cookie(is_local: bool, value: &str, life: Duration) -> HeaderValue {
    let (name, life) = (cookie_name(is_local), life.as_secs());
    let secure = if is_local { "" } else { "; Secure" };
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
