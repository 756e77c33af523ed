//! `GET …/events`: what happens, as server-sent events.

use axum::{
    extract::State,
    http::HeaderName,
    response::{
        IntoResponse,
        sse::{KeepAlive, Sse},
    },
};
use futures_util::{StreamExt, stream};

use crate::{Node, alias::Alias, refusal::Refusal, token::TokenHash};

/// Asks nginx, where one is in front, to pass events on at once.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

pub(super) async fn answer(
    State(node): State<Node>,
    alias: Alias,
    token: TokenHash,
) -> Result<impl IntoResponse, Refusal> {
    let (first, mut later) = node.open_stream(&alias, token)?;
    let events = stream::iter(first)
        .chain(stream::poll_fn(move |context| later.poll_recv(context)))
        .map(|event| event.to_sse());
    let keep_alive = KeepAlive::new().interval(node.settings().keep_alive);
    Ok(([UNBUFFERED], Sse::new(events).keep_alive(keep_alive)))
}
