//! Random visits, held against a model that knows only the rules.

use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;
use rand::{SeedableRng, rngs::ChaCha20Rng};
use vestibule_launch::{DisplayName, Pin, Role};

use super::*;
use crate::{ServiceType, effect::Effect};

const HOST_PIN: &str = "1111";
const GUEST_PIN: &str = "2222";
const CONFERENCES: usize = 2;
const PARTICIPANTS: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Offer {
    Nothing,
    NoPin,
    Host,
    Guest,
    Wrong,
}

#[derive(Clone, Debug)]
enum Step {
    Join {
        service: usize,
        alias: usize,
        offer: Offer,
    },
    Refresh(usize, usize),
    Release(usize),
    Look(usize),
    Pass(u64),
    Sweep,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let offer = prop_oneof![
        1 => Just(Offer::Nothing),
        3 => Just(Offer::NoPin),
        3 => Just(Offer::Host),
        2 => Just(Offer::Guest),
        1 => Just(Offer::Wrong),
    ];
    let step = prop_oneof![
        6 => (0..4_usize, 0..2_usize, offer)
            .prop_map(|(service, alias, offer)| Step::Join { service, alias, offer }),
        4 => (any::<usize>(), prop_oneof![4 => Just(1), 1 => 8..12_usize])
            .prop_map(|(index, times)| Step::Refresh(index, times)),
        2 => any::<usize>().prop_map(Step::Release),
        2 => any::<usize>().prop_map(Step::Look),
        4 => prop_oneof![0..20_u64, 30..200_u64, 0..1_000_u64].prop_map(Step::Pass),
        1 => Just(Step::Sweep),
    ];
    proptest::collection::vec(step, 1..80)
}

/// One token as a client would hold it.
struct Held {
    text: String,
    alias: Alias,
    participant: Uuid,
    expires_at: UnixTime,
}

#[derive(Default)]
struct Seen {
    role: Option<Role>,
    waiting: bool,
}

struct Model {
    conferences: Conferences,
    rng: ChaCha20Rng,
    now: UnixTime,
    held: Vec<Held>,
    /// What the reports say: conferences with when their last host left, and participants.
    open: HashMap<String, Option<UnixTime>>,
    present: HashMap<Uuid, (String, Seen)>,
}

impl Model {
    fn new() -> Self {
        let settings = NodeSettings {
            conferences: CONFERENCES,
            participants_per_conference: PARTICIPANTS,
            ..NodeSettings::default()
        };
        Self {
            conferences: Conferences::new(settings),
            rng: ChaCha20Rng::from_seed([3; 32]),
            now: UnixTime::from_millis(1_700_000_000_000),
            held: Vec::new(),
            open: HashMap::new(),
            present: HashMap::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        let mut effects = Effects::default();
        let held = |index: usize| (!self.held.is_empty()).then(|| index % self.held.len());
        match *step {
            Step::Join {
                service,
                alias,
                offer,
            } => self.join(service, alias, offer, &mut effects),
            Step::Refresh(index, times) => {
                let alike = held(index).map(|index| self.held[index].participant);
                for _ in 0..times {
                    let latest = self
                        .held
                        .iter()
                        .rposition(|it| Some(it.participant) == alike);
                    if let Some(latest) = latest {
                        self.refresh(latest, &mut effects);
                    }
                }
            }
            Step::Release(index) => {
                if let Some(index) = held(index) {
                    let it = &self.held[index];
                    let (alias, token) = (it.alias.clone(), TokenHash::of(&it.text));
                    let result =
                        self.conferences
                            .release_token(&alias, token, self.now, &mut effects);
                    if result.is_ok() {
                        let gone = self.held[index].participant;
                        self.held.retain(|it| it.participant != gone);
                    }
                }
            }
            Step::Look(index) => {
                if let Some(index) = held(index) {
                    self.look(index, &mut effects);
                }
            }
            Step::Pass(seconds) => self.now = self.now + Duration::from_secs(seconds),
            Step::Sweep => self.conferences.sweep(self.now, &mut effects),
        }
        self.follow(effects);
        self.check();
        if matches!(step, Step::Sweep) {
            self.check_swept();
        }
    }

    fn join(&mut self, service: usize, alias: usize, offer: Offer, effects: &mut Effects) {
        let pin = |text| Some(Pin::parse(text).unwrap());
        let (host, guest, guests) = match service {
            0 => (pin(HOST_PIN), None, true),
            1 => (pin(HOST_PIN), pin(GUEST_PIN), true),
            2 => (pin(HOST_PIN), None, false),
            _ => (None, None, false),
        };
        let configuration =
            ServiceConfiguration::new(format!("service {service}"), "", host, guest, guests)
                .unwrap();
        let newcomer = Newcomer {
            alias: Alias::parse(&format!("alias{alias}-{service}")).unwrap(),
            display_name: DisplayName::parse("N").unwrap(),
            call_tag: String::new(),
        };
        let alias = newcomer.alias.clone();
        let offered = match offer {
            Offer::Nothing => PinOffer::Nothing,
            Offer::NoPin => PinOffer::NoPin,
            Offer::Host => PinOffer::Pin(Pin::parse(HOST_PIN).unwrap()),
            Offer::Guest => PinOffer::Pin(Pin::parse(GUEST_PIN).unwrap()),
            Offer::Wrong => PinOffer::NotAPin,
        };
        let answer = self.conferences.request_token(
            &configuration,
            newcomer,
            &offered,
            self.now,
            &mut self.rng,
            effects,
        );
        let Ok(granted) = answer else { return };
        let granted = serde_json::to_value(&granted).unwrap();
        let role = match (service, offer) {
            (3, _) | (0..=2, Offer::Host) => "HOST",
            (0, Offer::NoPin) | (1, Offer::Guest) => "GUEST",
            other => panic!("{other:?} must not come in"),
        };
        assert_eq!(granted["role"], role);
        self.hold(
            &granted["token"],
            alias,
            granted["participant_uuid"].as_str().unwrap(),
        );
    }

    fn refresh(&mut self, index: usize, effects: &mut Effects) {
        let it = &self.held[index];
        let (alias, token) = (it.alias.clone(), TokenHash::of(&it.text));
        let participant = it.participant.to_string();
        let answer =
            self.conferences
                .refresh_token(&alias, token, self.now, &mut self.rng, effects);
        if let Ok(refreshed) = answer {
            let refreshed = serde_json::to_value(&refreshed).unwrap();
            self.hold(&refreshed["token"], alias, &participant);
        }
    }

    fn hold(&mut self, token: &serde_json::Value, alias: Alias, participant: &str) {
        let participant: Uuid = participant.parse().unwrap();
        self.held.push(Held {
            text: token.as_str().unwrap().to_owned(),
            alias,
            participant,
            expires_at: self.now + Duration::from_secs(120),
        });
        // Of one participant only the eight latest tokens work.
        let own = self.held.iter().filter(|it| it.participant == participant);
        if own.count() > 8 {
            let oldest = self
                .held
                .iter()
                .position(|it| it.participant == participant);
            self.held.remove(oldest.unwrap());
        }
    }

    /// A token works exactly as long as it is not expired and its holder is there.
    fn look(&mut self, index: usize, effects: &mut Effects) {
        let Held {
            text,
            alias,
            participant,
            expires_at,
        } = &self.held[index];
        let token = TokenHash::of(text);
        let answer = self
            .conferences
            .participants(alias, token, self.now, effects);
        if self.now >= *expires_at {
            assert!(answer.is_err());
        } else if let Some((
            _,
            Seen {
                role: Some(Role::Host),
                ..
            },
        )) = self.present.get(participant)
        {
            assert!(answer.is_ok(), "a host stays while a token works");
        }
        let other = Alias::parse("other").unwrap();
        assert!(
            self.conferences
                .participants(&other, token, self.now, effects)
                .is_err()
        );
    }

    fn follow(&mut self, effects: Effects) {
        for effect in effects {
            match effect {
                Effect::Report(data) => self.follow_report(data),
                Effect::Tell { participant, event } => self.check_told(participant, &event),
                Effect::Close(participant) => {
                    self.held.retain(|it| it.participant != participant);
                }
            }
        }
    }

    fn follow_report(&mut self, data: NodeEventData) {
        match data {
            NodeEventData::ConferenceStarted(it) => {
                assert!(!it.is_started);
                assert_eq!(self.open.insert(it.name, None), None);
            }
            NodeEventData::ConferenceUpdated(it) => {
                let left_at = self.open.get_mut(&it.name).expect("it has started");
                *left_at = (!it.is_started).then_some(self.now);
            }
            NodeEventData::ConferenceEnded(it) => {
                assert!(self.open.remove(&it.name).is_some());
                assert!(
                    self.present
                        .values()
                        .all(|(conference, _)| *conference != it.name)
                );
            }
            NodeEventData::ParticipantConnected(it) | NodeEventData::ParticipantUpdated(it) => {
                assert!(self.open.contains_key(&it.conference));
                let seen = Seen {
                    role: Some(it.role),
                    waiting: it.service_type == ServiceType::WaitingRoom,
                };
                self.present.insert(it.uuid, (it.conference.clone(), seen));
                assert!(
                    it.service_type == ServiceType::WaitingRoom
                        || self.hosts_in(&it.conference) > 0,
                    "nobody is let in without a host"
                );
            }
            NodeEventData::ParticipantDisconnected {
                participant: it,
                disconnect_reason,
                ..
            } => {
                let (_, seen) = self.present.remove(&it.uuid).expect("it was there, once");
                match disconnect_reason {
                    DisconnectReason::NoHostCame => assert!(seen.waiting),
                    DisconnectReason::HostsLeft => {
                        assert!(!seen.waiting && it.role == Role::Guest);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Who waits hears of nobody else. Effects of one step come in the order in
    /// which they happened, but a guest is let in before being told of the others.
    fn check_told(&self, to: Uuid, event: &ClientEvent) {
        let waiting = self.present.get(&to).is_some_and(|(_, seen)| seen.waiting);
        let about = match event {
            ClientEvent::ParticipantCreate(state) | ClientEvent::ParticipantUpdate(state) => {
                let state = serde_json::to_value(state).unwrap();
                state["uuid"].as_str().unwrap().parse().unwrap()
            }
            ClientEvent::ParticipantDelete(uuid) => *uuid,
            _ => to,
        };
        assert!(
            !waiting || about == to,
            "a waiting guest was told of another"
        );
    }

    fn hosts_in(&self, conference: &str) -> usize {
        let there = self.present.values().filter(|(name, _)| name == conference);
        there
            .filter(|(_, seen)| seen.role == Some(Role::Host))
            .count()
    }

    /// Nobody outstays a timeout once the sweep has passed.
    fn check_swept(&self) {
        for (ServiceKey { name, .. }, conference) in &self.conferences.by_service {
            for it in conference.participants() {
                let waited = self.now.since(it.connected_at);
                let is_waiting = it.service_type() == ServiceType::WaitingRoom;
                assert!(!is_waiting || waited < Duration::from_secs(900));
                if let Some(left_at) = self.open[name] {
                    let alone = self.now.since(left_at);
                    assert!(is_waiting || alone < Duration::from_secs(60));
                }
            }
        }
    }

    fn check(&self) {
        assert!(self.conferences.by_service.len() <= CONFERENCES);
        assert_eq!(self.conferences.by_service.len(), self.open.len());
        let (mut present, mut tokens) = (0, 0);
        for (ServiceKey { name, .. }, conference) in &self.conferences.by_service {
            let participants = conference.participants();
            present += participants.len();
            assert!(!participants.is_empty());
            let hosts = self.hosts_in(name);
            assert!(hosts <= PARTICIPANTS && participants.len() - hosts <= PARTICIPANTS);
            let host_there = participants.iter().any(|it| it.role() == Role::Host);
            assert_eq!(conference.is_started(), host_there);
            assert_eq!(hosts > 0, host_there);
            for it in participants {
                let admitted = it.service_type() == ServiceType::Conference;
                assert!(
                    !host_there || admitted,
                    "nobody waits while a host is there"
                );
                assert_eq!(self.present[&it.uuid].1.waiting, !admitted);
                tokens += it.tokens().count();
                assert!(it.tokens().count() <= 8);
                assert!(
                    it.tokens()
                        .all(|token| self.conferences.by_token.contains_key(&token))
                );
            }
        }
        assert_eq!(present, self.present.len());
        assert_eq!(self.conferences.by_token.len(), tokens);
        assert!(
            self.conferences
                .by_token
                .values()
                .all(|it| self.present.contains_key(&it.participant)),
            "no token leads to nobody"
        );
    }
}

proptest! {
    #[test]
    fn no_order_of_events_breaks_the_rules(steps in steps()) {
        let mut model = Model::new();
        for step in &steps {
            model.take(step);
        }
        model.take(&Step::Pass(120));
        model.take(&Step::Sweep);
        prop_assert!(model.present.is_empty() && model.open.is_empty());
        prop_assert!(model.conferences.by_token.is_empty());
        model.take(&Step::Join { service: 3, alias: 0, offer: Offer::Nothing });
        prop_assert_eq!(model.present.len(), 1);
    }
}
