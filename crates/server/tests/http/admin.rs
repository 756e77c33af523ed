//! Telehealth profiles over the admin API.

use reqwest::Method;
use serde_json::{Value, json};
use vestibule_store::Visits as _;

use crate::support::{Admin, KEY, Launch, PATH, UUID, location, parameter};

const SECOND: &str = "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a";

/// The key check value of [`KEY`]: PBKDF2 as its documentation says, by Python's hashlib.
const KEY_CHECK_VALUE: &str = "CCB9-6A1A";

#[tokio::test]
async fn a_profile_is_made_read_replaced_changed_and_removed() {
    let admin = Admin::start().await;
    let created = admin.post(&admin.profile(SECOND)).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let path = created.headers["location"].to_str().unwrap();
    let made = created.json();
    assert_eq!(made["resource_uri"], path);
    assert_eq!(path, format!("{PATH}{}/", made["id"]));
    assert_eq!(made["uuid"], SECOND);
    assert_eq!(made["epic_encryption_key_check_value"], KEY_CHECK_VALUE);
    assert_eq!(made["kept_in"], "database");

    let read = admin.get(path).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.headers["cache-control"], "no-store");
    assert_eq!(read.json()["name"], "Second Org");

    // What was read can be written back as it is, and changes nothing.
    let put = admin.send(Method::PUT, path, Some(&read.json())).await;
    assert_eq!(put.status, 200, "{}", put.text);
    assert_eq!(put.json(), read.json());

    let patched = admin.patch(path, json!({"name": "Third Org"})).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    assert_eq!(patched.json()["name"], "Third Org");
    assert_eq!(
        patched.json()["epic_encryption_key_check_value"],
        KEY_CHECK_VALUE
    );

    assert_eq!(admin.send(Method::DELETE, path, None).await.status, 204);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(admin.send(method, path, None).await.status, 404);
    }
    assert_eq!(admin.patch(path, json!({})).await.status, 404);
    let again = admin.create(&admin.profile(SECOND)).await;
    assert_eq!(again, path, "a number belongs to a uuid for ever");
}

#[tokio::test]
async fn a_profile_takes_launches_as_soon_as_it_is_made_and_none_once_it_is_removed() {
    let admin = Admin::start().await;
    let server = &admin.server;
    let launch = |uuid: &str| {
        let parameters = server.parameters(Launch::PATIENT);
        format!("/api/telehealth/v1/patient/oauth2smartlaunch/{uuid}?{parameters}")
    };
    assert_eq!(server.get(&launch(SECOND)).await.status(), 404);
    let path = admin.create(&admin.profile(SECOND)).await;
    let begun = server.get(&launch(SECOND)).await;
    assert_eq!(begun.status(), 303);
    let state = parameter(location(&begun), "state");
    let returns =
        format!("/api/telehealth/v1/patient/oauth2authorized/{SECOND}?code=c&state={state}");
    let joined = server.get(&returns).await;
    assert_eq!(joined.status(), 303);
    // The base URL ends in a slash, and the template begins with one.
    let link = location(&joined);
    assert!(
        link.starts_with("https://visit.example.org/webapp/#/?conference="),
        "{link}"
    );
    assert_eq!(admin.send(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(server.get(&launch(SECOND)).await.status(), 404);
}

#[tokio::test]
async fn the_list_has_pages_and_filters() {
    let admin = Admin::start().await;
    for number in 0..4 {
        let uuid = format!("00000000-0000-4000-8000-00000000000{number}");
        let mut profile = admin.profile(&uuid);
        profile["name"] = format!("Org {number}").into();
        admin.create(&profile).await;
    }
    let all = admin.get(PATH).await.json();
    let meta = json!({"limit": 20, "next": null, "offset": 0, "previous": null, "total_count": 5});
    assert_eq!(all["meta"], meta);
    let names = |list: &Value| -> Vec<String> {
        let objects = list["objects"].as_array().unwrap().iter();
        objects
            .map(|profile| profile["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&all),
        ["Healthcare Org", "Org 0", "Org 1", "Org 2", "Org 3"]
    );

    let mut path = format!("{PATH}?limit=2");
    let mut seen = Vec::new();
    let last = loop {
        let page = admin.get(&path).await.json();
        seen.extend(names(&page));
        match page["meta"]["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break page,
        }
    };
    assert_eq!(seen, names(&all));
    assert_eq!(last["meta"]["offset"], 4);
    let previous = last["meta"]["previous"].as_str().unwrap();
    assert_eq!(names(&admin.get(previous).await.json()), ["Org 1", "Org 2"]);

    let named = admin.get(&format!("{PATH}?name=Org+2")).await.json();
    assert_eq!(names(&named), ["Org 2"]);
    let by_uuid = admin.get(&format!("{PATH}?uuid={UUID}")).await.json();
    assert_eq!(names(&by_uuid), ["Healthcare Org"]);
    assert_eq!(by_uuid["meta"]["total_count"], 1);
    assert_eq!(
        names(&admin.get(&format!("{PATH}?limit=0")).await.json()).len(),
        5
    );
    assert_eq!(
        names(&admin.get(&format!("{PATH}?offset=9")).await.json()).len(),
        0
    );
    for unknown in ["limit=x", "nmae=Org+2", "name__startswith=Org", "id=1"] {
        let refused = admin.get(&format!("{PATH}?{unknown}")).await;
        assert_eq!(refused.status, 400, "{unknown}");
        let body = refused.json();
        let error = body["error"].as_str().unwrap();
        assert!(error.contains("limit, offset, name and uuid"), "{error}");
    }
}

#[tokio::test]
async fn a_profile_that_stands_in_a_file_is_shown_and_changed_there_only() {
    let admin = Admin::start().await;
    let list = admin.get(&format!("{PATH}?uuid={UUID}")).await.json();
    let path = list["objects"][0]["resource_uri"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = admin.get(&path).await;
    assert_eq!(
        shown.json()["epic_encryption_key_check_value"],
        KEY_CHECK_VALUE
    );
    assert!(!shown.text.contains(KEY));
    let body = admin.profile(UUID);
    for answer in [
        admin.patch(&path, json!({"name": "Other"})).await,
        admin.send(Method::PUT, &path, Some(&body)).await,
        admin
            .send(Method::DELETE, &format!("{path}?force=true"), None)
            .await,
        admin.post(&body).await,
    ] {
        assert_eq!(answer.status, 409, "{}", answer.text);
        assert!(
            answer.text.contains("healthcare-org.toml"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_profile_is_not_removed_while_a_visit_runs_unless_one_insists() {
    let admin = Admin::start().await;
    let server = &admin.server;
    let path = admin.create(&admin.profile(SECOND)).await;
    let parameters = server.parameters(Launch::PROVIDER);
    let begun = server
        .get(&format!(
            "/api/telehealth/v1/provider/oauth2smartlaunch/{SECOND}?{parameters}"
        ))
        .await;
    let state = parameter(location(&begun), "state");
    let joined = server
        .get(&format!(
            "/api/telehealth/v1/provider/oauth2authorized/{SECOND}?code=c&state={state}"
        ))
        .await;
    let link = location(&joined).to_owned();
    let (alias, pin) = (parameter(&link, "conference"), parameter(&link, "pin"));
    assert_eq!(server.request_token(&alias, &pin).await.status(), 200);
    // The node tells of it a moment later.
    let database = server.folder.path().join("data/vestibule.db");
    let store = vestibule_store::SqliteStore::open(&database).await.unwrap();
    while store.running_visits(SECOND.parse().unwrap()).await.unwrap() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let unclear = format!("{path}?force=perhaps");
    assert_eq!(admin.send(Method::DELETE, &unclear, None).await.status, 400);
    let refused = admin.send(Method::DELETE, &path, None).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains("1 visits"), "{}", refused.text);
    assert_eq!(admin.get(&path).await.status, 200);
    let forced = admin
        .send(Method::DELETE, &format!("{path}?force=true"), None)
        .await;
    assert_eq!(forced.status, 204);
}
