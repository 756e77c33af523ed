use std::{
    path::Path,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use uuid::Uuid;
use vestibule_launch::{Clock, EhrRole, EncounterId, LaunchContext, RequestId, UnixTime};
use vestibule_store::{
    AppointmentId, Completed, Completion, Course, EncounterKey, EventId, Fingerprint,
    NewAppointment, NewLaunch, SqliteStore, WriteBackState,
};

use super::*;
use crate::{
    conferencing::{Conference, policy::service_tag},
    http_client::{Transport, TransportError},
    launch::alias_hash,
    profile::{Profile, ProfileSet},
    random::{self, Random},
    sealing::{KEY_BYTES, Sealer},
    session::Held,
    write_back::outbox::Letter,
};

const PROFILE: &str = r#"
name = "Healthcare Org"
uuid = "12daaebc-ea75-43c1-a6c7-c044be66a36e"
telehealth_call_domain = "visits.example.org"
telehealth_integration_base_url = "https://ehr.example.org/"
telehealth_integration_oauth2_base_api_url = "https://ehr.example.org/interconnect"
infinity_webapp_server_base_url = "https://visit.example.org"
patient_oauth2_redirect_url = "https://visit.example.org/api/telehealth/v1/patient/oauth2authorized/12daaebc-ea75-43c1-a6c7-c044be66a36e"
provider_oauth2_redirect_url = "https://visit.example.org/api/telehealth/v1/provider/oauth2authorized/12daaebc-ea75-43c1-a6c7-c044be66a36e"
epic_patient_app_client_id = "patient-app"
epic_provider_app_client_id = "provider-app"
epic_encryption_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
epic_encryption_key_type = "base64key"
epic_encryption_algorithm = "AES-256-CBC"
"#;

const TELLING: &str = r#"
[write_back]
[end_of_call]
url = "https://ehr.example.org/end"
fields = { csn = "unique_encounter_id" }
"#;

const MINUTE: Duration = Duration::from_secs(60);

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Nothing is sent here.
struct NoTransport;

#[async_trait]
impl Transport for NoTransport {
    async fn send(
        &self,
        _: http::Request<Vec<u8>>,
        deadline: Duration,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        Err(TransportError::Timeout(deadline))
    }
}

struct House {
    tools: Tools,
    clock: Arc<TestClock>,
    attendance: Attendance,
    profile: Uuid,
    events: AtomicU64,
    _folder: tempfile::TempDir,
}

/// A launch that led to an appointment.
struct Made {
    request_id: RequestId,
    appointment: AppointmentId,
    encounter: EncounterKey,
    alias: String,
}

impl House {
    async fn open(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("vestibule.db"))
            .await
            .unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000_000)));
        let tools = Tools {
            store: Arc::new(store),
            clock: clock.clone(),
            random: Arc::new(Random::new(random::system())),
            transport: Arc::new(NoTransport),
            sealer: Arc::new(Sealer::new(&zeroize::Zeroizing::new([7; KEY_BYTES]))),
            routing: Arc::default(),
            metadata: Arc::default(),
            repeats: Arc::default(),
            turned_away: Default::default(),
            telemetry: Arc::default(),
        };
        let text = format!("{PROFILE}\n{more}");
        let profile = Profile::parse(Path::new("profile.toml"), &text).unwrap();
        let uuid = profile.uuid;
        let mut profiles = ProfileSet::default();
        profiles.add(profile).unwrap();
        Self {
            attendance: Attendance::new(tools.clone(), Arc::new(Profiles::new(profiles))),
            tools,
            clock,
            profile: uuid,
            events: AtomicU64::new(0),
            _folder: folder,
        }
    }

    fn pass(&self, time: Duration) {
        let milliseconds = i64::try_from(time.as_millis()).unwrap();
        self.clock.0.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// A completed launch of an encounter.
    async fn launch(&self, encounter: &str, role: EhrRole) -> Made {
        let Tools { store, sealer, .. } = &self.tools;
        let (now, request_id) = (self.tools.now(), self.tools.request_id());
        let new = NewLaunch {
            request_id,
            profile: self.profile,
            role,
            fingerprint: Fingerprint::from_bytes(
                [*request_id.as_bytes(); 2].concat().try_into().unwrap(),
            ),
            sealed: Vec::new(),
            expires_at: now + MINUTE,
            course: Course::default(),
        };
        store.begin_authorised(new, now).await.unwrap();
        let key = sealer.encounter_key(self.profile, encounter);
        let new = NewAppointment {
            profile: self.profile,
            encounter: key,
            sealed: Vec::new(),
        };
        let appointment = store.find_or_create_appointment(new, now).await.unwrap().id;
        let context = LaunchContext {
            unique_encounter_id: EncounterId::parse(encounter).unwrap(),
            launch_information: Default::default(),
            external_id: Some(format!("user of {encounter}")),
            conference_id: None,
        };
        let profile = self.attendance.0.telling.profile(self.profile).unwrap();
        let session = Held::new(&context, None).into_session(&self.tools, &profile, request_id);
        let base = request_id.to_string();
        let completion = Completion {
            request_id,
            appointment,
            alias: alias_hash(&base),
            alias_expires_at: now + 60 * MINUTE,
            ticket: None,
            course: Course::default(),
            session: Some(session),
            link: None,
        };
        let completed = store.complete_launch(completion, now).await.unwrap();
        assert_eq!(completed, Completed::Now);
        Made {
            request_id,
            appointment,
            encounter: key,
            alias: format!("sip:telehealth.{base}@visits.example.org"),
        }
    }

    fn event(&self, node: &str, data: EventData) -> Event {
        let now = self.tools.now();
        Event {
            id: EventId {
                node: node.to_owned(),
                seq: self.events.fetch_add(1, Ordering::SeqCst),
                second: now.as_millis() / 1000,
            },
            at: now,
            data,
        }
    }

    async fn hear(&self, node: &str, data: EventData) -> Event {
        let event = self.event(node, data);
        self.attendance.apply(&event).await.unwrap();
        event
    }

    /// What the EHR is told of a launch, in order: which write-back, and what.
    async fn told(&self, launch: &Made) -> Vec<(String, StatusChange)> {
        let records = self.tools.store.write_backs_of(launch.request_id).await;
        let id = launch.request_id.as_bytes();
        let letters = records.unwrap().into_iter().map(|record| {
            let sealer = &self.tools.sealer;
            let letter: Letter = sealer
                .open(Purpose::WriteBack, self.profile, id, &record.sealed)
                .unwrap();
            assert_eq!(letter.status.request_id, launch.request_id);
            (letter.write_back, letter.status.change)
        });
        letters.collect()
    }

    async fn is_running(&self) -> bool {
        self.tools.store.running_visits(self.profile).await.unwrap() > 0
    }
}

impl Made {
    fn conference(&self) -> Conference {
        Conference {
            name: "Visit".into(),
            tag: service_tag(&self.encounter),
        }
    }

    fn participant(&self) -> Participant {
        Participant {
            uuid: Uuid::from_bytes(*self.request_id.as_bytes()),
            conference: "Visit".into(),
            service_tag: service_tag(&self.encounter),
            destination_alias: self.alias.clone(),
            display_name: "Beverley".into(),
            role: Some(Role::Guest),
            whereabouts: Whereabouts::Inside,
            disconnect_reason: None,
        }
    }
}

fn connected() -> (String, StatusChange) {
    ("epic_connection_status".into(), StatusChange::Connected)
}

fn disconnected() -> (String, StatusChange) {
    ("epic_connection_status".into(), StatusChange::Disconnected)
}

fn ended() -> (String, StatusChange) {
    ("end_of_call".into(), StatusChange::CallEnded)
}

use EventData::{
    ConferenceEnded, ConferenceStarted, NodeStarted, ParticipantConnected, ParticipantDisconnected,
    ParticipantUpdated,
};

#[tokio::test]
async fn a_visit_is_told_in_order_and_each_event_once() {
    let house = House::open(TELLING).await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    let unused = house.launch("4711", EhrRole::Provider).await;
    let other = house.launch("4712", EhrRole::Provider).await;
    let mut events = vec![
        house
            .hear("a", ConferenceStarted(patient.conference()))
            .await,
        house
            .hear("a", ParticipantConnected(patient.participant()))
            .await,
    ];
    assert_eq!(house.told(&patient).await, [connected()]);
    house.pass(MINUTE);
    events.push(
        house
            .hear("a", ParticipantDisconnected(patient.participant()))
            .await,
    );
    assert!(house.is_running().await);
    events.push(house.hear("a", ConferenceEnded(patient.conference())).await);
    assert!(!house.is_running().await);
    let whole = [connected(), disconnected(), ended()];
    assert_eq!(house.told(&patient).await, whole);
    assert_eq!(house.told(&unused).await, [ended()]);
    assert!(house.told(&other).await.is_empty());
    for event in &events {
        house.attendance.apply(event).await.unwrap();
    }
    assert_eq!(house.told(&patient).await, whole);
    assert!(!house.is_running().await);
}

#[tokio::test]
async fn the_end_waits_a_moment_and_comes_again_where_the_visit_went_on() {
    let house = House::open(TELLING).await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    for _ in 0..2 {
        let mut participant = patient.participant();
        participant.uuid = Uuid::from_u128(house.events.load(Ordering::SeqCst).into());
        house
            .hear("a", ParticipantConnected(participant.clone()))
            .await;
        house.hear("a", ParticipantDisconnected(participant)).await;
        house.pass(MINUTE);
    }
    let once = [connected(), disconnected(), ended()];
    assert_eq!(house.told(&patient).await, [once.clone(), once].concat());
    let records = house.tools.store.write_backs_of(patient.request_id).await;
    let due: Vec<_> = records
        .unwrap()
        .iter()
        .map(|record| match record.state {
            WriteBackState::Unsent { due_at } => due_at.since(record.created_at).as_secs(),
            _ => panic!("{record:?}"),
        })
        .collect();
    assert_eq!(due, [0, 0, 10, 0, 0, 10]);
}

#[tokio::test]
async fn who_reloads_the_page_does_not_leave() {
    let house = House::open(TELLING).await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    let [before, after] = [1, 2].map(|number| Participant {
        uuid: Uuid::from_u128(number),
        ..patient.participant()
    });
    house.hear("a", ParticipantConnected(before.clone())).await;
    house.hear("b", ParticipantConnected(after.clone())).await;
    house.hear("a", ParticipantDisconnected(before)).await;
    assert_eq!(house.told(&patient).await, [connected()]);
    house.hear("b", ParticipantDisconnected(after)).await;
    assert_eq!(
        house.told(&patient).await,
        [connected(), disconnected(), ended()]
    );
}

#[tokio::test]
async fn who_is_asked_for_a_pin_is_not_connected_until_let_in() {
    let house = House::open(TELLING).await;
    let provider = house.launch("4711", EhrRole::Provider).await;
    let outside = Participant {
        whereabouts: Whereabouts::Outside,
        ..provider.participant()
    };
    house.hear("a", ParticipantConnected(outside.clone())).await;
    house.hear("a", ParticipantUpdated(outside.clone())).await;
    assert!(house.told(&provider).await.is_empty());
    house
        .hear("a", ParticipantUpdated(provider.participant()))
        .await;
    house
        .hear("a", ParticipantUpdated(provider.participant()))
        .await;
    assert_eq!(house.told(&provider).await, [connected()]);

    let patient = house.launch("4713", EhrRole::Patient).await;
    let gone = Participant {
        whereabouts: Whereabouts::Outside,
        ..patient.participant()
    };
    house.hear("a", ParticipantConnected(gone.clone())).await;
    house.hear("a", ParticipantDisconnected(gone)).await;
    assert!(house.told(&patient).await.is_empty());
}

#[tokio::test]
async fn a_visit_on_two_nodes_is_over_when_both_have_ended_it() {
    let house = House::open(TELLING).await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    for node in ["a", "b"] {
        house
            .hear(node, ConferenceStarted(patient.conference()))
            .await;
    }
    house
        .hear("b", ParticipantConnected(patient.participant()))
        .await;
    house.hear("a", ConferenceEnded(patient.conference())).await;
    assert_eq!(house.told(&patient).await, [connected()]);
    // The node never said that the participant had left.
    house.hear("b", ConferenceEnded(patient.conference())).await;
    assert_eq!(
        house.told(&patient).await,
        [connected(), disconnected(), ended()]
    );
}

#[tokio::test]
async fn what_ran_on_a_node_that_starts_again_is_over() {
    let house = House::open(TELLING).await;
    let mut launches = Vec::new();
    for encounter in ["1", "2", "3"] {
        launches.push(house.launch(encounter, EhrRole::Patient).await);
    }
    for (launch, node) in launches.iter().zip(["a", "a", "b"]) {
        house
            .hear(node, ConferenceStarted(launch.conference()))
            .await;
        house
            .hear(node, ParticipantConnected(launch.participant()))
            .await;
    }
    house.hear("a", NodeStarted).await;
    for launch in &launches[..2] {
        assert_eq!(
            house.told(launch).await,
            [connected(), disconnected(), ended()]
        );
    }
    assert_eq!(house.told(&launches[2]).await, [connected()]);
}

#[tokio::test]
async fn who_is_reported_again_after_the_event_sink_started_is_back() {
    let house = House::open(TELLING).await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    let participant = patient.participant();
    house
        .hear("a", ParticipantConnected(participant.clone()))
        .await;
    house.hear("a", NodeStarted).await;
    let once = [connected(), disconnected(), ended()];
    assert_eq!(house.told(&patient).await, once);
    house.pass(MINUTE);
    let outside = Participant {
        whereabouts: Whereabouts::Outside,
        ..participant.clone()
    };
    for (node, says) in [("b", &participant), ("a", &outside)] {
        house.hear(node, ParticipantUpdated(says.clone())).await;
        assert!(!house.is_running().await, "{node}");
    }
    for _ in 0..2 {
        house
            .hear("a", ParticipantUpdated(participant.clone()))
            .await;
        assert!(house.is_running().await);
    }
    let back = [once.as_slice(), &[connected()]].concat();
    assert_eq!(house.told(&patient).await, back);
    house.pass(MINUTE);
    house
        .hear("a", ParticipantDisconnected(participant.clone()))
        .await;
    let twice = [once.as_slice(), &once].concat();
    assert_eq!(house.told(&patient).await, twice);
    // What was under way when they left brings nobody back.
    house.hear("a", ParticipantUpdated(participant)).await;
    assert!(!house.is_running().await);
    assert_eq!(house.told(&patient).await, twice);
}

#[tokio::test]
async fn a_visit_outlasts_the_alias_that_led_to_it() {
    let house = House::open(TELLING).await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    house
        .hear("a", ParticipantConnected(patient.participant()))
        .await;
    house.pass(120 * MINUTE);
    house
        .hear("a", ParticipantDisconnected(patient.participant()))
        .await;
    assert_eq!(
        house.told(&patient).await,
        [connected(), disconnected(), ended()]
    );
}

#[tokio::test]
async fn who_was_called_from_within_keeps_the_visit_running_and_is_not_told_of() {
    let house = House::open(TELLING).await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    let interpreter = Participant {
        uuid: Uuid::from_u128(9),
        destination_alias: "sip:interpreter@example.net".into(),
        ..patient.participant()
    };
    house
        .hear("a", ParticipantConnected(patient.participant()))
        .await;
    house
        .hear("a", ParticipantConnected(interpreter.clone()))
        .await;
    house
        .hear("a", ParticipantDisconnected(patient.participant()))
        .await;
    assert!(house.is_running().await);
    assert_eq!(house.told(&patient).await, [connected(), disconnected()]);
    house.hear("a", ParticipantDisconnected(interpreter)).await;
    assert_eq!(house.told(&patient).await.last(), Some(&ended()));
}

#[tokio::test]
async fn without_a_tag_a_conference_is_known_by_a_name_that_is_nobody_elses() {
    let house = House::open(TELLING).await;
    let nameless = |launch: &Made| Participant {
        service_tag: String::new(),
        ..launch.participant()
    };
    let untagged = Conference {
        name: "Visit".into(),
        tag: String::new(),
    };
    let first = house.launch("4711", EhrRole::Patient).await;
    house
        .hear("a", ParticipantConnected(nameless(&first)))
        .await;
    house.hear("b", ConferenceStarted(untagged.clone())).await;
    house
        .hear("a", ParticipantDisconnected(nameless(&first)))
        .await;
    assert!(house.is_running().await, "it runs on b");
    house.hear("b", ConferenceEnded(untagged.clone())).await;
    assert!(!house.is_running().await);

    let second = house.launch("4712", EhrRole::Patient).await;
    assert_ne!(first.appointment, second.appointment);
    house
        .hear("a", ParticipantConnected(nameless(&second)))
        .await;
    house
        .hear("a", ParticipantDisconnected(nameless(&second)))
        .await;
    house.hear("b", ConferenceStarted(untagged)).await;
    assert!(!house.is_running().await, "the name is of two now");
}

#[tokio::test]
async fn other_conferences_are_let_pass() {
    let house = House::open(TELLING).await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    for tag in ["marketing".to_owned(), "0".repeat(64)] {
        let conference = Conference {
            name: "Meeting".into(),
            tag: tag.clone(),
        };
        let participant = Participant {
            service_tag: tag,
            destination_alias: "meet.someone@example.org".into(),
            ..patient.participant()
        };
        house.hear("a", ConferenceStarted(conference)).await;
        house.hear("a", ParticipantConnected(participant)).await;
    }
    assert!(!house.is_running().await);
    assert!(house.told(&patient).await.is_empty());
}

#[tokio::test]
async fn nothing_is_told_unless_the_profile_wants_it_and_the_session_is_held() {
    let silent = House::open("").await;
    let patient = silent.launch("4711", EhrRole::Patient).await;
    silent
        .hear("a", ParticipantConnected(patient.participant()))
        .await;
    silent
        .hear("a", ParticipantDisconnected(patient.participant()))
        .await;
    assert!(silent.told(&patient).await.is_empty());

    let house = House::open(TELLING).await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    let provider = house.launch("4711", EhrRole::Provider).await;
    house.pass(60 * MINUTE);
    let Tools { store, .. } = &house.tools;
    let ended = store.end_session(patient.request_id, house.tools.now());
    assert!(ended.await.unwrap());
    for there in [&patient, &provider] {
        house
            .hear("a", ParticipantConnected(there.participant()))
            .await;
    }
    assert!(house.told(&patient).await.is_empty());
    assert_eq!(house.told(&provider).await, [connected()]);
}

#[tokio::test]
async fn what_is_remembered_of_a_participant_is_sealed() {
    let house = House::open("").await;
    let patient = house.launch("4711", EhrRole::Patient).await;
    house
        .hear("a", ParticipantConnected(patient.participant()))
        .await;
    let participants = house.tools.store.participants(patient.appointment).await;
    let [participant] = &participants.unwrap()[..] else {
        panic!("one participant")
    };
    assert!(!String::from_utf8_lossy(&participant.sealed).contains("Beverley"));
    let id = participant.participant.as_bytes();
    let seen: Seen = house
        .tools
        .sealer
        .open(Purpose::Participant, house.profile, id, &participant.sealed)
        .unwrap();
    assert_eq!(seen.display_name, "Beverley");
    assert_eq!((seen.role, seen.waiting), (Some(Role::Guest), false));
}

/// Two nodes report to two servers at the same time: one and the same participant's page
/// was loaded again, and both are gone.
#[tokio::test(flavor = "multi_thread")]
async fn whether_a_launch_is_still_connected_is_decided_across_servers() {
    let house = House::open(TELLING).await;
    let other = Attendance::new(
        house.tools.clone(),
        Arc::clone(&house.attendance.0.telling.profiles),
    );
    for encounter in 0..20 {
        let patient = house
            .launch(&format!("{encounter}"), EhrRole::Patient)
            .await;
        let (first, mut again) = (patient.participant(), patient.participant());
        again.uuid = Uuid::from_u128(1 + encounter);
        let events = |data: fn(Participant) -> EventData| {
            let here = house.event("a", data(first.clone()));
            (here, house.event("b", data(again.clone())))
        };
        for data in [ParticipantConnected, ParticipantDisconnected] {
            let (here, there) = events(data);
            let (one, two) = (house.attendance.clone(), other.clone());
            let one = tokio::spawn(async move { one.apply(&here).await });
            let two = tokio::spawn(async move { two.apply(&there).await });
            one.await.unwrap().unwrap();
            two.await.unwrap().unwrap();
        }
        let told = house.told(&patient).await;
        let count = |what: &(String, StatusChange)| told.iter().filter(|it| *it == what).count();
        assert_eq!(
            (count(&connected()), count(&disconnected())),
            (1, 1),
            "{told:?}"
        );
    }
}
