//! Three servers on one PostgreSQL, a hospital's people who launch visits, come and leave,
//! and `kill -9` again and again: afterwards nothing is lost and nothing happened twice.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha20Rng};
use reqwest::StatusCode;
use tokio::sync::Barrier;
use vestibule_launch::EhrRole;
use vestibule_sandbox::{
    Config as SandboxConfig, Controls, Endpoint, Fault, FaultAnswer, Sandbox, SystemClock,
};
use vestibule_server::{
    conferencing::RoutingRules,
    launch::alias_hash,
    random,
    sealing::{self, Sealer},
};
use vestibule_test_postgres::{Cluster, Durability};

use super::GENEROUS;
use crate::{
    epic::{self, SITE},
    support::{CONFIG, write_profile, write_www},
};
use conferencing::{Conferences, POLICY, SINK};
use evidence::Evidence;
use people::{Person, Town};
use site::{SERVERS, Site};
use story::{Stay, Story};

mod conferencing;
mod evidence;
mod invariants;
mod people;
mod site;
mod story;

/// What everything that is drawn is drawn from. `VESTIBULE_TEST_SEED` gives another one.
const SEED: u64 = 20_270_115;

/// In each everybody launches once more, and somebody is killed.
const ROUNDS: usize = 7;

/// In this one PostgreSQL is killed too.
const BREAKDOWN: usize = 3;

/// The people of each appointment, by the EHR's schedule.
const APPOINTMENTS: [&[Person]; 4] = [
    &[
        provider("1", "6ea6d1427f684721abd21c1634386f7b6"),
        patient(
            "1",
            "6ea6d1427f684721abd21c1634386f7b6",
            1,
            "eSpDnKq7TzW0mBv1fXh2AaQ3",
        ),
    ],
    &[
        provider("2", "5ec8f1667f531781afe19c1774322f7b8"),
        patient(
            "2",
            "5ec8f1667f531781afe19c1774322f7b8",
            1,
            "ePcKo2Bn3VmXe4Ry5Ud6LsQ3",
        ),
    ],
    &[
        provider("3", "91b07c5d2e4f48a6b3d85f60c7e2a914d"),
        patient(
            "3",
            "91b07c5d2e4f48a6b3d85f60c7e2a914d",
            1,
            "eZmA8kLp9GtSc1Wf2Vh3BnQ3",
        ),
    ],
    &[
        provider("4", "c47a90e1d5b84f3c8e26170fa9d3b5527"),
        patient(
            "4",
            "c47a90e1d5b84f3c8e26170fa9d3b5527",
            1,
            "eTvI5rMd8KxQw2Jp6Nc9YhQ3",
        ),
        patient(
            "4",
            "c47a90e1d5b84f3c8e26170fa9d3b5527",
            2,
            "eOkT3wZb7LsVg4Rm1Fq8DxQ3",
        ),
    ],
];

const fn provider(appointment: &'static str, encounter: &'static str) -> Person {
    Person {
        appointment,
        encounter,
        role: EhrRole::Provider,
        patient: 1,
        id: "ePrM2vKd7HtQe9Lw4Xs6ZnQ3",
    }
}

const fn patient(
    appointment: &'static str,
    encounter: &'static str,
    patient: usize,
    id: &'static str,
) -> Person {
    Person {
        appointment,
        encounter,
        role: EhrRole::Patient,
        patient,
        id,
    }
}

/// The database, the EHR, and the folder with what is the same for all servers.
struct Hospital {
    cluster: Cluster,
    database: String,
    ehr: Controls,
    ehr_address: String,
    folder: tempfile::TempDir,
    client: reqwest::Client,
}

impl Hospital {
    async fn open() -> Self {
        let cluster = Cluster::start(Durability::On);
        let database = cluster.database();
        let config = SandboxConfig::parse(&sandbox()).unwrap();
        let ehr = Sandbox::bind(config, Arc::new(SystemClock), random::system());
        let ehr = ehr.await.unwrap();
        let (controls, ehr_address) = (ehr.controls(), ehr.address().to_owned());
        tokio::spawn(ehr.serve(std::future::pending()));
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &ehr_address, &database);
        #[expect(
            clippy::disallowed_methods,
            reason = "browsers and conferencing nodes, not the server's client"
        )]
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            cluster,
            database,
            ehr: controls,
            ehr_address,
            folder,
            client,
        }
    }

    /// What goes wrong at the EHR beside.
    fn trouble(&self) {
        let unavailable = FaultAnswer::status(StatusCode::SERVICE_UNAVAILABLE);
        for (endpoint, times, answer) in [
            (Endpoint::Token, 2, FaultAnswer::LoseAnswer),
            (Endpoint::Token, 2, unavailable.clone()),
            (Endpoint::Status, 3, FaultAnswer::LoseAnswer),
            (Endpoint::Status, 2, unavailable),
            (Endpoint::EndOfCall, 2, FaultAnswer::LoseAnswer),
        ] {
            self.ehr.fault(endpoint, Fault::times(times, answer));
        }
    }

    fn sealer(&self) -> Sealer {
        let path = self.folder.path().join("data/state.key");
        Sealer::new(&sealing::read_or_create(&path, &mut *random::system()).unwrap())
    }

    /// How many write-backs wait.
    fn unsent(&self) -> String {
        let statement = "SELECT count(*) FROM write_backs WHERE state = 'unsent'";
        let count = self.cluster.query(&self.database, statement);
        count.trim().to_owned()
    }
}

/// One round of one appointment: everybody launches, comes in, and leaves when all were
/// there. Whoever gets into no visit is on record, and the others do not wait for them.
async fn meet(
    town: Town<'_>,
    conferences: &Conferences<'_>,
    people: &[Person],
    rng: &mut ChaCha20Rng,
) {
    let all = Barrier::new(people.len());
    let node = rng.random_range(0..2);
    let visits = people.iter().map(|person| {
        let mut rng = ChaCha20Rng::seed_from_u64(rng.random());
        let all = &all;
        async move {
            let alias = person.launch(town, &mut rng).await;
            let service = match &alias {
                Some(alias) => conferences.dial(&mut rng, alias, person).await,
                None => None,
            };
            all.wait().await;
            let door = alias.as_ref().zip(service.as_ref());
            let there = door.map(|(alias, service)| conferences.come(node, alias, person, service));
            all.wait().await;
            let (Some(alias), Some(there)) = (&alias, there) else {
                return;
            };
            conferences.leave(&there);
            let base = RoutingRules::default().base_alias(alias).unwrap();
            let hash = alias_hash(&base);
            let hash: String = hash
                .as_bytes()
                .iter()
                .map(|it| format!("{it:02x}"))
                .collect();
            town.story.tell(|told| {
                told.stays.push(Stay {
                    alias: hash,
                    person: person.id.to_owned(),
                    encounter: person.encounter.to_owned(),
                });
            });
        }
    });
    futures_util::future::join_all(visits).await;
}

/// Kills a server that has something under way, after so many requests of this round, or
/// when the round is over; and starts it again.
async fn kill(site: &Site, rng: &mut ChaCha20Rng, is_over: impl Fn() -> bool) {
    let after = site.asked() + rng.random_range(3..40);
    let server = rng.random_range(0..SERVERS);
    while (site.asked() < after || !site.is_busy(server)) && !is_over() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..15))).await;
    site.kill(server);
    site.start_again(server);
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < 2 * GENEROUS, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn seed() -> u64 {
    let given = std::env::var("VESTIBULE_TEST_SEED");
    given.map_or(SEED, |seed| seed.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_is_killed_under_a_stream_of_launches_nothing_is_lost_and_nothing_twice() {
    let seed = seed();
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let hospital = Hospital::open().await;
    let folder = hospital.folder.path();
    let site = Site::start(folder.to_owned(), hospital.client.clone());
    let (story, sealer) = (Story::default(), hospital.sealer());
    let conferences = Conferences::new(&site, &story);
    let town = Town {
        site: &site,
        story: &story,
        ehr: &hospital.ehr_address,
        client: &hospital.client,
        sealer: &sealer,
    };
    hospital.trouble();
    let stream = async {
        for round in 0..ROUNDS {
            let is_over = std::sync::atomic::AtomicBool::new(false);
            let is_over = &is_over;
            let meetings = APPOINTMENTS.map(|people| {
                let mut rng = ChaCha20Rng::seed_from_u64(rng.random());
                let conferences = &conferences;
                async move { meet(town, conferences, people, &mut rng).await }
            });
            let people = async {
                futures_util::future::join_all(meetings).await;
                is_over.store(true, std::sync::atomic::Ordering::SeqCst);
            };
            let mut rng = ChaCha20Rng::seed_from_u64(rng.random());
            let killer = async {
                let is_over = || is_over.load(std::sync::atomic::Ordering::SeqCst);
                kill(&site, &mut rng, is_over).await;
                if round == BREAKDOWN {
                    tokio::task::block_in_place(|| hospital.cluster.kill());
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    tokio::task::block_in_place(|| hospital.cluster.start_again());
                }
            };
            tokio::join!(people, killer);
        }
        until("all events are taken", || conferences.is_quiet()).await;
    };
    tokio::select! {
        () = stream => {}
        () = conferences.run(seed) => unreachable!("nodes do not end"),
    }
    // All are killed at once, in the middle of telling the EHR. What they had claimed is
    // free again after a while, which passes here at once.
    for server in 0..SERVERS {
        site.kill(server);
    }
    hospital.cluster.query(
        &hospital.database,
        "UPDATE write_backs SET due_at = 0, leased_until = leased_until - 1000000
         WHERE state = 'unsent'",
    );
    for server in 0..SERVERS {
        site.start_again(server);
    }
    until("the EHR is told everything", || hospital.unsent() == "0").await;

    let told = story.tell(|told| told.clone());
    let Hospital {
        cluster, database, ..
    } = &hospital;
    let evidence = Evidence::gather(told, cluster, database, hospital.ehr.journal(), folder);
    let found = invariants::violations(&evidence);
    assert!(found.is_empty(), "seed {seed}:\n{}", found.join("\n"));
    let people: usize = APPOINTMENTS.iter().map(|people| people.len()).sum();
    assert_eq!(evidence.told.stays.len(), ROUNDS * people);
    assert!(site.lost() > 0, "somebody was killed in the middle");
    println!(
        "seed {seed}: {} requests, {} of them lost; {} launches for {} visits; {} failures were \
         shown; the EHR was told {} things",
        site.asked(),
        site.lost(),
        evidence.launches.len(),
        evidence.told.stays.len(),
        evidence.told.failures.len(),
        evidence.journal.len(),
    );
}

fn write(folder: &Path, ehr: &str, database: &str) {
    let profile = epic::profile(SITE, ehr);
    let profile = format!(
        r#"{profile}
epic_provider_app_client_secret = "secret of the providers"
token_response_map = {{ external_id = "epic_user" }}
patient_web_join_link_template = "{{{{telehealth_integration.infinity_webapp_server_base_url}}}}/webapp/#/?ticket={{{{launch_ticket}}}}"

[write_back]
[end_of_call]
url = "{ehr}/interconnect/api/telehealth/end-of-call"
fields = {{ csn = "unique_encounter_id", user = "external_id", at = "ended_at" }}
"#
    );
    write_profile(folder, &profile);
    write_www(&folder.join("www"));
    let [policy, sink] = [POLICY, SINK];
    let config = format!(
        r#"{CONFIG}database.url = "{database}"
limits.launches_per_minute = 0
[pexip]
policy_username = "{}"
policy_password = "{}"
event_sink_username = "{}"
event_sink_password = "{}"
"#,
        policy.0, policy.1, sink.0, sink.1
    );
    fs::write(folder.join("vestibule.toml"), config).unwrap();
}

fn sandbox() -> String {
    format!(
        r#"{}client_secret = "secret of the providers"
[launch.token_fields]
epic_user = "{{user}}"
"#,
        epic::sandbox(SITE, "")
    )
}
