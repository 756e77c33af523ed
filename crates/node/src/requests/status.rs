//! `GET /api/client/v2/status`: whether the node takes newcomers.

use axum::extract::State;

use crate::{Node, answer::Success, refusal::Refusal};

pub(super) async fn answer(State(node): State<Node>) -> Result<Success<bool>, Refusal> {
    if node.is_shut_down() {
        Err(Refusal::ShutDown)
    } else {
        Ok(Success::of(true))
    }
}
