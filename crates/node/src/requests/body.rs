//! Request bodies.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, header::CONTENT_TYPE},
};
use serde::de::DeserializeOwned;

use crate::{NodeSettings, refusal::Refusal};

/// A JSON body, within the settings' limit and deadline.
///
/// # Errors
/// The [`Refusal`] that says what is wrong with it; never what it holds.
pub(super) async fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    settings: &NodeSettings,
) -> Result<T, Refusal> {
    if !is_json(headers) {
        return Err(Refusal::ContentType);
    }
    let bytes = tokio::time::timeout(settings.body_deadline, to_bytes(body, settings.body_limit))
        .await
        .map_err(|_| Refusal::BodyTooSlow)?
        .map_err(|_| Refusal::BodyTooLarge)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::Body)
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let essence = content_type.and_then(|it| it.split(';').next());
    essence.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"))
}
