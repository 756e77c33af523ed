//! A server and the simulated EHR, on one clock; and who comes to them: browsers, Pexip
//! Infinity and clients of the embedded node.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{RequestBuilder, Response, StatusCode, header::LOCATION};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use vestibule_sandbox::{Config as SandboxConfig, Controls, Sandbox};
use vestibule_server::{config::Config, database::Place, server::Server};
use vestibule_store::Store;
use vestibule_test_log::Class;

use crate::{
    clock::TestClock,
    database,
    epic::{self, SITE},
    issued::Issued,
};

/// The encounter of the appointment that is launched.
pub(crate) const ENCOUNTER: &str = "6ea6d1427f684721abd21c1634386f7b6";

/// Who they are in the EHR.
pub(crate) const PROVIDER: &str = "ePrM2vKd7HtQe9Lw4Xs6ZnQ3";
pub(crate) const PATIENT: &str = "eSpDnKq7TzW0mBv1fXh2AaQ3";

/// What Pexip signs in with.
pub(crate) const POLICY: (&str, &str) = ("policy", "password of the policy server");
pub(crate) const SINK: (&str, &str) = ("sink", "password of the event sink");

/// Only against hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long it takes until another server is there.
const RESTART: Duration = Duration::from_millis(100);

/// How the house is set up beside the usual.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'a> {
    /// Lines at the end of the profile.
    pub(crate) profile: &'a str,
    /// Lines at the end of `vestibule.toml`.
    pub(crate) config: &'a str,
    /// Lines at the end of `sandbox.toml`.
    pub(crate) sandbox: &'a str,
}

/// The EHR is told of connections and of the end.
pub(crate) const TELLING: &str = r#"
[write_back]
[end_of_call]
url = "{ehr}/interconnect/api/telehealth/end-of-call"
fields = { csn = "unique_encounter_id", user = "external_id", at = "ended_at" }
"#;

pub(crate) const PEXIP: &str = r#"
[pexip]
policy_username = "policy"
policy_password = "password of the policy server"
event_sink_username = "sink"
event_sink_password = "password of the event sink"
"#;

/// Everything is on.
pub(crate) const WHOLE: Setup<'static> = Setup {
    profile: TELLING,
    config: PEXIP,
    sandbox: "",
};

pub(crate) struct House {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) ehr: Controls,
    /// What the EHR has handed out.
    pub(crate) issued: Issued,
    ehr_address: String,
    folder: tempfile::TempDir,
    browser: reqwest::Client,
    running: Running,
}

struct Running {
    url: String,
    /// Where Pexip comes in.
    pexip: String,
    /// Where administrators come in.
    admin: Option<String>,
    end: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

/// A launch, as far as its join link shows it.
pub(crate) struct Joined {
    pub(crate) link: String,
    pub(crate) alias: String,
    pub(crate) pin: Option<String>,
}

impl House {
    pub(crate) async fn open(setup: Setup<'_>) -> Self {
        let clock = Arc::new(TestClock::new());
        let config = SandboxConfig::parse(&format!("{}{}", sandbox(), setup.sandbox)).unwrap();
        let issued = Issued::default();
        let ehr = Sandbox::bind(config, clock.clone(), issued.generator())
            .await
            .unwrap();
        let (controls, ehr_address) = (ehr.controls(), ehr.address().to_owned());
        tokio::spawn(ehr.serve(std::future::pending()));

        let folder = tempfile::tempdir().unwrap();
        let profiles = folder.path().join("profiles");
        fs::create_dir(&profiles).unwrap();
        let profile = format!("{}{}", profile(&ehr_address), setup.profile);
        let profile = profile.replace("{ehr}", &ehr_address);
        fs::write(profiles.join("healthcare-org.toml"), profile).unwrap();
        let www = folder.path().join("www");
        fs::create_dir(&www).unwrap();
        for (name, text) in [("index.html", "<head></head>"), ("boot.js", "")] {
            fs::write(www.join(name), text).unwrap();
        }
        let config = format!(
            "listen = \"127.0.0.1:0\"\ndata = \"data\"\nwww = \"www\"\nprofiles = \"profiles\"\n{}{}",
            database::configuration(),
            setup.config
        );
        fs::write(folder.path().join("vestibule.toml"), config).unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "a browser and a conferencing node, not the server's client"
        )]
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            running: run(folder.path(), clock.clone()).await,
            clock,
            ehr: controls,
            issued,
            ehr_address,
            folder,
            browser,
        }
    }

    /// Ends the server in good order; another one goes on with its data.
    pub(crate) async fn restart(self) -> Self {
        drop(self.running.end);
        self.running.serving.await.unwrap();
        self.clock.advance(RESTART);
        Self {
            running: run(self.folder.path(), self.clock.clone()).await,
            ..self
        }
    }

    /// The server breaks down; another one goes on with its data.
    pub(crate) async fn break_down(self) -> Self {
        self.running.serving.abort();
        assert!(self.running.serving.await.unwrap_err().is_cancelled());
        self.clock.advance(RESTART);
        Self {
            running: run(self.folder.path(), self.clock.clone()).await,
            ..self
        }
    }

    /// Ends the server in good order. Gives the folder that it leaves behind.
    pub(crate) async fn end(self) -> tempfile::TempDir {
        drop(self.running.end);
        self.running.serving.await.unwrap();
        self.folder
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A door of its own to what the server remembers.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        self.place().open().await.unwrap()
    }

    /// Where that is.
    pub(crate) fn place(&self) -> Place {
        Place::of(&self.config(), None).unwrap()
    }

    pub(crate) fn config(&self) -> Config {
        Config::read(&self.folder.path().join("vestibule.toml")).unwrap()
    }

    pub(crate) async fn provider(&self) -> Joined {
        self.launch("clinician").await
    }

    pub(crate) async fn patient(&self) -> Joined {
        self.launch("patient").await
    }

    /// Presses the button of the first appointment, and goes where that leads: to the
    /// answer with the join link, or to one that leads nowhere.
    pub(crate) async fn try_launch(&self, page: &str) -> Response {
        let request = self
            .browser
            .post(format!("{}/{page}/launch", self.ehr_address));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body("appointment=1");
        let mut response = request.send().await.unwrap();
        while response.status() == 303 && !location(&response).contains("/webapp/#/") {
            let next = location(&response).replace(SITE, &self.running.url);
            response = self.browser.get(next).send().await.unwrap();
        }
        response
    }

    async fn launch(&self, page: &str) -> Joined {
        let response = self.try_launch(page).await;
        assert_eq!(response.status(), 303, "{}", response.url().path());
        let link = location(&response).to_owned();
        let parameter = |name: &str| {
            let (_, query) = link.split_once('?').unwrap();
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(found, _)| found == name);
            found.map(|(_, value)| value.into_owned())
        };
        Joined {
            // A link with a ticket shows none.
            alias: parameter("conference").unwrap_or_default(),
            pin: parameter("pin").inspect(|pin| vestibule_test_log::secret(Class::Pin, pin)),
            link,
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.browser.get(format!("{}{path}", self.running.url))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.browser.post(format!("{}{path}", self.running.url))
    }

    /// The same where Pexip comes in.
    pub(crate) fn get_as_pexip(&self, path: &str) -> RequestBuilder {
        self.browser.get(format!("{}{path}", self.running.pexip))
    }

    /// An address of the admin pages.
    pub(crate) fn admin(&self, path: &str) -> String {
        format!("{}{path}", self.running.admin.as_ref().unwrap())
    }

    /// Who goes to all these addresses.
    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.browser
    }

    /// What the policy server answers about an alias, asked as Pexip asks.
    pub(crate) async fn ask(&self, alias: &str) -> Response {
        let alias: String = url::form_urlencoded::byte_serialize(alias.as_bytes()).collect();
        let path = format!(
            "/policy/v1/service/configuration?protocol=api&node_ip=10.44.2.17&registered=False\
             &remote_alias=Infinity_Connect_10.44.75.250&version_id=36&bandwidth=0&vendor=webapp3\
             &pseudo_version_id=79019.0.0&local_alias={alias}&remote_port=64704&call_tag=\
             &idp_uuid=&has_authenticated_display_name=False&supports_direct_media=True\
             &teams_tenant_id=&trigger=web&remote_address=10.44.75.250&location=Oslo\
             &remote_display_name=Beverley%20P%20Spinder&call_direction=dial_in\
             &telehealth_request_id=7c4b3f5e-2f0d-4c8a-9a52-0c8f3f3a1a11"
        );
        let request = self
            .get_as_pexip(&path)
            .basic_auth(POLICY.0, Some(POLICY.1));
        request.send().await.unwrap()
    }

    /// The same where it must be a success.
    pub(crate) async fn policy(&self, alias: &str) -> Value {
        let response = self.ask(alias).await;
        assert_eq!(response.status(), 200);
        let value: Value = read(response).await;
        assert_eq!(value["status"], "success");
        value
    }

    /// Tells the event sink a message.
    pub(crate) async fn tell(&self, message: &Value) -> StatusCode {
        let sink = format!("{}/api/telehealth/v1/event_sink", self.running.pexip);
        let request = self.browser.post(sink);
        let request = request
            .basic_auth(SINK.0, Some(SINK.1))
            .header("content-type", "application/json")
            .body(message.to_string());
        request.send().await.unwrap().status()
    }

    /// A client of the embedded node asks to come in.
    pub(crate) async fn request_token(&self, alias: &str, pin: Option<&str>) -> Response {
        let path = format!("/api/client/v2/conferences/{alias}/request_token");
        let mut request = self.post(&path).header("content-type", "application/json");
        if let Some(pin) = pin {
            request = request.header("pin", pin);
        }
        let body = json!({"display_name": "Beverley P Spinder"}).to_string();
        request.body(body).send().await.unwrap()
    }

    /// Comes into a conference of the embedded node; gives the token.
    pub(crate) async fn come(&self, joined: &Joined) -> String {
        let pin = joined.pin.as_deref().unwrap_or("none");
        let response = self.request_token(&joined.alias, Some(pin)).await;
        assert_eq!(response.status(), 200);
        issued_token(response).await
    }

    /// Stays in a conference of the embedded node; gives the new token.
    pub(crate) async fn refresh(&self, joined: &Joined, token: &str) -> String {
        let path = format!("/api/client/v2/conferences/{}/refresh_token", joined.alias);
        let response = self
            .post(&path)
            .header("token", token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        issued_token(response).await
    }

    /// Leaves a conference of the embedded node.
    pub(crate) async fn leave(&self, joined: &Joined, token: &str) {
        let path = format!("/api/client/v2/conferences/{}/release_token", joined.alias);
        let request = self.post(&path).header("token", token);
        let request = request
            .header("content-type", "application/json")
            .body("{}");
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    /// The entries of this kind in the EHR's journal.
    pub(crate) fn journal(&self, event: &str) -> Vec<Value> {
        let mut journal = self.ehr.journal();
        journal.retain(|entry| entry["event"] == event);
        journal
    }

    /// What the EHR was told about somebody's connection, in order.
    pub(crate) fn connections(&self, external_id: &str) -> Vec<String> {
        let told = self.journal("connection_status").into_iter();
        told.filter(|entry| entry["external_id"] == external_id)
            .map(|entry| entry["connection_status"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(
                begun.elapsed() < PATIENCE,
                "not in time: {what}; the EHR's journal: {:#?}",
                self.ehr.journal()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the EHR was told this about somebody's connection, and nothing else.
    pub(crate) async fn until_told(&self, external_id: &str, expected: &[&str]) {
        let what = format!("{external_id} {expected:?}");
        self.until(&what, |house| house.connections(external_id) == expected)
            .await;
    }

    /// Long enough for the server to send what is due: for what must not happen. What
    /// must is waited for by itself.
    pub(crate) async fn a_while(&self) {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    }
}

/// The token in an answer of the embedded node.
pub(crate) async fn issued_token(response: Response) -> String {
    let answer: Value = read(response).await;
    let token = answer["result"]["token"].as_str().unwrap();
    vestibule_test_log::secret(Class::Token, token);
    token.to_owned()
}

/// The JSON of an answer.
pub(crate) async fn read(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn run(folder: &Path, clock: Arc<TestClock>) -> Running {
    vestibule_test_log::keep(&[
        "vestibule_server",
        "vestibule_node",
        "vestibule_store",
        "vestibule_smart",
        "vestibule_sandbox",
    ]);
    let config = Config::read(&folder.join("vestibule.toml")).unwrap();
    let server = Server::bind_with_clock(&config, clock).await.unwrap();
    let url = format!("http://{}", server.address());
    let pexip = server.pexip_address().unwrap_or(server.address());
    let admin = server
        .admin_address()
        .map(|address| format!("http://{address}"));
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        server.run(async { drop(ended.await) }).await.unwrap();
    });
    Running {
        url,
        pexip: format!("http://{pexip}"),
        admin,
        end,
        serving,
    }
}

fn location(response: &Response) -> &str {
    response.headers()[LOCATION].to_str().unwrap()
}

fn profile(ehr: &str) -> String {
    let profile = epic::profile(SITE, ehr);
    format!(
        r#"{profile}
epic_provider_app_client_secret = "secret of the providers"
token_response_map = {{ external_id = "epic_user" }}
"#
    )
}

/// The provider's application stands last, and so its secret may follow.
fn sandbox() -> String {
    let sandbox = epic::sandbox(SITE, "");
    format!(
        r#"{sandbox}client_secret = "secret of the providers"
[launch.token_fields]
epic_user = "{{user}}"
"#
    )
}
