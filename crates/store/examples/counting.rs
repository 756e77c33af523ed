//! What counting costs a launch in SQLite: launches are begun, consumed and completed with
//! and without a token taken first, by turns, and the times are compared. And what a
//! launch is on the disk, with its steps or without them.
//!
//! `cargo run -p vestibule-store --example counting [LAUNCHES [without-steps]]`

use std::{
    error::Error,
    io::Write as _,
    time::{Duration, Instant},
};

use uuid::Uuid;
use vestibule_launch::{EhrRole, RequestId, UnixTime};
use vestibule_store::{
    AliasHash, Bucket, Completion, Course, EncounterKey, Fingerprint, LaunchStep, Launches as _,
    LimitKey, Limits as _, NewAppointment, NewLaunch, SqliteStore, StepTaken, Store as _,
};

/// How many launches follow each other before it is the other's turn.
const TURN: u64 = 20;

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let launches: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(2000), |text| text.parse())?;
    let folder = tempfile::tempdir_in(".")?;
    let has_steps = std::env::args().nth(2).as_deref() != Some("without-steps");
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).await?;
    let empty = std::fs::metadata(&path)?.len();
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
        launch(&store, number, has_steps).await?;
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
    let bytes = std::fs::metadata(&path)?.len().saturating_sub(empty);
    writeln!(out, "bytes a launch:        {}", bytes / launches.max(1))?;
    Ok(())
}

/// What the store does for one launch.
async fn launch(store: &SqliteStore, number: u64, has_steps: bool) -> Result<(), Box<dyn Error>> {
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
        course: course(&[LaunchStep::Metadata], has_steps),
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
        course: course(
            &[
                LaunchStep::Token,
                LaunchStep::Decrypt,
                LaunchStep::Templates,
                LaunchStep::Templates,
            ],
            has_steps,
        ),
        alias: AliasHash::from_bytes(bytes),
        alias_expires_at: NOW + Duration::from_secs(3600),
        ticket: None,
        session: None,
        link: None,
    };
    store.complete_launch(completion, NOW).await?;
    Ok(())
}

fn course(steps: &[LaunchStep], has_steps: bool) -> Course {
    let taken = |step: &LaunchStep| StepTaken {
        step: *step,
        at: NOW,
        took: Duration::from_millis(120),
        ok: true,
    };
    let steps = steps.iter().filter(|_| has_steps).map(taken).collect();
    Course {
        department: None,
        steps,
    }
}
