//! `GET …/conference_status`.

use axum::extract::State;

use crate::{
    Node,
    alias::Alias,
    answer::{ConferenceState, Success},
    refusal::Refusal,
    token::TokenHash,
};

pub(super) async fn answer(
    State(node): State<Node>,
    alias: Alias,
    token: TokenHash,
) -> Result<Success<ConferenceState>, Refusal> {
    node.step(|conferences, _, now, effects| {
        conferences.conference_status(&alias, token, now, effects)
    })
    .map(Success::of)
}
