//! `POST …/participants/{uuid}/calls`: to send media, which this node does not carry.

use axum::extract::State;

use crate::{Node, alias::Alias, refusal::Refusal, token::TokenHash};

pub(super) async fn answer(State(node): State<Node>, alias: Alias, token: TokenHash) -> Refusal {
    let known = node.step(|conferences, _, now, effects| {
        conferences.conference_status(&alias, token, now, effects)
    });
    match known {
        Ok(_) => Refusal::NoMedia,
        Err(refusal) => refusal,
    }
}
