//! The parts of a launch, as Vestibule does them.

use std::{
    fs,
    hint::black_box,
    io::{BufRead as _, Write as _},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rand::{rand_core::UnwrapErr, rngs::SysRng};
use serde::Deserialize;
use uuid::Uuid;
use vestibule_launch::{DisplayName, EhrRole, JoinLink, RequestId, UnixTime};
use vestibule_smart::{AssertionKey, TokenEndpoint};
use vestibule_store::{
    Begun, Consumed, Course, Fingerprint, NewLaunch, PostgresStore, SqliteStore, Store,
};
use vestibule_template::{
    Escaping, Template,
    contexts::{LaunchInformation, ServiceNameContext, TelehealthIntegration},
};

use super::{Answer, Task};
use crate::load::hospital;

/// Operations between two looks at the clock.
const BATCH: u64 = 64;
/// The same where one takes long.
const FEW: u64 = 4;
const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);
const LIFE: Duration = Duration::from_secs(600);
/// Connections to PostgreSQL; one is used at a time.
const CONNECTIONS: u32 = 2;

#[derive(Deserialize)]
struct Order {
    part: String,
    milliseconds: u64,
}

/// Does what is ordered on standard input, until that ends.
pub(crate) async fn run(task: &Path) -> Result<()> {
    let task: Task = serde_json::from_slice(&fs::read(task)?)?;
    for line in std::io::stdin().lock().lines() {
        let Order { part, milliseconds } = serde_json::from_str(&line?)?;
        let time = Duration::from_millis(milliseconds);
        let answer = measure(&task, &part, time).await?;
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{}", serde_json::to_string(&answer)?)?;
    }
    Ok(())
}

async fn measure(task: &Task, part: &str, time: Duration) -> Result<Answer> {
    match part {
        "join_link" => join_link(task, time),
        "decrypt" => decrypt(task, time),
        "render" => render(task, time),
        "parse_and_render" => parse_and_render(task, time),
        "es384" => sign(&task.es384, time),
        "rs384" => sign(&task.rs384, time),
        "state_sqlite" => {
            let store = SqliteStore::open(Path::new(&task.sqlite)).await?;
            state(Arc::new(store), time).await
        }
        "state_postgresql" => {
            let url = task
                .postgresql
                .as_deref()
                .context("there is no PostgreSQL")?;
            let store = PostgresStore::open(&url.parse()?, CONNECTIONS).await?;
            state(Arc::new(store), time).await
        }
        _ => bail!("no part is called {part}"),
    }
}

/// Does something again and again.
fn repeat<T>(time: Duration, batch: u64, mut operation: impl FnMut() -> T) -> Answer {
    let begun = Instant::now();
    let mut operations = 0;
    loop {
        for _ in 0..batch {
            black_box(operation());
        }
        operations += batch;
        let took = begun.elapsed();
        if took >= time {
            return answer(operations, took);
        }
    }
}

fn answer(operations: u64, took: Duration) -> Answer {
    Answer {
        operations,
        nanoseconds: u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
    }
}

fn join_link(task: &Task, time: Duration) -> Result<Answer> {
    let JoinLink::Classic(link) = JoinLink::parse(&task.link)? else {
        bail!("the link is a classic one");
    };
    let name = link.display_name.as_ref().map(DisplayName::as_str);
    ensure!(name == Some("Beverley Ada Spinder") && link.pin().is_some());
    Ok(repeat(time, BATCH, || {
        JoinLink::parse(black_box(&task.link))
    }))
}

fn decrypt(task: &Task, time: Duration) -> Result<Answer> {
    let cipher = task.cipher()?;
    ensure!(*cipher.decrypt(&task.ciphertext)? == task.clear);
    Ok(repeat(time, BATCH, || {
        cipher.decrypt(black_box(&task.ciphertext))
    }))
}

fn service_name() -> ServiceNameContext {
    ServiceNameContext {
        launch_information: LaunchInformation {
            fname: Some("Beverley".to_owned()),
            mname: Some("Ada".to_owned()),
            lname: Some("Spinder".to_owned()),
            encfacnpiname: Some("Cardiology".to_owned()),
        },
        telehealth_integration: TelehealthIntegration {
            name: hospital::NAME.to_owned(),
            telehealth_call_domain: hospital::DOMAIN.to_owned(),
            integration_uuid: hospital::UUID.to_owned(),
            ..TelehealthIntegration::default()
        },
        unique_encounter_id: "4711000123".to_owned(),
    }
}

const SERVICE_NAME: &str =
    "Appointment for Beverley Spinder Healthcare Org:4711000123 in Cardiology";

fn render(task: &Task, time: Duration) -> Result<Answer> {
    let template = Template::parse(&task.template)?;
    let context = service_name();
    ensure!(template.render(Escaping::None, &context)? == SERVICE_NAME);
    Ok(repeat(time, BATCH, || {
        template.render(Escaping::None, black_box(&context))
    }))
}

fn parse_and_render(task: &Task, time: Duration) -> Result<Answer> {
    let context = service_name();
    let render = || Template::parse(black_box(&task.template))?.render(Escaping::None, &context);
    ensure!(render()? == SERVICE_NAME);
    Ok(repeat(time, FEW, render))
}

fn sign(pem: &str, time: Duration) -> Result<Answer> {
    let key = AssertionKey::from_pem(pem)?;
    let endpoint: TokenEndpoint = "https://ehr.example.org/oauth2/token".parse()?;
    let mut rng = UnwrapErr(SysRng);
    Ok(repeat(time, FEW, || {
        key.assertion("client", &endpoint, NOW, &mut rng)
    }))
}

/// Stores the state of a launch and takes it, one after the other.
async fn state(store: Arc<dyn Store>, time: Duration) -> Result<Answer> {
    let mut rng = UnwrapErr(SysRng);
    let begun = Instant::now();
    let mut operations = 0;
    while begun.elapsed() < time {
        for _ in 0..FEW {
            let launch = launch(&mut rng);
            let (id, profile, role) = (launch.request_id, launch.profile, launch.role);
            ensure!(store.begin_launch(launch, NOW).await? == Begun::New);
            let consumed = store.consume_state(id, profile, role, NOW).await?;
            ensure!(matches!(consumed, Consumed::Now(_)));
        }
        operations += FEW;
    }
    let answer = answer(operations, begun.elapsed());
    store.close().await;
    Ok(answer)
}

/// With as much sealed as of a launch with launch parameters.
fn launch(rng: &mut impl rand::CryptoRng) -> NewLaunch {
    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    let mut fingerprint = [0; 32];
    rng.fill_bytes(&mut fingerprint);
    NewLaunch {
        request_id: RequestId::from_bytes(id),
        profile: Uuid::from_u128(1),
        role: EhrRole::Patient,
        fingerprint: Fingerprint::from_bytes(fingerprint),
        sealed: vec![7; 600],
        expires_at: NOW + LIFE,
        course: Course::default(),
    }
}
