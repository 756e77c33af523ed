//! What launches are told of visits in plain HTML.

use vestibule_launch::RequestId;
use vestibule_store::Reported;

use super::{TICKETS, browser::Plain, known_launch};
use crate::support::{Launch, TestServer, parameter};

/// What a launch was told.
pub(super) async fn told(server: &TestServer, id: RequestId) -> Vec<Reported> {
    let records = server.tools().await.store.events_of(id).await.unwrap();
    records.iter().map(|record| record.event).collect()
}

#[tokio::test]
async fn a_launch_is_told_what_becomes_of_its_visit() {
    let server = TestServer::with_profile(TICKETS).await;
    let (patient, link) = known_launch(&server, Launch::PATIENT).await;
    let guest = Plain::new(&server);
    guest.begin(&[("link", &link)]).await;
    guest.status("waiting").await;
    let (provider, link) = known_launch(&server, Launch::PROVIDER).await;
    let host = Plain::new(&server);
    host.begin(&[("link", &link)]).await;
    guest.status("waiting").await;
    guest.look().await;
    guest.step(&[("step", "leave")]).await;
    let expected = [
        Reported::Connecting,
        Reported::Waiting,
        Reported::Joined,
        Reported::Left,
    ];
    assert_eq!(told(&server, patient).await, expected);
    let expected = [Reported::Connecting, Reported::Joined];
    assert_eq!(told(&server, provider).await, expected);
}

/// Who goes into the visit of an alias and out again, as anybody can who knows it.
async fn come_and_go(server: &TestServer, alias: &str, times: usize) {
    for _ in 0..times {
        let anybody = Plain::new(server);
        let form = [("conference", alias), ("name", "Eve"), ("role", "host")];
        assert_eq!(anybody.begin(&form).await.title(), "How are you joining?");
        anybody.step(&[("step", "guest")]).await;
        anybody.look().await;
        anybody.step(&[("step", "leave")]).await;
    }
}

#[tokio::test]
async fn who_knows_an_alias_alone_tells_its_launch_nothing() {
    let server = TestServer::with_profile(TICKETS).await;
    let (id, link) = known_launch(&server, Launch::PROVIDER).await;
    let browser = "00112233445566778899aabbccddeeff";
    let body = serde_json::json!({"ticket": parameter(&link, "ticket"), "browser": browser});
    let redeemed = server
        .post_json("/api/telehealth/v1/launch/redeem", &body)
        .await;
    let redeemed: serde_json::Value =
        serde_json::from_str(&redeemed.text().await.unwrap()).unwrap();
    come_and_go(&server, redeemed["conference"].as_str().unwrap(), 3).await;
    assert_eq!(told(&server, id).await, []);
    // The launch's own browser does.
    let tab = serde_json::json!({
        "id": redeemed["telehealth_request_id"], "bearer": redeemed["token"],
    });
    let form = [("tab", &*tab.to_string()), ("browser", browser)];
    let own = Plain::new(&server);
    assert_eq!(own.begin(&form).await.title(), "You have joined as host");
    let expected = [Reported::Connecting, Reported::Joined];
    assert_eq!(told(&server, id).await, expected);
}

#[tokio::test]
async fn a_classic_link_leads_to_the_profile_s_page_and_tells_nothing() {
    let server = TestServer::start().await;
    let (id, link) = known_launch(&server, Launch::PROVIDER).await;
    let host = Plain::new(&server);
    let joined = host.begin(&[("link", &link)]).await;
    assert_eq!(joined.title(), "You have joined as host");
    let elsewhere = "<a href=\"https://visit.example.org/webapp/#/?conference=";
    assert!(joined.text.contains(elsewhere), "{}", joined.text);
    host.step(&[("step", "leave")]).await;
    assert_eq!(told(&server, id).await, []);
}

#[tokio::test]
async fn a_failure_of_a_classic_link_is_known_of_its_launch_and_stands_in_no_story() {
    let pexip = "[landing_page]\nnode = \"http://127.0.0.1:9\"\n";
    let server = TestServer::with("", pexip).await;
    let (id, link) = known_launch(&server, Launch::PROVIDER).await;
    let away = Plain::new(&server).begin(&[("link", &link)]).await;
    assert!(away.text.contains(&id.to_string()), "{}", away.text);
    assert_eq!(told(&server, id).await, []);
    let path = format!("/api/telehealth/v1/launch/{id}/error");
    assert_eq!(server.get(&path).await.status(), 200);
}
