//! What the EHR is told of a device check.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};
use vestibule_test_log::Class;

use crate::house::{ENCOUNTER, House, Joined, PATIENT, Setup, TELLING, WHOLE, read};

/// With a classic link there would be no bearer token.
pub(crate) const LINK: &str = "patient_web_join_link_template = \"{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}\"\n";

pub(crate) const TABLE: &str = r#"
[device_test]
url = "{ehr}/interconnect/api/telehealth/device-test"
fields = { csn = "unique_encounter_id", user = "external_id", who = "role", camera = "camera", microphone = "microphone", speaker = "speaker", connection = "connection", result = "overall", at = "tested_at" }
results = { passed = "OK" }
constants = { vendor = "Video" }
"#;

const BROWSER: &str = "00112233445566778899aabbccddeeff";

/// Longer than the pause before the second attempt.
const PAUSE: Duration = Duration::from_secs(20);

/// A device check with this result of the camera.
pub(crate) fn tested(camera: &str, utc_time: Option<&str>) -> Value {
    let mut body = json!({
        "event": "device_test",
        "device_test": {
            "camera": camera, "microphone": "denied", "speaker": "skipped", "connection": "passed",
        },
    });
    if let Some(time) = utc_time {
        body["utc_time"] = json!(time);
    }
    body
}

/// A patient's launch whose ticket was redeemed.
pub(crate) struct Page {
    pub(crate) joined: Joined,
    events: String,
    pub(crate) bearer: String,
}

impl House {
    pub(crate) async fn page(&self) -> Page {
        let mut joined = self.patient().await;
        let (_, ticket) = joined.link.rsplit_once("ticket=").unwrap();
        let body = json!({"ticket": ticket, "browser": BROWSER}).to_string();
        let response = self
            .post("/api/telehealth/v1/launch/redeem")
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        let answer: Value = read(response).await;
        let id = answer["telehealth_request_id"].as_str().unwrap();
        let bearer = answer["token"].as_str().unwrap();
        for token in [ticket, bearer] {
            vestibule_test_log::secret(Class::Token, token);
        }
        joined.alias = answer["conference"].as_str().unwrap().to_owned();
        Page {
            events: format!("/api/telehealth/v1/launch/{id}/events"),
            bearer: bearer.to_owned(),
            joined,
        }
    }

    pub(crate) async fn report(&self, page: &Page, body: &Value) {
        let request = self.post(&page.events).bearer_auth(&page.bearer);
        let request = request.header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(response.status(), 204);
    }

    /// The results of the camera that the EHR was told, in order.
    fn cameras(&self) -> Vec<String> {
        let told = self.journal("device_tested").into_iter();
        told.map(|entry| entry["fields"]["camera"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn until_cameras(&self, expected: &[&str]) {
        let what = format!("{expected:?}");
        self.until(&what, |house| house.cameras() == expected).await;
    }
}

async fn house(tables: &str) -> House {
    House::open(Setup {
        profile: &format!("{LINK}{tables}"),
        config: "",
        ..WHOLE
    })
    .await
}

#[tokio::test]
async fn the_result_reaches_the_ehr_in_its_own_words_with_the_launchs_token() {
    let house = house(TABLE).await;
    let page = house.page().await;
    house.report(&page, &tested("passed", None)).await;
    house.until_cameras(&["OK"]).await;
    let told = house.journal("device_tested").remove(0);
    let at = told["fields"]["at"].as_str().unwrap();
    assert_eq!(
        told["fields"],
        json!({
            "csn": ENCOUNTER, "user": PATIENT, "who": "patient", "camera": "OK",
            "microphone": "denied", "speaker": "skipped", "connection": "OK",
            "result": "failed", "at": at, "vendor": "Video",
        })
    );
    assert!(told["idempotency_key"].is_string());
    assert!(house.journal("device_test_refused").is_empty());
    assert_eq!(house.ehr.requests(Endpoint::Status), 0, "nobody has joined");
}

#[tokio::test]
async fn the_same_report_again_is_told_once_and_another_one_after_it() {
    let house = house(TABLE).await;
    let page = house.page().await;
    let first = tested("failed", Some("2027-01-15T08:00:00Z"));
    for _ in 0..3 {
        house.report(&page, &first).await;
    }
    house.report(&page, &tested("passed", None)).await;
    house.report(&page, &tested("failed", None)).await;
    house.until_cameras(&["failed", "OK", "failed"]).await;
    house.a_while().await;
    assert_eq!(house.ehr.requests(Endpoint::DeviceTest), 3);
}

#[tokio::test]
async fn an_ehr_that_takes_no_device_test_hears_who_is_connected_and_the_test_later() {
    let house = house(&format!("{TELLING}{TABLE}")).await;
    let down = FaultAnswer::status(StatusCode::SERVICE_UNAVAILABLE);
    house.ehr.fault(Endpoint::DeviceTest, Fault::once(down));
    house
        .ehr
        .fault(Endpoint::DeviceTest, Fault::once(FaultAnswer::LoseAnswer));
    let page = house.page().await;
    house.report(&page, &tested("passed", None)).await;
    house
        .until("an attempt", |house| {
            house.ehr.requests(Endpoint::DeviceTest) == 1
        })
        .await;
    house.until_put_off(&page.joined, 1).await;
    house.come(&page.joined).await;
    house.until_told(PATIENT, &["1"]).await;
    assert!(house.cameras().is_empty(), "it waits for its own turn");
    house.clock.advance(PAUSE);
    house.until_cameras(&["OK"]).await;
    house.until_put_off(&page.joined, 2).await;
    house.clock.advance(PAUSE);
    house.until_cameras(&["OK", "OK"]).await;
    let told = house.journal("device_tested");
    assert_eq!(told[0]["idempotency_key"], told[1]["idempotency_key"]);
}

#[tokio::test]
async fn a_profile_without_the_table_tells_of_no_device_test() {
    let house = house(TELLING).await;
    let page = house.page().await;
    house.report(&page, &tested("passed", None)).await;
    house.a_while().await;
    assert_eq!(house.ehr.requests(Endpoint::DeviceTest), 0);
}
