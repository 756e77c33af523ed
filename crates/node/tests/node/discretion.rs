//! What the log says of a visit, and what it does not.

use std::{
    cell::RefCell,
    io::{self, Write},
};

use serde_json::json;

use crate::house::{HOST_PIN, House, VISIT, WRONG_PIN};

thread_local! {
    /// A test and its server run on one thread, so this is the log of one test.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct LogOfThisThread;

impl Write for LogOfThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_tells_outcomes_but_no_pin_name_alias_or_token() {
    // For the whole process: one for this thread alone would miss what another test
    // has said first, because tracing remembers per place whether anybody listens.
    tracing_subscriber::fmt()
        .with_env_filter("vestibule_node=trace")
        .with_ansi(false)
        .with_writer(|| LogOfThisThread)
        .init();

    let house = House::open().await;
    let name = "Beverley Spinder";
    house.request_token(VISIT, Some(WRONG_PIN), name).await;
    let body = json!({ "display_name": name, "call_tag": "secret-call-tag" }).to_string();
    let guest = house
        .request_token_with(VISIT, Some("none"), body, "application/json")
        .await;
    let host = house.request_token(VISIT, Some(HOST_PIN), "Dr Alban").await;
    let refreshed = house.post(VISIT, "refresh_token", &host.token()).await;
    house.post(VISIT, "release_token", &refreshed.token()).await;
    house.events(VISIT, &guest.token()).await.take(4).await;
    house.pass(500);
    house.policy.fail();
    house.request_token(VISIT, Some(HOST_PIN), name).await;

    let log = String::from_utf8(LOG.take()).unwrap();
    for said in [
        "tag-visit",
        "participant_connected",
        "participant_disconnected",
        "Invalid PIN",
        "policy is not available",
        &guest.text("participant_uuid"),
        &host.text("participant_uuid"),
    ] {
        assert!(log.contains(said), "{said} is missing in\n{log}");
    }
    for secret in [
        HOST_PIN,
        WRONG_PIN,
        "Beverley",
        "Alban",
        VISIT,
        "secret-call-tag",
        &guest.token(),
        &host.token(),
        &refreshed.token(),
    ] {
        assert!(!log.contains(secret), "{secret} stands in\n{log}");
    }
}

#[tokio::test]
async fn debug_of_an_event_shows_no_name_and_no_alias() {
    let house = House::open().await;
    house.request_token(VISIT, Some(HOST_PIN), "Dr Alban").await;
    let shown = format!("{:?}", house.reports());
    assert!(shown.contains("tag-visit"));
    for secret in ["Alban", "Beverley", VISIT, HOST_PIN] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
