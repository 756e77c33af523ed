//! `POST …/release_token`: to leave.

use axum::extract::State;

use crate::{Node, alias::Alias, answer::Success, refusal::Refusal, token::TokenHash};

/// The body (a reason, in the client's words) is not read: beacons send it with
/// any content type or not at all, and nothing follows from it.
pub(super) async fn answer(
    State(node): State<Node>,
    alias: Alias,
    token: TokenHash,
) -> Result<Success<bool>, Refusal> {
    node.step(|conferences, _, now, effects| conferences.release_token(&alias, token, now, effects))
        .map(|()| Success::of(true))
}
