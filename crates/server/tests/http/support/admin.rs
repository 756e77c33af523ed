//! The admin API of the server under test.

use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

use super::{KEY, TestServer};

pub(crate) const PATH: &str = "/api/admin/configuration/v1/telehealth_profile/";

/// The administrator is `admin`, the password `correct horse battery`; its hash is made
/// with less work than a real one.
pub(crate) const ADMIN_CONFIG: &str = "[admin]\nlisten = \"127.0.0.1:0\"\nusername = \"admin\"\n\
    password_hash = \"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4\"\n";

const USER: (&str, &str) = ("admin", "correct horse battery");

/// What the admin API answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text))
    }

    /// What is wrong with a field.
    pub(crate) fn fault(&self, field: &str) -> String {
        assert_eq!(self.status, 400, "{}", self.text);
        let json = self.json();
        let problem = json["telehealth_profile"][field][0].as_str();
        let problem = problem.unwrap_or_else(|| panic!("no fault of {field} in {}", self.text));
        problem.to_owned()
    }
}

/// A server with the admin API.
pub(crate) struct Admin {
    pub(crate) server: TestServer,
}

impl Admin {
    pub(crate) async fn start() -> Self {
        let server = TestServer::with("", ADMIN_CONFIG).await;
        Self { server }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.admin_url.as_ref().unwrap())
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let client = &self.server.client;
        let mut request = client
            .request(method, self.url(path))
            .basic_auth(USER.0, Some(USER.1));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        answer(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, body: &Value) -> Answer {
        self.send(Method::POST, PATH, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(&body)).await
    }

    /// Makes a profile; gives its path.
    pub(crate) async fn create(&self, body: &Value) -> String {
        let created = self.post(body).await;
        assert_eq!(created.status, 201, "{}", created.text);
        created.headers["location"].to_str().unwrap().to_owned()
    }

    /// A profile as Pexip Infinity's management API words it, with all that is
    /// mandatory there.
    pub(crate) fn profile(&self, uuid: &str) -> Value {
        let ehr = self.server.ehr.address;
        let site = "https://visit.example.org";
        json!({
            "name": "Second Org",
            "description": "",
            "uuid": uuid,
            "telehealth_call_domain": "telehealth.example.org",
            "telehealth_integration_base_url": format!("http://{ehr}/"),
            "telehealth_integration_oauth2_base_api_url": format!("http://{ehr}/oauth"),
            "infinity_webapp_server_base_url": format!("{site}/"),
            "patient_oauth2_redirect_url":
                format!("{site}/api/telehealth/v1/patient/oauth2authorized/{uuid}"),
            "provider_oauth2_redirect_url":
                format!("{site}/api/telehealth/v1/provider/oauth2authorized/{uuid}/"),
            "epic_patient_app_client_id": "patient-app",
            "epic_provider_app_client_id": "provider-app",
            "epic_provider_app_client_secret": "client-secret-of-the-ehr",
            "epic_encryption_key": KEY,
            "epic_encryption_key_type": "base64key",
            "epic_encryption_algorithm": "AES-256-CBC",
        })
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
