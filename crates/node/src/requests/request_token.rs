//! `POST …/request_token`: to come in.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue},
};
use vestibule_launch::{
    DisplayName, Pin,
    client_api::{PIN_NONE, RequestTokenBody},
};

use super::body;
use crate::{
    Node, ServiceConfiguration,
    alias::Alias,
    answer::{Success, TokenGranted},
    participant::Newcomer,
    pin_count::PinCount,
    refusal::Refusal,
    service_configuration::PinOffer,
};

/// Longest `call_tag` in characters: the limit of Pexip's status field.
const LONGEST_CALL_TAG: usize = 1_000;

pub(super) async fn answer(
    State(node): State<Node>,
    alias: Alias,
    headers: HeaderMap,
    body: Body,
) -> Result<Success<TokenGranted>, Refusal> {
    let body: RequestTokenBody = body::read_json(&headers, body, node.settings()).await?;
    let newcomer = newcomer(alias, body)?;
    let offer = offer(headers.get("pin"));
    let service = node.service(&newcomer.alias).await.map_err(|error| {
        tracing::warn!("{error}");
        Refusal::PolicyUnavailable
    })?;
    let service = service.ok_or(Refusal::ConferenceNotFound)?;
    let granted = admit(&node, &service, newcomer, &offer).await;
    if let Err(refusal) = &granted {
        let service_tag = service.service_tag();
        tracing::info!(service_tag, %refusal, "request_token refused");
    }
    granted.map(Success::of)
}

/// Lets somebody in. A PIN is counted before it is looked at, and not any more once it
/// has proved right.
async fn admit(
    node: &Node,
    service: &ServiceConfiguration,
    newcomer: Newcomer,
    offer: &PinOffer,
) -> Result<TokenGranted, Refusal> {
    let count = match offer {
        PinOffer::Pin(_) | PinOffer::NotAPin => {
            Some(PinCount::begin(node, &newcomer.alias, service).await?)
        }
        PinOffer::Nothing | PinOffer::NoPin => None,
    };
    let granted = node.step(|conferences, rng, now, effects| {
        conferences.request_token(service, newcomer, offer, now, rng, effects)
    });
    if let Some(count) = count
        && !matches!(granted, Err(Refusal::WrongPin))
    {
        count.withdrawn(node).await;
    }
    granted
}

fn newcomer(alias: Alias, body: RequestTokenBody) -> Result<Newcomer, Refusal> {
    let call_tag = body.call_tag.unwrap_or_default();
    if call_tag.chars().count() > LONGEST_CALL_TAG {
        return Err(Refusal::CallTag);
    }
    Ok(Newcomer {
        alias,
        display_name: DisplayName::parse(&body.display_name)?,
        call_tag,
    })
}

/// An empty `pin` header is the same as none.
fn offer(header: Option<&HeaderValue>) -> PinOffer {
    let Some(header) = header else {
        return PinOffer::Nothing;
    };
    match header.to_str().map(str::trim) {
        Ok("") => PinOffer::Nothing,
        Ok(PIN_NONE) => PinOffer::NoPin,
        Ok(text) => Pin::parse(text).map_or(PinOffer::NotAPin, PinOffer::Pin),
        Err(_) => PinOffer::NotAPin,
    }
}
