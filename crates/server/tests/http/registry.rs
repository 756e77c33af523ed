//! The profiles of folder and database together, without HTTP.

use std::{fs, path::Path, sync::Arc, time::Duration};

use secrecy::ExposeSecret as _;
use vestibule_server::{
    http_client::HttpClient,
    profile::{
        ChangeError, Kept, ProfileDatabase, ProfileDocument, Registry, RegistryError, import,
        sealed::seal_toml,
    },
    random::{self, Random},
    sealing::{self, Sealer},
    tools::Tools,
};
use vestibule_store::SqliteStore;

use crate::support::{Ehr, KEY, TestClock, UUID, profile, write_profile};

const SECOND: &str = "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a";

struct House {
    folder: tempfile::TempDir,
    text: String,
    clock: Arc<TestClock>,
}

impl House {
    /// A folder with one profile in it.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = profile(&Ehr::start().await, "");
        write_profile(folder.path(), &text);
        Self {
            folder,
            text,
            clock: Arc::new(TestClock::new()),
        }
    }

    /// What one server has.
    async fn registry(&self) -> Result<Registry, RegistryError> {
        let mut rng = random::system();
        let key = sealing::read_or_create(&self.folder.path().join("state.key"), &mut *rng);
        let database = self.folder.path().join("vestibule.db");
        let tools = Tools {
            store: Arc::new(SqliteStore::open(&database).await.unwrap()),
            clock: self.clock.clone(),
            random: Arc::new(Random::new(rng)),
            transport: Arc::new(HttpClient::new().unwrap()),
            sealer: Arc::new(Sealer::new(&key.unwrap())),
            routing: Arc::default(),
            metadata: Arc::default(),
            repeats: Arc::default(),
            turned_away: Default::default(),
            telemetry: Arc::default(),
        };
        Registry::open(&self.folder.path().join("profiles"), tools).await
    }

    /// Another profile.
    fn second(&self) -> ProfileDocument {
        let text = self.text.replace(UUID, SECOND);
        let import = import::from_toml(Path::new("second.toml"), &text);
        import.unwrap().document
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("profiles").join(name), text).unwrap();
    }
}

fn uuids(registry: &Registry) -> Vec<String> {
    let seen = registry.profiles().now();
    seen.iter()
        .map(|profile| profile.uuid.to_string())
        .collect()
}

#[tokio::test]
async fn a_profile_keeps_its_number_wherever_it_is_kept() {
    let house = House::new().await;
    let registry = house.registry().await.unwrap();
    let first = registry.find_uuid(UUID.parse().unwrap()).unwrap();
    assert!(matches!(first.kept, Kept::File(_)));
    let second = registry.create(&house.second()).await.unwrap();
    assert!(matches!(second.kept, Kept::Database(_)));
    assert_ne!(first.number, second.number);
    registry.remove(&second, false).await.unwrap();
    house.write("second.toml", &house.text.replace(UUID, SECOND));
    registry.reload().await.unwrap();
    let again = registry.find(second.number).unwrap();
    assert!(matches!(again.kept, Kept::File(_)));
    assert_eq!(again.document.uuid.to_string(), SECOND);
}

#[tokio::test]
async fn a_fault_anywhere_leaves_all_profiles_as_they_were() {
    let house = House::new().await;
    let registry = house.registry().await.unwrap();
    let before = registry.entries();
    for (broken, told) in [
        (
            house.text.replace(UUID, SECOND).replace(KEY, "S3CRET"),
            "epic_encryption_key",
        ),
        (house.text.clone(), UUID),
        ("name = S3CRET".to_owned(), "line 1"),
    ] {
        house.write("second.toml", &broken);
        let message = registry.reload().await.unwrap_err().to_string();
        assert!(
            message.contains("second.toml") && message.contains(told),
            "{message}"
        );
        assert!(!message.contains("S3CRET"), "{message}");
        assert!(Arc::ptr_eq(&registry.entries(), &before));
        assert_eq!(uuids(&registry), [UUID]);
    }
    // All that is wrong is told, of every file.
    let broken = house.text.replace(KEY, "S3CRET").replace("patient-app", "");
    house.write("healthcare-org.toml", &broken);
    let message = registry.reload().await.unwrap_err().to_string();
    assert_eq!(message.lines().count(), 3, "{message}");
}

#[tokio::test]
async fn what_did_not_change_stays_the_same_profile() {
    let house = House::new().await;
    let registry = house.registry().await.unwrap();
    let second = registry.create(&house.second()).await.unwrap();
    let mut third = house.second();
    third.uuid = "00000000-0000-4000-8000-000000000003".parse().unwrap();
    for role in [
        &mut third.patient_oauth2_redirect_url,
        &mut third.provider_oauth2_redirect_url,
    ] {
        *role = role
            .as_ref()
            .map(|url| url.replace(SECOND, &third.uuid.to_string()));
    }
    registry.create(&third).await.unwrap();
    let now = registry.find_uuid(second.document.uuid).unwrap();
    assert!(Arc::ptr_eq(&now, &second), "what it has cached is kept");
    assert_eq!(uuids(&registry).len(), 3);
}

#[tokio::test]
async fn secrets_in_tables_are_stored_as_well_as_those_beside_them() {
    let house = House::new().await;
    let text = format!(
        "{}\n[write_back]\nauthentication = {{ method = \"basic\", username = \"emp$x\", \
         password = \"password of the table\" }}\n",
        house.text.replace(UUID, SECOND)
    );
    let document = import::from_toml(Path::new("second.toml"), &text)
        .unwrap()
        .document;
    let shown = |document: &ProfileDocument| -> Vec<(&str, String)> {
        let secrets = document.secrets().into_iter();
        secrets
            .map(|(name, secret)| (name, secret.expose_secret().to_owned()))
            .collect()
    };
    let names: Vec<_> = document.secrets().into_keys().collect();
    assert_eq!(
        names,
        [
            "epic_encryption_key",
            "epic_provider_app_client_secret",
            "write_back.authentication.password",
        ]
    );
    house
        .registry()
        .await
        .unwrap()
        .create(&document)
        .await
        .unwrap();
    let registry = house.registry().await.unwrap();
    let stored = registry.find_uuid(document.uuid).unwrap();
    assert_eq!(shown(&stored.document), shown(&document));

    let mut rng = random::system();
    let sealer = Sealer::new(
        &sealing::read_or_create(&house.folder.path().join("state.key"), &mut *rng).unwrap(),
    );
    let sealed = seal_toml(&text, &sealer, &mut *rng).unwrap();
    assert_eq!(sealed.sealed, names);
    assert!(
        !sealed.text.contains("password of the table"),
        "{}",
        sealed.text
    );
    registry.remove(&stored, false).await.unwrap();
    house.write("second.toml", &sealed.text);
    registry.reload().await.unwrap();
    let in_file = registry.find(stored.number).unwrap();
    assert_eq!(shown(&in_file.document), shown(&document));
}

#[tokio::test]
async fn of_two_who_change_the_same_profile_one_is_told() {
    let house = House::new().await;
    let (one, other) = (
        house.registry().await.unwrap(),
        house.registry().await.unwrap(),
    );
    let read = one.create(&house.second()).await.unwrap();
    assert!(other.refresh().await.unwrap());
    assert!(!other.refresh().await.unwrap(), "nothing new");
    let read_by_other = other.find_uuid(read.document.uuid).unwrap();
    let mut changed = read.document.clone();
    changed.name = "One".to_owned();
    one.replace(&read, &changed).await.unwrap();
    changed.name = "Other".to_owned();
    let refused = other.replace(&read_by_other, &changed).await;
    assert!(
        matches!(refused, Err(ChangeError::Meanwhile)),
        "{refused:?}"
    );
    other.refresh().await.unwrap();
    let now = other.find_uuid(read.document.uuid).unwrap();
    assert_eq!(now.document.name, "One");
    one.remove(&now, false).await.unwrap();
    let gone = other.replace(&now, &changed).await;
    assert!(matches!(gone, Err(ChangeError::Missing(_))), "{gone:?}");
}

#[tokio::test]
async fn replaced_secrets_are_forgotten_once_their_time_is_over() {
    let house = House::new().await;
    let registry = house.registry().await.unwrap();
    let entry = registry.create(&house.second()).await.unwrap();
    let mut changed = entry.document.clone();
    changed.epic_encryption_key = Some("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=".into());
    let now = vestibule_launch::Clock::now(&*house.clock);
    vestibule_server::profile::complete(&mut changed, &entry.document, &Default::default(), now);
    let entry = registry.replace(&entry, &changed).await.unwrap();
    assert!(
        entry
            .document
            .secrets()
            .contains_key("previous.epic_encryption_key")
    );
    assert_eq!(registry.forget_expired().await.unwrap(), 0);
    house.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(registry.forget_expired().await.unwrap(), 1);
    let left = registry.find(entry.number).unwrap();
    assert!(left.document.previous.is_none());
    assert_eq!(left.document.secrets().len(), 2);
    assert_eq!(registry.forget_expired().await.unwrap(), 0);
}

/// A profile for Zoom's URLs that name this API key.
fn zoom(uuid: u128, org_id: &str) -> ProfileDocument {
    let uuid = uuid::Uuid::from_u128(uuid);
    let text = format!(
        "name = \"Zoom\"\nuuid = \"{uuid}\"\n\
         telehealth_call_domain = \"telehealth.example.org\"\n\
         infinity_webapp_server_base_url = \"https://visit.example.org/\"\n\
         [zoom]\norg_id = \"{org_id}\"\napi_secret = \"abcdaj333j4j4jkl4k444\"\n"
    );
    let import = import::from_toml(Path::new("zoom.toml"), &text);
    import.unwrap().document
}

#[tokio::test]
async fn of_profiles_that_cannot_be_told_apart_one_is_made() {
    let house = House::new().await;
    let registry = house.registry().await.unwrap();
    let documents: Vec<_> = (1..=8).map(|number| zoom(number, "api-key")).collect();
    let made = futures_util::future::join_all(documents.iter().map(|one| registry.create(one)));
    let made = made.await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    for refused in made.iter().filter_map(|made| made.as_ref().err()) {
        assert!(matches!(refused, ChangeError::Conflict(_)), "{refused}");
    }
    assert_eq!(house.registry().await.unwrap().entries().len(), 2);
}

#[tokio::test]
async fn what_another_server_made_meanwhile_is_not_made_again() {
    let house = House::new().await;
    let (one, other) = (
        house.registry().await.unwrap(),
        house.registry().await.unwrap(),
    );
    let changing = one.create(&zoom(3, "mine")).await.unwrap();
    other.create(&zoom(1, "api-key")).await.unwrap();
    let refused = one.create(&zoom(2, "api-key")).await;
    assert!(
        matches!(refused, Err(ChangeError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(uuids(&one).len(), 3, "it knows the other server's");

    other.create(&zoom(4, "another-key")).await.unwrap();
    let mut changed = changing.document.clone();
    changed.zoom.as_mut().unwrap().org_id = "another-key".to_owned();
    let refused = one.replace(&changing, &changed).await;
    assert!(
        matches!(refused, Err(ChangeError::Conflict(_))),
        "{refused:?}"
    );
    let now = one.find_uuid(changing.document.uuid).unwrap();
    assert_eq!(now.document.zoom.as_ref().unwrap().org_id, "mine");
    assert_eq!(house.registry().await.unwrap().entries().len(), 4);
}

#[tokio::test]
async fn a_profile_that_cannot_be_used_keeps_nobody_elses_replaced_secrets() {
    let house = House::new().await;
    let registry = house.registry().await.unwrap();
    let now = vestibule_launch::Clock::now(&*house.clock);
    for number in [1, 2] {
        let old = zoom(number, &format!("key-{number}"));
        let entry = registry.create(&old).await.unwrap();
        let mut changed = old.clone();
        changed.zoom.as_mut().unwrap().api_secret = Some("another secret of Zoom".into());
        vestibule_server::profile::complete(&mut changed, &old, &Default::default(), now);
        registry.replace(&entry, &changed).await.unwrap();
    }
    house.clock.advance(Duration::from_secs(60 * 60));
    let mut rng = random::system();
    let key = sealing::read_or_create(&house.folder.path().join("state.key"), &mut *rng);
    let database = house.folder.path().join("vestibule.db");
    let store = SqliteStore::open(&database).await.unwrap();
    let by_hand = ProfileDatabase::new(Tools {
        store: Arc::new(store),
        clock: house.clock.clone(),
        random: Arc::new(Random::new(rng)),
        transport: Arc::new(HttpClient::new().unwrap()),
        sealer: Arc::new(Sealer::new(&key.unwrap())),
        routing: Arc::default(),
        metadata: Arc::default(),
        repeats: Arc::default(),
        turned_away: Default::default(),
        telemetry: Arc::default(),
    });
    let mut bad = zoom(3, "bad");
    bad.name.clear();
    by_hand.insert(&bad, None).await.unwrap();
    assert!(registry.forget_expired().await.is_err());
    for kept in by_hand.all().await.unwrap() {
        assert!(kept.document.previous.is_none());
    }
}
