//! SMART on FHIR OAuth2 client without input or output: it builds
//! [`http::Request`]s for the caller to send and reads the [`http::Response`]s
//! that came back. Randomness comes in as an argument; nothing here reads a clock.
//!
//! The way of an EHR launch (SMART App Launch 2.2 section 2.0.9, RFC 6749
//! section 4.1, RFC 7636):
//!
//! 1. [`metadata_request`], then [`Metadata::from_response`]
//! 2. [`Verifier::generate`], then redirect the browser to [`AuthorizeRequest::url`]
//! 3. [`Callback::from_query`]; the caller compares the state
//! 4. [`TokenRequest::into_request`], then [`TokenResponse::from_response`]
//!
//! Requests carry secrets in headers and bodies: never log one.

mod authorize;
mod callback;
mod credentials;
mod discovery;
mod oauth_error;
mod pkce;
mod scope;
mod token_request;
mod token_response;

pub use authorize::AuthorizeRequest;
pub use callback::{Callback, CallbackError};
pub use credentials::ClientCredentials;
pub use discovery::{Metadata, MetadataError, MetadataRequestError, metadata_request};
pub use oauth_error::{OAuthError, OAuthErrorInvalid};
pub use pkce::{Verifier, VerifierInvalid};
pub use scope::{Scope, ScopeInvalid};
pub use token_request::TokenRequest;
pub use token_response::{TokenError, TokenResponse};

/// The longest metadata document or token answer that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
