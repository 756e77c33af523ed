//! What counting costs a launch in SQLite: launches are begun, consumed and completed with
//! and without a token taken first, by turns, and the times are compared.
//!
//! `cargo run -p vestibule-store --example counting [LAUNCHES]`

use std::{
    error::Error,
    io::Write as _,
    time::{Duration, Instant},
};

use uuid::Uuid;
use vestibule_launch::{EhrRole, RequestId, UnixTime};
use vestibule_store::{
    AliasHash, Bucket, Completion, Course, EncounterKey, Fingerprint, Launches as _, LimitKey,
    Limits as _, NewAppointment, NewLaunch, SqliteStore, Store as _,
};

/// How many launches follow each other before it is the other's turn.
const TURN: u64 = 20;

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let launches = std::env::args()
        .nth(1)
        .map_or(Ok(2000), |text| text.parse())?;
    let folder = tempfile::tempdir_in(".")?;
    let store = SqliteStore::open(&folder.path().join("state.db")).await?;
    let mut counted = Duration::ZERO;
    let mut uncounted = Duration::ZERO;
    let mut counting = Duration::ZERO;
    for number in 0..launches {
        let begun = Instant::now();
        let is_counted = (number / TURN).is_multiple_of(2);
        if is_counted {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&(number % 50).to_be_bytes());
            let bucket = Bucket::per_minute(1_000_000);
            store.take(LimitKey::from_bytes(key), bucket, NOW).await?;
            counting += begun.elapsed();
        }
        launch(&store, number).await?;
        *(if is_counted {
            &mut counted
        } else {
            &mut uncounted
        }) += begun.elapsed();
    }
    store.close().await;
    let half = u32::try_from(launches / 2)?.max(1);
    let ratio = counted.as_secs_f64() / uncounted.as_secs_f64();
    let mut out = std::io::stdout().lock();
    writeln!(out, "a launch, counted:     {:?}", counted / half)?;
    writeln!(out, "a launch, not counted: {:?}", uncounted / half)?;
    writeln!(out, "of that, to count:     {:?}", counting / half)?;
    writeln!(out, "ratio: {ratio:.3}")?;
    Ok(())
}

/// What the store does for one launch.
async fn launch(store: &SqliteStore, number: u64) -> Result<(), Box<dyn Error>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[..16]);
    let request_id = RequestId::from_bytes(id);
    let profile = Uuid::from_u128(1);
    let new = NewLaunch {
        request_id,
        profile,
        role: EhrRole::Patient,
        fingerprint: Fingerprint::from_bytes(bytes),
        sealed: vec![7; 700],
        expires_at: NOW + Duration::from_secs(900),
        course: Course::default(),
    };
    store.begin_launch(new, NOW).await?;
    let consumed = store.consume_state(request_id, profile, EhrRole::Patient, NOW);
    consumed.await?;
    let new = NewAppointment {
        profile,
        encounter: EncounterKey::from_bytes(bytes),
        sealed: vec![7; 200],
    };
    let appointment = store.find_or_create_appointment(new, NOW).await?.id;
    let completion = Completion {
        request_id,
        appointment,
        course: Course::default(),
        alias: AliasHash::from_bytes(bytes),
        alias_expires_at: NOW + Duration::from_secs(3600),
        ticket: None,
        session: None,
        link: None,
    };
    store.complete_launch(completion, NOW).await?;
    Ok(())
}
