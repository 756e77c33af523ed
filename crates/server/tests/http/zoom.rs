//! Zoom's encrypted links for medical record systems: the second dialect.

use std::path::Path;

use vestibule_launch::crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey};
use vestibule_server::{profile::Profile, random};

use crate::support::{Page, Sandboxed, parameter, parameters};

const ORG: &str = "zoom-api-key";
const SECRET: &str = "abcdaj333j4j4jkl4k444";

fn profile(more: &str) -> String {
    format!(
        r#"
name = "Healthcare Org"
uuid = "8d1f6a9c-3c0e-4d3c-9a53-7c2f7e1b6d11"
telehealth_call_domain = "telehealth.example.org"
infinity_webapp_server_base_url = "https://visit.example.org"
[zoom]
org_id = "{ORG}"
api_secret = "{SECRET}"
{more}
"#
    )
}

fn sandbox(more: &str) -> String {
    format!(
        r#"
[zoom]
url = "https://visit.example.org/telehealth"
org_id = "{ORG}"
api_secret = "{SECRET}"
{more}
"#
    )
}

async fn house(more: &str) -> Sandboxed {
    Sandboxed::start(|_| profile(more), &sandbox("")).await
}

fn encrypt(secret: &str, plaintext: &str) -> String {
    let key = LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, secret).unwrap();
    LaunchCipher::new(key, InitializationVector::Zero).encrypt(plaintext, &mut *random::system())
}

fn url(org_id: &str, data: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("org_id", org_id)
        .append_pair("data", data)
        .finish();
    format!("/telehealth?{query}")
}

#[tokio::test]
async fn both_go_from_the_ehrs_link_into_the_same_visit_under_their_names() {
    let house = house("").await;
    let provider = house.get(&house.link("1", "provider", "zoom").await).await;
    let patient = house.get(&house.link("1", "patient", "zoom").await).await;
    let names = |answer: &Page| -> Vec<String> {
        let parameters = parameters(answer.join_link()).into_iter();
        parameters.map(|(name, _)| name).collect()
    };
    assert_eq!(names(&provider), ["conference", "pin", "name"]);
    assert_eq!(names(&patient), ["conference", "name", "role"]);
    assert_eq!(parameter(provider.join_link(), "name"), "Mira Halvorsen");
    assert_eq!(parameter(patient.join_link(), "name"), "Beverley Spinder");
    assert_eq!(provider.header("cache-control"), "no-store");

    let pin = parameter(provider.join_link(), "pin");
    let mut conferences = Vec::new();
    for (answer, pin, role) in [(&patient, "none", "GUEST"), (&provider, &*pin, "HOST")] {
        let alias = parameter(answer.join_link(), "conference");
        let result = house.request_token(&alias, pin).await;
        assert_eq!(result["role"], role);
        conferences.push(result["conference_name"].as_str().unwrap().to_owned());
    }
    assert_eq!(conferences[0], conferences[1]);
    assert_eq!(
        conferences[0],
        "Healthcare Org:6ea6d1427f684721abd21c1634386f7b6"
    );
}

#[tokio::test]
async fn a_link_may_be_opened_again_and_each_time_is_a_launch_of_its_own() {
    let house = house("").await;
    let link = house.link("1", "patient", "zoom").await;
    let alias = |answer: Page| parameter(answer.join_link(), "conference");
    let (first, second) = (house.get(&link).await, house.get(&link).await);
    assert_ne!(alias(first), alias(second));
    let (path, query) = link.split_once('?').unwrap();
    let slash = format!("{path}/?{query}");
    assert_eq!(house.get(&slash).await.status, 303);
    let form: Vec<_> = parameters(&link);
    assert_eq!(house.post_form("/telehealth", &form).await.status, 303);
}

#[tokio::test]
async fn who_has_no_name_is_called_after_the_organisation_or_asked() {
    let house = house("").await;
    let of = |text: &str| url(ORG, &encrypt(SECRET, text));
    let provider = house
        .get(&of("usertype=1&userid=4777&sessionid=Z1904"))
        .await;
    assert_eq!(parameter(provider.join_link(), "name"), "Healthcare Org");
    let patient = house
        .get(&of("usertype=2&userid=4778&sessionid=Z1904"))
        .await;
    assert_eq!(parameter(patient.join_link(), "name"), "");
    let hostile =
        of("usertype=2&userid=1&sessionid=1&firstname=Ada&lastname=%26pin%3D1%26role%3Dhost");
    let hostile = house.get(&hostile).await;
    assert_eq!(
        parameter(hostile.join_link(), "name"),
        "Ada &pin=1&role=host"
    );
    assert_eq!(parameter(hostile.join_link(), "role"), "guest");
}

#[tokio::test]
async fn whatever_is_wrong_with_the_encrypted_text_looks_the_same() {
    let house = house("").await;
    let good = encrypt(SECRET, "usertype=2&userid=1&sessionid=1");
    let mut pages = Vec::new();
    for data in [
        "",
        "x",
        "not base64!",
        &good[4..],
        &encrypt("another secret", "usertype=2&userid=1&sessionid=1"),
        &encrypt(SECRET, "usertype=3&userid=1&sessionid=1"),
        &encrypt(SECRET, "userid=1&sessionid=1&usertype=1"),
        &encrypt(SECRET, "usertype=2&userid=1&sessionid=1&usertype=1"),
        &encrypt(SECRET, "usertype=1&userid=1"),
    ] {
        let page = house.get(&url(ORG, data)).await;
        assert_eq!(page.status, 400, "{data}");
        assert!(page.body.contains("launch_params_invalid"));
        pages.push(without_request_id(&page.body));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
}

/// Request ids are random; everything else of two pages can be compared.
fn without_request_id(page: &str) -> String {
    let is_id = |word: &&str| word.parse::<vestibule_launch::RequestId>().is_ok();
    let mut page = page.to_owned();
    let words: Vec<String> = page
        .split(|character: char| !character.is_ascii_hexdigit() && character != '-')
        .filter(is_id)
        .map(str::to_owned)
        .collect();
    assert!(!words.is_empty(), "the page has its request id");
    for word in words {
        page = page.replace(&word, "");
    }
    page
}

#[tokio::test]
async fn an_unknown_organisation_and_a_url_without_one_are_told_apart_from_bad_data() {
    let house = house("").await;
    let data = encrypt(SECRET, "usertype=2&userid=1&sessionid=1");
    assert_eq!(house.get(&url("nobody", &data)).await.status, 404);
    assert_eq!(house.get("/telehealth").await.status, 404);
    let twice = format!("{}&org_id=other", url(ORG, &data));
    let twice = house.get(&twice).await;
    assert_eq!(twice.status, 400);
    assert!(twice.body.contains("launch_request_invalid"));
    let head = house.send(house.request("HEAD", &url(ORG, &data))).await;
    assert_eq!(head.status, 405);
}

#[tokio::test]
async fn patients_with_a_key_of_their_own_cannot_become_providers() {
    let more = "patient_org_id = \"patients\"\npatient_api_secret = \"secret of the patients\"\n";
    let house = house(more).await;
    let status = async |org_id: &str, secret: &str, user_type: u8| {
        let text = format!("usertype={user_type}&userid=1&sessionid=1");
        let answer = house.get(&url(org_id, &encrypt(secret, &text))).await;
        answer.status
    };
    assert_eq!(status("patients", "secret of the patients", 2).await, 303);
    assert_eq!(status("patients", "secret of the patients", 1).await, 400);
    assert_eq!(status(ORG, "secret of the patients", 1).await, 400);
    assert_eq!(status(ORG, SECRET, 1).await, 303);
}

#[tokio::test]
async fn the_ehr_is_notified_of_who_joins() {
    let notification = "[zoom.notification]\nurl = \"{ehr}/zoom/notifications\"\n\
         vendor_name = \"Zoom\"\nusername = \"johnlamar@theorville.com\"\n\
         password = \"runfromthekaylons\"\n";
    let credentials = "notification_username = \"johnlamar@theorville.com\"\n\
         notification_password = \"runfromthekaylons\"\n";
    let house = Sandboxed::start(
        |ehr| profile(&notification.replace("{ehr}", ehr)),
        &sandbox(credentials),
    )
    .await;
    let provider = house.get(&house.link("1", "provider", "zoom").await).await;
    let alias = parameter(provider.join_link(), "conference");
    let pin = parameter(provider.join_link(), "pin");
    house.request_token(&alias, &pin).await;
    let told = house.journal("zoom_notification", 1).await;
    assert_eq!(told[0]["external_id"], "MHALVORSEN");
    assert_eq!(told[0]["external_id_type"], "1");
    assert_eq!(told[0]["vendor_name"], "Zoom");
    assert_eq!(
        told[0]["conference_id"],
        "6ea6d1427f684721abd21c1634386f7b6"
    );
    assert_eq!(told[0]["connection_status"], "1");
}

#[test]
fn a_profile_is_epics_or_zooms_and_not_both() {
    let fault = |text: &str| {
        let error = Profile::parse(Path::new("zoom.toml"), text).unwrap_err();
        error.to_string()
    };
    let both = fault(&format!("epic_encryption_key = \"x\"\n{}", profile("")));
    assert!(both.contains("epic_encryption_key: is Epic's"), "{both}");
    for (more, field) in [
        ("patient_org_id = \"zoom-api-key\"", "zoom.patient_org_id"),
        ("patient_api_secret = \"x\"", "zoom.patient_org_id"),
        (
            "notification = { url = \"http://ehr.example.org\" }",
            "zoom.notification.url",
        ),
    ] {
        let error = fault(&profile(more));
        assert!(error.contains(field), "{more}: {error}");
    }
}
