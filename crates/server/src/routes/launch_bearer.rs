//! The launch and the bearer token that a request of the launch API names.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Path},
    http::{header::AUTHORIZATION, request::Parts},
};
use vestibule_launch::RequestId;
use vestibule_store::Bearer;

use crate::{
    launch::{BearerError, BearerToken, NoBearer, find_bearer},
    state::AppState,
};

/// What the request names; nothing of it is checked.
pub(super) struct Named {
    request_id: Option<RequestId>,
    token: Option<BearerToken>,
}

impl FromRequestParts<AppState> for Named {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
        let header = headers.next().filter(|_| headers.next().is_none());
        Ok(Self {
            request_id: path.ok().and_then(|Path(id)| id.parse().ok()),
            token: BearerToken::from_header(header),
        })
    }
}

impl Named {
    /// The launch and the token, where they can be any.
    pub(super) fn both(&self) -> Result<(RequestId, &BearerToken), NoBearer> {
        match (self.request_id, &self.token) {
            (Some(request_id), Some(token)) => Ok((request_id, token)),
            _ => Err(NoBearer),
        }
    }

    /// The launch of which the token is.
    pub(super) async fn find(&self, state: &AppState) -> Result<Bearer, BearerError> {
        let (request_id, token) = self.both()?;
        find_bearer(&state.tools, request_id, token).await
    }
}
