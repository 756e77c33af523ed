//! `GET …/participants`: who is there.

use axum::extract::State;

use crate::{
    Node,
    alias::Alias,
    answer::{ParticipantState, Success},
    refusal::Refusal,
    token::TokenHash,
};

pub(super) async fn answer(
    State(node): State<Node>,
    alias: Alias,
    token: TokenHash,
) -> Result<Success<Vec<ParticipantState>>, Refusal> {
    node.step(|conferences, _, now, effects| conferences.participants(&alias, token, now, effects))
        .map(Success::of)
}
