//! A running EHR, and the application that talks to it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use rand::{rand_core::UnwrapErr, rngs::SysRng};
use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, LOCATION},
    redirect,
};
use serde_json::Value;
use tokio::task::JoinHandle;
use url::{Url, form_urlencoded};
use vestibule_launch::{Clock, UnixTime};
use vestibule_sandbox::{Config, Controls, Sandbox, SystemClock};

pub(crate) const KEY: &str = "fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0=";
pub(crate) const STATE: &str = "Zm9ydHktdHdvLWJpdHMtb2Y";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const STATUS_PATH: &str =
    "/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus";

pub(crate) const CONFIG: &str = r#"
listen = "127.0.0.1:0"
[launch]
provider_url = "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2smartlaunch/12daaebc"
patient_url = "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2smartlaunch/12daaebc?site=a"
epic_encryption_key = "fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0="
epic_encryption_key_type = "base64key"
epic_encryption_algorithm = "AES-256-CBC"
[[clients]]
role = "provider"
client_id = "d45049c3-3441-40ef-ab4d-b9cd86a17225"
client_secret = "this-is-the-secret-2/7"
redirect_uri = "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2authorized/12daaebc"
[[clients]]
role = "patient"
client_id = "patient-app"
redirect_uri = "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2authorized/12daaebc"
"#;

/// An application as [`CONFIG`] registers it.
pub(crate) struct App {
    pub(crate) launch_path: &'static str,
    pub(crate) client_id: &'static str,
    pub(crate) redirect_uri: &'static str,
    /// Epic's own example of an encoded id and secret.
    pub(crate) basic: Option<&'static str>,
}

pub(crate) const PROVIDER: App = App {
    launch_path: "/clinician/launch",
    client_id: "d45049c3-3441-40ef-ab4d-b9cd86a17225",
    redirect_uri: "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2authorized/12daaebc",
    basic: Some(
        "Basic ZDQ1MDQ5YzMtMzQ0MS00MGVmLWFiNGQtYjljZDg2YTE3MjI1OnRoaXMtaXMtdGhlLXNlY3JldC0yJTJGNw==",
    ),
};

pub(crate) const PATIENT: App = App {
    launch_path: "/patient/launch",
    client_id: "patient-app",
    redirect_uri: "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2authorized/12daaebc",
    basic: None,
};

/// A clock that stands still until it is moved.
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A running EHR; it ends with the test.
pub(crate) struct Ehr {
    pub(crate) address: String,
    clock: Arc<TestClock>,
    http: reqwest::Client,
    running: Option<(Controls, JoinHandle<()>)>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

/// Parameters of a query or a form, which a test can spoil.
#[derive(Clone)]
pub(crate) struct Form(Vec<(String, String)>);

impl Ehr {
    pub(crate) async fn start() -> Self {
        Self::start_with(CONFIG).await
    }

    pub(crate) async fn start_with(config: &str) -> Self {
        vestibule_test_log::keep(&["vestibule_sandbox"]);
        let clock = Arc::new(TestClock(AtomicI64::new(1_700_000_000_000)));
        let config = Config::parse(config).unwrap_or_else(|error| panic!("{error}"));
        let sandbox = Sandbox::bind(config, clock.clone(), Box::new(UnwrapErr(SysRng)))
            .await
            .unwrap();
        let address = sandbox.address().to_owned();
        let controls = sandbox.controls();
        let task = tokio::spawn(async move {
            sandbox.serve(std::future::pending()).await.unwrap();
        });
        Self {
            address,
            clock,
            http: http_client(),
            running: Some((controls, task)),
        }
    }

    /// An EHR that runs by itself, on the clock of the machine.
    pub(crate) fn at(address: String) -> Self {
        Self {
            address,
            clock: Arc::new(TestClock(AtomicI64::new(0))),
            http: http_client(),
            running: None,
        }
    }

    pub(crate) fn controls(&self) -> &Controls {
        let (controls, _) = self.running.as_ref().expect("it runs in this process");
        controls
    }

    pub(crate) fn iss(&self) -> String {
        format!("{}/api/FHIR/R4", self.address)
    }

    /// What the EHR's clock shows, in seconds since 1970.
    pub(crate) fn now_seconds(&self) -> i64 {
        let now = match &self.running {
            Some(_) => self.clock.now(),
            None => SystemClock.now(),
        };
        now.as_millis().div_euclid(1000)
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// An answer that perhaps does not come, or not whole.
    pub(crate) async fn try_get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}{path}", self.address);
        self.http.get(url).send().await
    }

    pub(crate) async fn post(&self, path: &str, form: &Form) -> Answer {
        self.send(Method::POST, path, &[], Some(form.encoded()))
            .await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.address));
        if let Some(body) = body {
            request = request.body(body);
            if headers.iter().all(|(name, _)| *name != "content-type") {
                request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            }
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.text().await.unwrap(),
        }
    }

    /// Presses the launch button and gives the parameters of the launch URL.
    pub(crate) async fn launch(&self, app: &App, appointment: &str) -> HashMap<String, String> {
        let answer = self
            .post(app.launch_path, &form(&[("appointment", appointment)]))
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        answer.redirect().1
    }

    /// A good request at the authorize endpoint, for a new launch.
    pub(crate) async fn authorize_form(&self, app: &App) -> Form {
        let launch = self.launch(app, "1").await;
        form(&[
            ("response_type", "code"),
            ("client_id", app.client_id),
            ("redirect_uri", app.redirect_uri),
            ("scope", "launch openid fhirUser"),
            ("launch", &launch["launch"]),
            ("aud", &self.iss()),
            ("state", STATE),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
    }

    pub(crate) async fn authorize(&self, form: &Form) -> Answer {
        self.get(&format!("/oauth2/authorize?{}", form.encoded()))
            .await
    }

    /// A good request at the token endpoint, for a new code.
    pub(crate) async fn token_form(&self, app: &App) -> Form {
        let answer = self.authorize(&self.authorize_form(app).await).await;
        let (_, parameters) = answer.redirect();
        let form = form(&[
            ("grant_type", "authorization_code"),
            ("code", &parameters["code"]),
            ("redirect_uri", app.redirect_uri),
            ("code_verifier", VERIFIER),
        ]);
        match app.basic {
            Some(_) => form,
            None => form.with("client_id", app.client_id),
        }
    }

    pub(crate) async fn token(&self, app: &App, form: &Form) -> Answer {
        self.token_as(app.basic, form).await
    }

    pub(crate) async fn token_as(&self, authorization: Option<&str>, form: &Form) -> Answer {
        let headers: Vec<_> = authorization
            .map(|value| ("authorization", value))
            .into_iter()
            .collect();
        self.send(
            Method::POST,
            "/oauth2/token",
            &headers,
            Some(form.encoded()),
        )
        .await
    }

    /// The journal as the EHR publishes it.
    pub(crate) async fn journal(&self) -> Vec<Value> {
        let answer = self.get("/status.json").await;
        assert_eq!(answer.status, StatusCode::OK);
        serde_json::from_str(&answer.body).unwrap()
    }

    pub(crate) async fn last_event(&self) -> Value {
        self.journal().await.pop().expect("the journal is empty")
    }
}

impl Drop for Ehr {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.running {
            task.abort();
        }
    }
}

impl Answer {
    /// Where the browser is sent, without and with its parameters.
    pub(crate) fn redirect(&self) -> (String, HashMap<String, String>) {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        let url = Url::parse(self.headers[LOCATION].to_str().unwrap()).unwrap();
        let mut without = url.clone();
        without.set_query(None);
        (without.into(), url.query_pairs().into_owned().collect())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

fn http_client() -> reqwest::Client {
    #[expect(
        clippy::disallowed_methods,
        reason = "a client for tests, with what server/src/http_client.rs asks for"
    )]
    reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> Form {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Form(pairs.iter().map(own).collect())
}

impl Form {
    /// With this value of `name` in place of what it had.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).with_another(name, value)
    }

    /// With this value of `name` beside what it had.
    pub(crate) fn with_another(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(given, _)| given != name);
        self
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        let (_, value) = self.0.iter().find(|(given, _)| given == name).unwrap();
        value
    }

    pub(crate) fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}
