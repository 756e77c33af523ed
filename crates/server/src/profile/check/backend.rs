//! The backend application, for direct join links.

use secrecy::{ExposeSecret as _, SecretString};
use vestibule_smart::{AssertionKey, TokenEndpoint, TokenEndpointInvalid};

use super::previous;
use crate::{
    backend::{Backend, BackendKeys},
    profile::{
        Faults, Overlap, ProfileDocument,
        field::{FieldError, client_id, longest, url, wrong},
    },
};

/// Longest private key, in characters, as in the management API.
const LONGEST_PRIVATE_KEY: usize = 12_288;

/// `Some(None)` where the profile has none.
pub(super) fn backend(document: &ProfileDocument, faults: &mut Faults) -> Option<Option<Backend>> {
    let id_field = "epic_backend_oauth2_app_client_id";
    let url_field = "epic_backend_oauth2_app_token_endpoint_url";
    let key_field = "epic_backend_oauth2_app_private_key";
    let id = document.epic_backend_oauth2_app_client_id.as_deref();
    let endpoint = document
        .epic_backend_oauth2_app_token_endpoint_url
        .as_deref();
    let key = document.epic_backend_oauth2_app_private_key.as_ref();
    let old = previous(document).and_then(|table| {
        let old = table.epic_backend_oauth2_app_private_key.as_ref()?;
        let key = private_key("previous.epic_backend_oauth2_app_private_key", old);
        Some((faults.keep(key)?, table.valid_until(key_field)))
    });
    if id.is_none() && endpoint.is_none() && key.is_none() {
        return Some(None);
    }
    let id = faults.keep(needed(id_field, id).and_then(|id| client_id(id_field, id).map(|()| id)));
    let endpoint = needed(url_field, endpoint).and_then(|text| token_endpoint(url_field, text));
    let endpoint = faults.keep(endpoint);
    let key = needed(key_field, key).and_then(|key| private_key(key_field, key));
    let key = faults.keep(key);
    let (id, endpoint, key) = (id?, endpoint?, key?);
    let keys = BackendKeys::new(Overlap::new(key, old));
    Some(Some(Backend::new(id.to_owned(), endpoint, keys)))
}

fn needed<T>(field: &'static str, value: Option<T>) -> Result<T, FieldError> {
    value.map_or_else(
        || {
            wrong(
                field,
                "is missing: direct join links need all three fields that begin with \
                 epic_backend_oauth2_app_, and profiles without them none of the three",
            )
        },
        Ok,
    )
}

fn token_endpoint(field: &'static str, text: &str) -> Result<TokenEndpoint, FieldError> {
    url(field, text)?;
    text.parse()
        .map_err(|error: TokenEndpointInvalid| (field, error.to_string()))
}

fn private_key(field: &'static str, key: &SecretString) -> Result<AssertionKey, FieldError> {
    longest(field, key.expose_secret(), LONGEST_PRIVATE_KEY)?;
    AssertionKey::from_pem(key.expose_secret()).map_err(|error| (field, error.to_string()))
}
