//! The handshake with the conferencing node, in the browser's place. The rules are those
//! of Pexip's own clients: the first request carries no PIN, the node says what it needs,
//! a guest without a PIN asks again with `pin: none`, and the node alone decides the
//! role.

use vestibule_launch::{
    Pin, Role, UnixTime,
    client_api::{NONE, PIN_NONE, RequestTokenBody},
};

use super::{
    Stage, Visit, VisitFault,
    answer::{Answer, PinsWanted},
    node_client::{Asking, Secret},
    visit::Session,
};

/// With what somebody asks to be let in.
#[derive(Debug)]
pub(crate) enum Offer {
    /// With nothing: the node says what it needs.
    Nothing,
    /// As a guest without a PIN.
    NoPin,
    /// With a PIN.
    Pin(Pin),
}

/// Goes as far as it can: until somebody is in, or must be asked. The link's PIN is used
/// once, so the node is asked twice at most. Where the node does not answer, the visit is
/// as it was, and can be joined once more.
///
/// # Errors
/// [`VisitFault`].
pub(crate) async fn join(
    node: &Asking<'_>,
    visit: &mut Visit,
    mut offer: Offer,
    now: UnixTime,
) -> Result<(), VisitFault> {
    if visit.display_name.is_none() {
        visit.ask(Stage::Name { faulty: false }, now);
        return Ok(());
    }
    let mut wanted = match visit.stage {
        Stage::Pin { wanted, .. } => wanted,
        _ => PinsWanted {
            host: true,
            guest: true,
        },
    };
    loop {
        let typed = matches!(offer, Offer::Pin(_));
        match request(node, visit, &offer).await? {
            Answer::Granted(granted) => {
                visit.enter(Session::new(
                    granted.token,
                    granted.participant,
                    granted.role,
                    granted.expires,
                    now,
                ));
                return Ok(());
            }
            Answer::PinWanted(pins) => {
                wanted = pins;
                if let (Offer::Nothing, Some(next)) = (&offer, known(visit, wanted)) {
                    offer = next;
                    continue;
                }
            }
            Answer::WrongPin => {}
            Answer::ExtensionWanted => return Err(VisitFault::Refused),
        }
        // The link's PIN is not the right one, if it was that.
        visit.pin = None;
        let wrong = typed;
        visit.ask(Stage::Pin { wanted, wrong }, now);
        return Ok(());
    }
}

/// What can be offered without asking anybody.
fn known(visit: &Visit, wanted: PinsWanted) -> Option<Offer> {
    if let Some(pin) = visit.link_pin() {
        return Some(Offer::Pin(pin));
    }
    match (visit.role, wanted.host, wanted.guest) {
        (_, false, false) | (Some(Role::Guest), _, false) | (Some(Role::Host), false, _) => {
            Some(Offer::NoPin)
        }
        _ => None,
    }
}

async fn request(node: &Asking<'_>, visit: &Visit, offer: &Offer) -> Result<Answer, VisitFault> {
    let body = RequestTokenBody {
        display_name: visit.display_name.clone().unwrap_or_default(),
        chosen_idp: Some(NONE.to_owned()),
        direct_media: None,
        sso_token: Some(NONE.to_owned()),
        node: node.host().map(str::to_owned),
        conference_extension: visit.extension.clone(),
        call_tag: visit.call_tag.clone(),
    };
    let secret = match offer {
        Offer::Nothing => Secret::None,
        Offer::NoPin => Secret::Pin(PIN_NONE),
        Offer::Pin(pin) => Secret::Pin(pin.expose()),
    };
    let asked = node.post(&visit.conference, "request_token", secret, Some(&body));
    let (status, body) = asked.await?;
    Answer::read(status, &body)
}
