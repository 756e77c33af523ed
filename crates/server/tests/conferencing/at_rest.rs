//! What is kept of a visit: nothing personal and no secret in the open, neither in the data
//! folder nor in any column of the database, in whatever encoding.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use secrecy::ExposeSecret as _;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};
use vestibule_test_log::{Class, search};

use crate::{
    device_test::{LINK, TABLE, tested},
    house::{ENCOUNTER, House, Joined, PATIENT, POLICY, PROVIDER, SINK, Setup, TELLING, WHOLE},
};

/// After so long what was put off is due.
const PAUSE: Duration = Duration::from_secs(20);

const REMOTE_ADDRESS: &str = "10.44.75.250";

/// What is kept, by table or file. Counted by, and therefore kept in the open, is the
/// department.
struct Kept(BTreeMap<String, Vec<u8>>);

const DEPARTMENT: &str = "Radiology";

impl Kept {
    /// What a server keeps that runs.
    async fn by(house: &House) -> Self {
        let mut kept = Self::in_folder(house.folder());
        if let Some(url) = house.config().database.url {
            kept.add_tables(url.expose_secret()).await;
        }
        kept
    }

    /// The data folder.
    fn in_folder(folder: &Path) -> Self {
        let files = fs::read_dir(folder.join("data")).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            (name.to_owned(), fs::read(&path).unwrap())
        });
        Self(files.collect())
    }

    /// A row a line as PostgreSQL writes it: bytes in hexadecimal.
    async fn add_tables(&mut self, url: &str) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
             WHERE table_type = 'BASE TABLE'
                 AND table_schema NOT IN ('pg_catalog', 'information_schema')",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        for table in tables {
            let rows = format!("SELECT whole::text FROM {table} AS whole");
            let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            self.0.insert(table, rows.join("\n").into_bytes());
        }
        connection.close().await.unwrap();
    }

    /// In which tables or files any of these stands, or what is planted in all tests.
    fn search(&self, secrets: &[String]) -> Vec<String> {
        // As logs are searched, which knows the encodings.
        let folder = tempfile::tempdir().unwrap();
        // What is within bytes does not stand alone, as PINs would have to.
        let lines = secrets
            .iter()
            .map(|secret| format!("{}\t{secret}\n", Class::Token.as_str()));
        fs::write(folder.path().join("a.secrets"), lines.collect::<String>()).unwrap();
        for (name, bytes) in &self.0 {
            fs::write(folder.path().join(format!("{name}.log")), bytes).unwrap();
        }
        let found = search(folder.path()).unwrap().findings.into_iter();
        found.map(|found| format!("{found:?}")).collect()
    }

    fn assert_closed(&self, secrets: &[String]) {
        let found = self.search(secrets);
        assert!(found.is_empty(), "{found:#?}");
        let in_the_open = self.search(&[DEPARTMENT.to_owned()]);
        assert!(!in_the_open.is_empty(), "it would find what there is");
    }
}

/// An event as Pexip tells it, of somebody who came by this alias.
async fn tell(house: &House, seq: u64, event: &str, joined: &Joined, tag: &str) {
    let event = json!({
        "node": "10.44.2.17", "seq": seq, "version": 2, "time": 1_800_000_000.5,
        "event": event, "data": {
            "uuid": "c1f6e1b8-6d0b-4b9a-9f5f-0a3f4be7a001", "conference": "Visit of Beverley",
            "destination_alias": joined.alias, "display_name": "Beverley P Spinder",
            "remote_address": REMOTE_ADDRESS, "role": "guest", "service_tag": tag,
            "service_type": "conference", "disconnect_reason": "Call disconnected",
        },
    });
    assert_eq!(house.tell(&event).await, 204);
}

fn base_alias(joined: &Joined) -> String {
    let base = joined.alias.split(['.', '@']).nth(1).unwrap();
    base.to_owned()
}

#[tokio::test]
async fn of_a_whole_visit_nothing_personal_is_kept_in_the_open() {
    let profile = format!("{LINK}{TELLING}{TABLE}");
    let house = House::open(Setup {
        profile: &profile,
        ..WHOLE
    })
    .await;
    let provider = house.provider().await;
    let page = house.page().await;
    let patient = &page.joined;
    let answer = house.policy(&provider.alias).await;
    let tag = answer["result"]["service_tag"].as_str().unwrap();
    let (_, ticket) = patient.link.rsplit_once("ticket=").unwrap();
    let pin = provider.pin.clone().unwrap();

    // They come by Pexip and by the embedded node, and the EHR cannot be told.
    let drop = || Fault::once(FaultAnswer::Drop);
    house.ehr.fault(Endpoint::Status, drop());
    house.ehr.fault(Endpoint::DeviceTest, drop());
    tell(&house, 1, "participant_connected", patient, tag).await;
    house.until_put_off(patient, 1).await;
    house.report(&page, &tested("passed", None)).await;
    let token = house.come(&provider).await;
    house.until_told(PROVIDER, &["1"]).await;

    let issued = house.issued.all();
    assert!(issued.len() >= 8, "launch tokens, codes and tokens of two");
    let mut secrets = issued;
    secrets.extend([base_alias(&provider), base_alias(patient)]);
    secrets.extend([pin, token.clone(), ticket.to_owned(), page.bearer.clone()]);
    let fixed = [
        ENCOUNTER,
        PROVIDER,
        PATIENT,
        POLICY.1,
        SINK.1,
        REMOTE_ADDRESS,
        "Healthcare Org",
    ];
    secrets.extend(fixed.map(str::to_owned));
    // There is all that could be found.
    for joined in [&provider, patient] {
        let request_id = house.request_id(joined).await;
        let session = house.store().await.find_session(request_id).await.unwrap();
        let renew_at = session.expect("its tokens are kept").renew_at;
        assert!(renew_at.is_some(), "with a refresh token");
        // And what the EHR is told.
        house.until_recorded(joined, |it| !it.is_empty()).await;
    }
    Kept::by(&house).await.assert_closed(&secrets);

    // And when all is said.
    house.clock.advance(PAUSE);
    house.until_told(PATIENT, &["1"]).await;
    tell(&house, 2, "participant_disconnected", patient, tag).await;
    house.until_told(PATIENT, &["1", "2"]).await;
    house.leave(&provider, &token).await;
    house.until_told(PROVIDER, &["1", "2"]).await;
    house.clock.advance(PAUSE);
    house.clock.advance(PAUSE);
    for joined in [&provider, patient] {
        house.until_all_is_said(joined).await;
    }
    secrets.extend(house.issued.all());
    let kept = Kept::by(&house).await;
    kept.assert_closed(&secrets);
    let after = Kept::in_folder(house.end().await.path());
    let found = after.search(&secrets);
    assert!(found.is_empty(), "{found:#?}");
}
