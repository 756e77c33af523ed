//! What a launch writes into PostgreSQL: launches are played from the button to the last
//! write-back, and what only their first hours need is forgotten. Then the rows and bytes of
//! each table are counted, the write-ahead log and the transactions.
//!
//! `cargo run -p vestibule-store --example footprint [LAUNCHES]` (2,000)

use std::{error::Error, io::Write as _, time::Duration};

use uuid::Uuid;
use vestibule_launch::{EhrRole, RequestId, UnixTime};
use vestibule_store::{
    AliasHash, AppointmentId, BearerHash, BrowserHash, Bucket, Change, Completion, Course,
    EncounterKey, EventId, Fingerprint, LaunchEvents as _, LaunchStep, Launches as _, LimitKey,
    Limits as _, NewAppointment, NewBearer, NewLaunch, NewLaunchEvent, NewSession, NewTicket,
    NewWriteBack, PostgresStore, Presence, Reported, Sessions as _, StepTaken, Store as _,
    TicketHash, VisitEvent, Visits as _, WriteBackKind, WriteBacks as _,
};
use vestibule_test_postgres::{Cluster, Durability};

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

const PROFILES: u64 = 1000;

/// How many launches there are between two runs of vacuum, which a cluster for tests does
/// not do by itself.
const BETWEEN_VACUUMS: u64 = 1000;

/// Lengths of what is sealed, as the server makes it, in bytes.
const PARAMETERS: usize = 700;
const TOKENS: usize = 2500;
const VISIT: usize = 200;
const PERSON: usize = 150;

const TABLES: &str = "SELECT relname, reltuples::bigint, pg_total_relation_size(oid)
     FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
     ORDER BY pg_total_relation_size(oid) DESC, relname";
const LOG: &str = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn";
const TRANSACTIONS: &str =
    "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let launches: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(2000), |text| text.parse())?;
    // A visit is of two.
    let launches = launches.next_multiple_of(2).max(2);
    let cluster = Cluster::start(Durability::Off);
    let url = cluster.database();
    let store = PostgresStore::open(&url.parse()?, 1).await?;
    let number = |statement| cluster.query(&url, statement).trim().parse::<u64>();
    let empty = tables(&cluster, &url)?;
    let log = number(LOG)?;
    for visit in 0..launches / 2 {
        if (2 * visit).is_multiple_of(BETWEEN_VACUUMS) {
            cluster.query(&url, "VACUUM");
        }
        play(&store, visit).await?;
    }
    let log = number(LOG)? - log;
    let later = NOW + 3 * HOUR;
    store.purge(NOW - HOUR, later).await?;
    store.close().await;
    let transactions = number(TRANSACTIONS)?;
    cluster.query(&url, "VACUUM ANALYZE");

    let mut out = std::io::stdout().lock();
    let mut together = 0;
    writeln!(out, "{:<22} {:>8} {:>8}", "of a launch", "rows", "bytes")?;
    for Table { name, rows, bytes } in tables(&cluster, &url)? {
        // Tenths, by whole numbers.
        let rows = (10 * rows + launches / 2) / launches;
        if rows == 0 {
            // The room of what was forgotten is used again.
            continue;
        }
        let before = empty.iter().find(|table| table.name == name);
        let bytes = bytes.saturating_sub(before.map_or(0, |table| table.bytes)) / launches;
        together += bytes;
        let rows = format!("{}.{}", rows / 10, rows % 10);
        writeln!(out, "{name:<22} {rows:>8} {bytes:>8}")?;
    }
    writeln!(out, "{:<22} {together:>17}", "together")?;
    writeln!(out, "{:<22} {:>17}", "write-ahead log", log / launches)?;
    writeln!(
        out,
        "{:<22} {:>17}",
        "transactions",
        transactions / launches
    )?;
    Ok(())
}

/// What a table holds.
struct Table {
    name: String,
    rows: u64,
    /// On the disk, its indices among them.
    bytes: u64,
}

fn tables(cluster: &Cluster, url: &str) -> Result<Vec<Table>, Box<dyn Error>> {
    let listed = cluster.query(url, TABLES);
    let mut tables = Vec::new();
    for line in listed.lines() {
        let mut columns = line.split('|');
        let mut column = || columns.next().ok_or("a column is missing");
        tables.push(Table {
            name: column()?.to_owned(),
            // -1 where nobody has counted yet.
            rows: column()?.parse().unwrap_or(0),
            bytes: column()?.parse()?,
        });
    }
    Ok(tables)
}

/// A visit: a provider and a patient launch, come and go, and the EHR is told of it.
async fn play(store: &PostgresStore, visit: u64) -> Result<(), Box<dyn Error>> {
    let people = [
        (2 * visit, EhrRole::Provider),
        (2 * visit + 1, EhrRole::Patient),
    ];
    let profile = Uuid::from_u128(u128::from(1 + visit % PROFILES));
    let mut appointment = None;
    for (number, role) in people {
        appointment = Some(launch(store, number, visit, profile, role).await?);
    }
    let Some(appointment) = appointment else {
        return Ok(());
    };
    let events = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (3, 1)];
    for (seq, (kind, which)) in (0..).zip(events) {
        let (number, _) = people[which];
        let participant = Uuid::from_bytes(bytes(Key::Participant, number));
        let change = match kind {
            0 => Change::ConferenceStarted,
            1 => Change::ParticipantConnected {
                participant,
                alias: AliasHash::from_bytes(bytes(Key::Alias, number)),
                sealed: vec![7; PERSON],
            },
            2 => Change::ParticipantDisconnected { participant },
            _ => Change::ConferenceEnded,
        };
        let at = NOW + (20 + seq) * SECOND;
        let event = VisitEvent {
            id: EventId {
                node: "conferencing-node-1.example.org".to_owned(),
                seq: 6 * visit + u64::from(seq),
                second: at.as_millis() / 1000,
            },
            appointment: Some(appointment),
            change,
            at,
        };
        let told = |number, key| NewWriteBack {
            dedupe: bytes(key, number),
            profile,
            request_id: RequestId::from_bytes(bytes(Key::Request, number)),
            kind: WriteBackKind::EpicConnectionStatus,
            sealed: vec![7; PERSON],
            due_at: at,
        };
        let presence = |key| Presence {
            appointment,
            alias: AliasHash::from_bytes(bytes(Key::Alias, number)),
            write_backs: vec![told(number, key)],
        };
        let (presences, over) = match kind {
            1 => (vec![presence(Key::Came)], vec![]),
            2 => (vec![presence(Key::Left)], vec![]),
            3 => (
                vec![],
                people.map(|(number, _)| told(number, Key::Over)).into(),
            ),
            _ => (vec![], vec![]),
        };
        let applied = store.apply_event(event, vec![], presences, over, at);
        applied.await?;
        tell(store, at).await?;
    }
    Ok(())
}

async fn launch(
    store: &PostgresStore,
    number: u64,
    visit: u64,
    profile: Uuid,
    role: EhrRole,
) -> Result<AppointmentId, Box<dyn Error>> {
    let request_id = RequestId::from_bytes(bytes(Key::Request, number));
    let key = LimitKey::from_bytes(bytes(Key::Address, number % 5000));
    store.take(key, Bucket::per_minute(1_000_000), NOW).await?;
    let new = NewLaunch {
        request_id,
        profile,
        role,
        fingerprint: Fingerprint::from_bytes(bytes(Key::Fingerprint, number)),
        sealed: vec![7; PARAMETERS],
        expires_at: NOW + HOUR / 4,
        course: course(&[LaunchStep::Metadata]),
    };
    store.begin_launch(new, NOW).await?;
    store.consume_state(request_id, profile, role, NOW).await?;
    let new = NewAppointment {
        profile,
        encounter: EncounterKey::from_bytes(bytes(Key::Encounter, visit)),
        sealed: vec![7; VISIT],
    };
    let appointment = store.find_or_create_appointment(new, NOW).await?.id;
    let ticket = TicketHash::from_bytes(bytes(Key::Ticket, number));
    let completion = Completion {
        request_id,
        appointment,
        course: course(&[
            LaunchStep::Token,
            LaunchStep::Decrypt,
            LaunchStep::Templates,
            LaunchStep::Templates,
        ]),
        alias: AliasHash::from_bytes(bytes(Key::Alias, number)),
        alias_expires_at: NOW + HOUR,
        ticket: Some(NewTicket {
            hash: ticket,
            sealed: vec![7; PERSON],
            expires_at: NOW + HOUR,
            bearer: NewBearer {
                hash: BearerHash::from_bytes(bytes(Key::Bearer, number)),
                sealed: vec![7; PERSON],
            },
        }),
        session: Some(NewSession {
            sealed: vec![7; TOKENS],
            renew_at: Some(NOW + HOUR / 2),
            expires_at: NOW + HOUR,
        }),
        link: None,
    };
    store.complete_launch(completion, NOW).await?;
    let browser = BrowserHash::from_bytes(bytes(Key::Browser, number));
    store.redeem_ticket(ticket, browser, NOW).await?;
    for event in [
        Reported::Connecting,
        Reported::Waiting,
        Reported::Joined,
        Reported::Left,
    ] {
        let new = NewLaunchEvent {
            request_id,
            event,
            browser_time: Some(NOW),
        };
        store.record_event(new, vec![], 64, NOW).await?;
    }
    let lease = 30 * SECOND;
    if let Some(session) = store.claim_renewal(request_id, NOW, lease).await? {
        let renewed = vec![7; TOKENS];
        let until = NOW + 2 * HOUR;
        store.renewed(&session, renewed, None, until).await?;
    }
    Ok(appointment)
}

/// The EHR takes what is due.
async fn tell(store: &PostgresStore, now: UnixTime) -> Result<(), Box<dyn Error>> {
    loop {
        let claimed = store.claim_write_backs(now, 30 * SECOND, 10, 10).await?;
        if claimed.is_empty() {
            return Ok(());
        }
        for write_back in &claimed {
            store.write_back_sent(write_back, 204, now).await?;
        }
    }
}

fn course(steps: &[LaunchStep]) -> Course {
    let taken = |step: &LaunchStep| StepTaken {
        step: *step,
        at: NOW,
        took: Duration::from_millis(120),
        ok: true,
    };
    Course {
        department: Some("Cardiology".to_owned()),
        steps: steps.iter().map(taken).collect(),
    }
}

/// What a key is of.
#[derive(Clone, Copy)]
enum Key {
    Request,
    Fingerprint,
    Encounter,
    Alias,
    Ticket,
    Bearer,
    Browser,
    Participant,
    Address,
    Came,
    Left,
    Over,
}

/// A key of this number, the same each time, without an order: SplitMix64.
fn bytes<const N: usize>(of: Key, number: u64) -> [u8; N] {
    let mut state = number.wrapping_mul(64).wrapping_add(of as u64);
    state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = [0; N];
    for part in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        part.copy_from_slice(&mixed.to_be_bytes()[..part.len()]);
    }
    bytes
}
