//! What a visit looks like now: a look renews the token where that is due.

use http::StatusCode;
use serde_json::Value;
use vestibule_launch::{Role, UnixTime};

use super::{
    Offer, Visit, VisitFault,
    answer::renewed,
    join,
    node_client::{Asking, Secret},
    visit::{Session, Shown, Stage},
};

/// What a visit looks like from inside.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A guest, and no host is there.
    Waiting,
    /// The visit has begun, and somebody must let the guest in.
    LetIn,
    /// The node does not answer at the moment.
    Reconnecting,
    /// In.
    Joined {
        role: Role,
        /// None where the node does not say it at the moment.
        people: Option<Vec<Person>>,
    },
    /// The visit asks for something: its stage says what, or that somebody is out.
    Asked,
    /// There is no such conference any more.
    Ended,
}

/// Somebody in the visit.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Whether it is this browser's own.
    pub(crate) own: bool,
}

/// What the node said to one question.
enum Told {
    Result(Value),
    /// It does not take the token.
    Refused,
    Nothing,
}

/// What the node says of a conference.
struct Facts {
    started: Told,
    people: Told,
}

/// Looks who is there. Where the token's time is over, as after a phone has slept, a new
/// one is asked for; whoever loses it before has been put out, and is not let in again
/// unasked.
///
/// # Errors
/// Where the node's answer cannot be understood, or it lets nobody in any more.
pub(crate) async fn look(
    node: &Asking<'_>,
    visit: &mut Visit,
    session: Session,
    now: UnixTime,
) -> Result<Seen, VisitFault> {
    let mut session = session;
    let due = session.is_due(now);
    if due {
        match renew(node, visit, &mut session, now).await {
            Ok(true) => {}
            Ok(false) => return lost(node, visit, &session, now).await,
            // The token lives on for a while.
            Err(VisitFault::Unavailable(_)) => return Ok(Seen::Reconnecting),
            Err(fault) => return Err(fault),
        }
    }
    let mut facts = facts(node, visit, &session).await;
    if facts.are_refused() && !due {
        match renew(node, visit, &mut session, now).await {
            Ok(true) => facts = self::facts(node, visit, &session).await,
            Ok(false) => return lost(node, visit, &session, now).await,
            Err(VisitFault::Unavailable(_)) => return Ok(Seen::Reconnecting),
            Err(fault) => return Err(fault),
        }
    }
    Ok(noted(visit, session, &facts))
}

/// Whether there is a new token.
async fn renew(
    node: &Asking<'_>,
    visit: &mut Visit,
    session: &mut Session,
    now: UnixTime,
) -> Result<bool, VisitFault> {
    let secret = Secret::Token(&session.token);
    let asked = node.post(&visit.conference, "refresh_token", secret, None::<&()>);
    let (status, body) = asked.await?;
    let Some(renewed) = renewed(status, &body)? else {
        return Ok(false);
    };
    session.role = renewed.role.unwrap_or(session.role);
    session.renew(renewed.token, renewed.expires, now);
    visit.enter(session.clone());
    Ok(true)
}

/// The node knows the token no more.
async fn lost(
    node: &Asking<'_>,
    visit: &mut Visit,
    session: &Session,
    now: UnixTime,
) -> Result<Seen, VisitFault> {
    if !session.is_over(now) {
        visit.stay(Stage::Out);
        return Ok(Seen::Asked);
    }
    match join(node, visit, Offer::Nothing, now).await {
        Ok(()) => {}
        Err(VisitFault::NotFound) => return Ok(Seen::Ended),
        Err(VisitFault::Unavailable(_)) => return Ok(Seen::Reconnecting),
        Err(fault) => return Err(fault),
    }
    let Stage::In(mut session) = visit.stage.clone() else {
        return Ok(Seen::Asked);
    };
    let facts = facts(node, visit, &session).await;
    session.shown = None;
    Ok(noted(visit, session, &facts))
}

async fn facts(node: &Asking<'_>, visit: &Visit, session: &Session) -> Facts {
    let (started, people) = tokio::join!(
        told(node, visit, "conference_status", &session.token),
        told(node, visit, "participants", &session.token),
    );
    Facts { started, people }
}

/// What is seen, remembered for the next look.
fn noted(visit: &mut Visit, mut session: Session, facts: &Facts) -> Seen {
    let seen = seen(&session, facts);
    let shown = match &seen {
        Seen::Waiting => Some(Shown::Waiting),
        Seen::LetIn => Some(Shown::LetIn),
        Seen::Joined { .. } => Some(Shown::Joined),
        _ => session.shown,
    };
    session.shown = shown;
    visit.stage = Stage::In(session);
    seen
}

/// Gives the token back. The node forgets it by itself where that does not succeed.
pub(crate) async fn leave(node: &Asking<'_>, visit: &Visit) {
    if let Stage::In(session) = &visit.stage {
        let secret = Secret::Token(&session.token);
        let body = vestibule_launch::client_api::ReleaseTokenBody::default();
        let released = node.post(&visit.conference, "release_token", secret, Some(&body));
        if let Err(fault) = released.await {
            tracing::info!(%fault, "a token could not be given back");
        }
    }
}

async fn told(node: &Asking<'_>, visit: &Visit, request: &str, token: &str) -> Told {
    match node.get(&visit.conference, request, token).await {
        Ok((StatusCode::OK, mut body)) => Told::Result(body["result"].take()),
        Ok((StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, _)) => {
            Told::Refused
        }
        _ => Told::Nothing,
    }
}

impl Facts {
    fn are_refused(&self) -> bool {
        matches!(self.started, Told::Refused) || matches!(self.people, Told::Refused)
    }

    fn started(&self) -> Option<bool> {
        match &self.started {
            Told::Result(status) => status["started"].as_bool(),
            _ => None,
        }
    }

    fn people(&self) -> Option<&[Value]> {
        match &self.people {
            Told::Result(people) => people.as_array().map(Vec::as_slice),
            _ => None,
        }
    }
}

/// Where the node does not say all of it, it is as it was before.
fn seen(session: &Session, facts: &Facts) -> Seen {
    if matches!(
        (&facts.started, &facts.people),
        (Told::Nothing, Told::Nothing)
    ) {
        return Seen::Reconnecting;
    }
    let (started, people) = (facts.started(), facts.people());
    let own = |person: &Value| person["uuid"].as_str() == Some(&session.participant);
    let kept_out = people.map(|people| {
        people
            .iter()
            .any(|person| own(person) && person["service_type"] == "waiting_room")
    });
    let shown = match (kept_out, started) {
        (Some(true), Some(true)) => Shown::LetIn,
        (Some(true), Some(false)) => Shown::Waiting,
        (Some(true), None) => match session.shown {
            Some(Shown::LetIn) => Shown::LetIn,
            _ => Shown::Waiting,
        },
        (_, Some(false)) if session.role == Role::Guest => Shown::Waiting,
        (Some(false), Some(_)) => Shown::Joined,
        (Some(false) | None, _) => session.shown.unwrap_or(match session.role {
            Role::Host => Shown::Joined,
            Role::Guest => Shown::Waiting,
        }),
    };
    match shown {
        Shown::Waiting => Seen::Waiting,
        Shown::LetIn => Seen::LetIn,
        Shown::Joined => Seen::Joined {
            role: session.role,
            people: people.map(|people| people.iter().map(|person| read(person, own)).collect()),
        },
    }
}

fn read(person: &Value, own: impl Fn(&Value) -> bool) -> Person {
    Person {
        name: person["display_name"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        role: match person["role"].as_str() {
            Some("chair") => Role::Host,
            _ => Role::Guest,
        },
        own: own(person),
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person")
            .field("role", &self.role)
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(role: Role, shown: Option<Shown>) -> Session {
        let now = UnixTime::from_millis(0);
        let mut session = Session::new("t".to_owned(), "1".to_owned(), role, 120, now);
        session.shown = shown;
        session
    }

    fn person(uuid: &str, role: &str, service_type: &str) -> Value {
        json!({"uuid": uuid, "display_name": "N", "role": role, "service_type": service_type})
    }

    fn facts(started: Option<bool>, people: Option<&[Value]>) -> Facts {
        Facts {
            started: started.map_or(Told::Nothing, |started| {
                Told::Result(json!({"started": started}))
            }),
            people: people.map_or(Told::Nothing, |people| Told::Result(json!(people))),
        }
    }

    #[test]
    fn a_guest_waits_for_the_host_and_then_to_be_let_in() {
        let waiting = [person("1", "guest", "waiting_room")];
        let guest = session(Role::Guest, None);
        let seen = |started, people| seen(&guest, &facts(started, people));
        assert!(matches!(seen(Some(false), Some(&waiting)), Seen::Waiting));
        assert!(matches!(seen(None, Some(&waiting)), Seen::Waiting));
        assert!(matches!(seen(None, Some(&[])), Seen::Waiting));
        assert!(matches!(seen(Some(true), Some(&waiting)), Seen::LetIn));
    }

    #[test]
    fn who_is_in_sees_the_others_and_which_one_they_are() {
        let people = [
            person("1", "guest", "conference"),
            person("2", "chair", "conference"),
        ];
        let guest = session(Role::Guest, None);
        let Seen::Joined { role, people } = seen(&guest, &facts(Some(true), Some(&people))) else {
            panic!("not joined")
        };
        assert_eq!(role, Role::Guest);
        let people: Vec<_> = people.unwrap().iter().map(|it| (it.role, it.own)).collect();
        assert_eq!(people, [(Role::Guest, true), (Role::Host, false)]);
        let host = seen(&session(Role::Host, None), &facts(None, Some(&[])));
        assert!(matches!(
            host,
            Seen::Joined {
                role: Role::Host,
                ..
            }
        ));
    }

    #[test]
    fn what_the_node_does_not_say_is_as_it_was() {
        let inside = [person("1", "guest", "conference")];
        let outside = [person("1", "guest", "waiting_room")];
        for (shown, people) in [
            (Shown::Joined, Some(&inside[..])),
            (Shown::Waiting, Some(&inside[..])),
            (Shown::LetIn, Some(&outside[..])),
            (Shown::Waiting, Some(&outside[..])),
        ] {
            let guest = session(Role::Guest, Some(shown));
            let seen = seen(&guest, &facts(None, people));
            let same = match shown {
                Shown::Waiting => matches!(seen, Seen::Waiting),
                Shown::LetIn => matches!(seen, Seen::LetIn),
                Shown::Joined => matches!(seen, Seen::Joined { .. }),
            };
            assert!(same, "{shown:?}: {seen:?}");
        }
        let joined = session(Role::Guest, Some(Shown::Joined));
        let without = seen(&joined, &facts(Some(true), None));
        assert!(matches!(without, Seen::Joined { people: None, .. }));
        let silent = seen(&joined, &facts(None, None));
        assert!(matches!(silent, Seen::Reconnecting));
        let ended = seen(&joined, &facts(Some(false), Some(&inside)));
        assert!(matches!(ended, Seen::Waiting), "the host has left");
    }
}
