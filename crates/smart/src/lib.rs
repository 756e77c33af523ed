//! SMART on FHIR OAuth2 client without input or output: it builds
//! [`http::Request`]s for the caller to send and reads the [`http::Response`]s
//! that came back. Time and randomness come in as arguments, except that the
//! cryptography library draws by itself what signatures and new keys need.
//!
//! The way of an EHR launch (SMART App Launch 2.2 section 2.0.9, RFC 6749
//! section 4.1, RFC 7636):
//!
//! 1. [`metadata_request`], then [`Metadata::from_response`]; where an old EHR
//!    has no such document, [`capability_statement_request`], then
//!    [`Metadata::from_capability_statement`]
//! 2. [`Verifier::generate`], then redirect the browser to
//!    [`AuthorizeRequest::url`], or have it post [`AuthorizeRequest::form`]
//! 3. [`Callback::from_query`]; the caller compares the state, then
//!    [`Callback::check_issuer`]
//! 4. [`Client::request`] for a [`TokenRequest`], then [`TokenResponse::from_response`]
//! 5. [`Tokens`], renewed at [`Tokens::renew_at`] by [`Tokens::renewal`]
//!
//! A backend client needs only step 4, with [`TokenRequest::ClientCredentials`]
//! and a [`TokenEndpoint`]. A client with an [`AssertionKey`] publishes its
//! [`Jwks`].
//!
//! Requests carry secrets in headers and bodies: never log one.

mod assertion_key;
mod authorize;
mod callback;
mod capability_statement;
mod client;
mod client_assertion;
mod clock_skew;
mod credentials;
mod jwks;
mod metadata;
mod metadata_request;
mod oauth_error;
mod pem;
mod pkce;
mod protected_url;
mod scope;
mod token_endpoint;
mod token_request;
mod token_response;
mod tokens;

pub use assertion_key::{AssertionKey, AssertionKeyInvalid, KeyKind, KeyNotMade, SigningAlgorithm};
pub use authorize::{AuthorizeForm, AuthorizeRequest};
pub use callback::{Callback, CallbackError, IssuerMismatch};
pub use client::Client;
pub use clock_skew::ClockSkew;
pub use credentials::ClientCredentials;
pub use jwks::{Jwk, Jwks, KeyId, KeyIdInvalid, KeyIdTwice};
pub use metadata::{Metadata, MetadataError};
pub use metadata_request::{MetadataRequestError, capability_statement_request, metadata_request};
pub use oauth_error::{OAuthError, OAuthErrorInvalid};
pub use pkce::{Verifier, VerifierInvalid};
pub use protected_url::is_protected;
pub use scope::{Scope, ScopeInvalid, SystemScope};
pub use token_endpoint::{TokenEndpoint, TokenEndpointInvalid};
pub use token_request::TokenRequest;
pub use token_response::{TokenError, TokenResponse};
pub use tokens::Tokens;

/// The longest SMART metadata document or token answer that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The longest CapabilityStatement that is read, in bytes: those of full EHRs
/// run to megabytes.
pub const MAX_CAPABILITY_STATEMENT_BYTES: usize = 8 * 1024 * 1024;
