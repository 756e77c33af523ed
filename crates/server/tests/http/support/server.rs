//! The server under test, and launches of it.

use std::{fs, path::Path, sync::Arc};

use reqwest::{Response, header::LOCATION};
use tokio::sync::oneshot;
use vestibule_launch::{
    EhrRole,
    crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey},
};
use vestibule_server::{
    config::Config,
    database::Place,
    http_client::HttpClient,
    random::{self, Random},
    sealing::{self, Sealer},
    server::{Server, ServerError},
    tools::Tools,
};

use super::{Ehr, KEY, TestClock, UUID, parameter};

const PATIENT: &str =
    "csn=encounter-4711&fname=Beverley&mname=P&lname=Spinder&encfacnpiname=Radiology";

pub(crate) struct TestServer {
    pub(crate) url: String,
    pub(crate) admin_url: Option<String>,
    pub(crate) metrics_url: Option<String>,
    pub(crate) ehr: Ehr,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) client: reqwest::Client,
    end: Option<oneshot::Sender<()>>,
    running: tokio::task::JoinHandle<()>,
    launches: std::sync::atomic::AtomicU64,
}

/// A launch to make.
#[derive(Clone, Copy)]
pub(crate) struct Launch<'a> {
    pub(crate) role: &'a str,
    /// The plaintext of the encrypted parameter; none sends none.
    pub(crate) plaintext: Option<&'a str>,
}

impl Launch<'_> {
    pub(crate) const PROVIDER: Launch<'static> = Launch {
        role: "provider",
        plaintext: Some(PATIENT),
    };
    pub(crate) const PATIENT: Launch<'static> = Launch {
        role: "patient",
        plaintext: Some(PATIENT),
    };
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with_profile("").await
    }

    /// A server whose profile has these lines too.
    pub(crate) async fn with_profile(more: &str) -> Self {
        Self::with(more, "").await
    }

    /// The same; none where the profile is refused.
    pub(crate) async fn try_with_profile(more: &str) -> Option<Self> {
        Self::try_with(|ehr| profile(ehr, more), "").await.ok()
    }

    /// A server whose profile was changed.
    pub(crate) async fn with_profile_changed(change: impl FnOnce(&str) -> String) -> Self {
        Self::try_with_profile_changed(change).await.unwrap()
    }

    /// The same; why it does not begin where it does not.
    pub(crate) async fn try_with_profile_changed(
        change: impl FnOnce(&str) -> String,
    ) -> Result<Self, ServerError> {
        Self::try_with(|ehr| change(&profile(ehr, "")), "").await
    }

    /// The same, with these lines in its configuration too.
    pub(crate) async fn with(more: &str, config: &str) -> Self {
        Self::try_with(|ehr| profile(ehr, more), config)
            .await
            .unwrap()
    }

    async fn try_with(
        profile: impl FnOnce(&Ehr) -> String,
        config: &str,
    ) -> Result<Self, ServerError> {
        super::log::keep();
        let folder = tempfile::tempdir().unwrap();
        let ehr = Ehr::start().await;
        write_profile(folder.path(), &profile(&ehr));
        let database = super::database::configuration();
        fs::write(
            folder.path().join("vestibule.toml"),
            format!("{CONFIG}{database}{config}"),
        )
        .unwrap();
        write_www(&folder.path().join("www"));
        let clock = Arc::new(TestClock::new());
        let config = Config::read(&folder.path().join("vestibule.toml")).unwrap();
        let server = Server::bind_with_clock(&config, clock.clone()).await?;
        let url = format!("http://{}", server.address());
        let admin_url = server
            .admin_address()
            .map(|address| format!("http://{address}"));
        let metrics_url = server
            .metrics_address()
            .map(|address| format!("http://{address}/metrics"));
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(async move {
            server.run(async { drop(ended.await) }).await.unwrap();
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "a browser, not the server's client"
        )]
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Ok(Self {
            url,
            admin_url,
            metrics_url,
            ehr,
            clock,
            folder,
            client,
            end: Some(end),
            running,
            launches: Default::default(),
        })
    }

    /// What the server works with, in the test's hands.
    pub(crate) async fn tools(&self) -> Tools {
        let data = self.folder.path().join("data");
        let mut rng = random::system();
        let key = sealing::read_or_create(&data.join("state.key"), &mut *rng).unwrap();
        let config = Config::read(&self.folder.path().join("vestibule.toml")).unwrap();
        let place = Place::of(&config, None).unwrap();
        Tools {
            store: place.open().await.unwrap(),
            clock: self.clock.clone(),
            random: Arc::new(Random::new(rng)),
            transport: Arc::new(HttpClient::new().unwrap()),
            sealer: Arc::new(Sealer::new(&key)),
            routing: Arc::default(),
            metadata: Arc::default(),
            repeats: Arc::default(),
            turned_away: Default::default(),
            telemetry: Arc::default(),
        }
    }

    /// Ends the server in good order.
    pub(crate) async fn end(mut self) -> tempfile::TempDir {
        drop(self.end.take());
        self.running.await.unwrap();
        self.folder
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn head(&self, path: &str) -> Response {
        let request = self.client.head(format!("{}{path}", self.url));
        request.send().await.unwrap()
    }

    pub(crate) async fn get_with(&self, path: &str, header: &str, value: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        request.header(header, value).send().await.unwrap()
    }

    pub(crate) async fn get_encoded(&self, path: &str, accept: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        request
            .header("accept-encoding", accept)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, content_type: &str, body: String) -> Response {
        self.client
            .post(format!("{}{path}", self.url))
            .header("content-type", content_type)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post_json(&self, path: &str, body: &serde_json::Value) -> Response {
        self.post(path, "application/json", body.to_string()).await
    }

    pub(crate) async fn post_form(&self, path: &str, body: String) -> Response {
        self.post(path, "application/x-www-form-urlencoded", body)
            .await
    }

    /// Asks the node for a token.
    pub(crate) async fn request_token(&self, alias: &str, pin: &str) -> Response {
        self.client
            .post(format!(
                "{}/api/client/v2/conferences/{alias}/request_token",
                self.url
            ))
            .header("pin", pin)
            .header("content-type", "application/json")
            .body(r#"{"display_name": "Somebody"}"#)
            .send()
            .await
            .unwrap()
    }

    /// The parameters of a launch, with a launch token of its own.
    pub(crate) fn parameters(&self, launch: Launch<'_>) -> String {
        let number = self
            .launches
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("iss", &self.ehr.iss());
        form.append_pair("launch", &format!("launch-token-{number}"));
        if let Some(plaintext) = launch.plaintext {
            form.append_pair("data", &encrypt(plaintext));
        }
        form.finish()
    }

    /// Presses the button in the EHR.
    pub(crate) async fn begin(&self, launch: Launch<'_>) -> Response {
        let parameters = self.parameters(launch);
        self.get(&format!("{}?{parameters}", launch_path(launch.role)))
            .await
    }

    /// Presses the button, and gives the `state` with which the EHR must return.
    pub(crate) async fn begin_state(&self, launch: Launch<'_>) -> String {
        let response = self.begin(launch).await;
        assert_eq!(response.status(), 303);
        parameter(location(&response), "state")
    }

    /// The request id inside a state, opened with the server's own key.
    pub(crate) fn request_id(&self, role: &str, state: &str) -> String {
        let path = self.folder.path().join("data/state.key");
        let key = sealing::read_or_create(&path, &mut *random::system()).unwrap();
        let role = if role == "patient" {
            EhrRole::Patient
        } else {
            EhrRole::Provider
        };
        let opened = Sealer::new(&key).open_state(state, UUID.parse().unwrap(), role);
        opened.unwrap().to_string()
    }

    /// Returns from the EHR's sign-in.
    pub(crate) async fn return_with(&self, role: &str, state: &str) -> Response {
        self.get(&format!(
            "{}?code=code-of-the-ehr&state={state}",
            return_path(role)
        ))
        .await
    }

    /// The whole way; gives the join link.
    pub(crate) async fn launch(&self, launch: Launch<'_>) -> String {
        let state = self.begin_state(launch).await;
        let response = self.return_with(launch.role, &state).await;
        assert_eq!(response.status(), 303);
        location(&response).to_owned()
    }
}

pub(crate) fn launch_path(role: &str) -> String {
    format!("/api/telehealth/v1/{role}/oauth2smartlaunch/{UUID}")
}

pub(crate) fn return_path(role: &str) -> String {
    format!("/api/telehealth/v1/{role}/oauth2authorized/{UUID}")
}

pub(crate) fn location(response: &Response) -> &str {
    response.headers()[LOCATION].to_str().unwrap()
}

pub(crate) fn encrypt(plaintext: &str) -> String {
    let key = LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, KEY).unwrap();
    let cipher = LaunchCipher::new(key, InitializationVector::Zero);
    cipher.encrypt(plaintext, &mut *random::system())
}

pub(crate) const CONFIG: &str = "listen = \"127.0.0.1:0\"\ndata = \"data\"\nwww = \"www\"\n\
    profiles = \"profiles\"\nframe_ancestors = [\"https://portal.example.org\"]\n";

pub(crate) fn profile(ehr: &Ehr, more: &str) -> String {
    let ehr = ehr.address;
    let site = "https://visit.example.org";
    format!(
        r#"
name = "Healthcare Org"
uuid = "{UUID}"
telehealth_call_domain = "telehealth.example.org"
telehealth_integration_base_url = "http://{ehr}/"
telehealth_integration_oauth2_base_api_url = "http://{ehr}/oauth"
infinity_webapp_server_base_url = "{site}/"
patient_oauth2_redirect_url = "{site}/api/telehealth/v1/patient/oauth2authorized/{UUID}"
provider_oauth2_redirect_url = "{site}/api/telehealth/v1/provider/oauth2authorized/{UUID}/"
epic_patient_app_client_id = "patient-app"
epic_provider_app_client_id = "provider-app"
epic_provider_app_client_secret = "client-secret-of-the-ehr"
epic_encryption_key = "{KEY}"
epic_encryption_key_type = "base64key"
epic_encryption_algorithm = "AES-256-CBC"
{more}
"#
    )
}

/// The folder of profiles, with this one in it.
pub(crate) fn write_profile(folder: &Path, text: &str) {
    let profiles = folder.join("profiles");
    fs::create_dir(&profiles).unwrap();
    fs::write(profiles.join("healthcare-org.toml"), text).unwrap();
}

pub(crate) fn write_www(www: &Path) {
    fs::create_dir(www).unwrap();
    for (name, text) in [
        (
            "index.html",
            "<!doctype html><head><title>Visit</title></head><p data-brand=name>Video visit</p>",
        ),
        ("error-frame.html", "<!doctype html><title>Error</title>"),
        ("vestibule_bg.wasm", "\0asm"),
        ("vestibule_bg.wasm.br", "brotli"),
        ("vestibule_bg.wasm.gz", "gzip"),
        ("boot.js", "export {};"),
    ] {
        fs::write(www.join(name), text).unwrap();
    }
}
