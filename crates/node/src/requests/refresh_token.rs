//! `POST …/refresh_token`: to stay in.

use axum::extract::State;

use crate::{
    Node,
    alias::Alias,
    answer::{Success, TokenRefreshed},
    refusal::Refusal,
    token::TokenHash,
};

pub(super) async fn answer(
    State(node): State<Node>,
    alias: Alias,
    token: TokenHash,
) -> Result<Success<TokenRefreshed>, Refusal> {
    node.step(|conferences, rng, now, effects| {
        conferences.refresh_token(&alias, token, now, rng, effects)
    })
    .map(Success::of)
}
