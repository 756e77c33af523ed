//! What is over is kept as long as the configuration says, and no longer.

use std::time::Duration;

use vestibule_launch::Clock;
use vestibule_server::{conferencing::RoutingRules, launch::alias_hash};
use vestibule_store::{AliasHash, AuditAction, AuditFilter, NewAuditEntry, Page, Store};

use crate::{
    support::{ADMIN_CONFIG, Browser, Launch, TestServer, launch_path, parameter},
    two_servers::Second,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A whole launch; what its alias is found by.
async fn launch(server: &TestServer) -> AliasHash {
    let parameters = server.parameters(Launch::PATIENT);
    let path = format!("{}?{parameters}", launch_path("patient"));
    let join_link = Browser::new(server).launch(&path).await;
    let alias = parameter(&join_link, "conference");
    alias_hash(&RoutingRules::default().base_alias(&alias).unwrap())
}

#[tokio::test]
async fn launches_are_forgotten_after_the_days_that_the_configuration_says() {
    let server = TestServer::with("", "[retention]\ndays = 2\n").await;
    let store = server.tools().await.store;
    let first = launch(&server).await;
    server.clock.advance(DAY);
    let second = launch(&server).await;
    assert!(store.find_launch_by_alias(first).await.unwrap().is_some());
    server.clock.advance(DAY + Duration::from_secs(60));
    // Servers look as they start, and every few minutes.
    let _beside = Second::beside(&server).await;
    let forgotten = async {
        while store.find_launch_by_alias(first).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), forgotten).await;
    assert!(in_time.is_ok(), "a launch of two days ago is there");
    assert!(store.find_launch_by_alias(second).await.unwrap().is_some());
}

async fn record(store: &dyn Store, server: &TestServer, source: &str) {
    let entry = NewAuditEntry {
        administrator: None,
        identity: None,
        role: None,
        source: source.into(),
        action: AuditAction::ProfileChanged,
        subject: None,
        details: String::new(),
    };
    let recorded = store.record_audit(entry, Clock::now(&*server.clock));
    recorded.await.unwrap();
}

/// Where the entries are from.
async fn sources(store: &dyn Store) -> Vec<String> {
    let page = Page {
        after: None,
        limit: 10,
    };
    let filter = AuditFilter::default();
    let entries = store.list_audit(&filter, page).await.unwrap();
    let sources = entries.into_iter().map(|entry| entry.entry.source);
    sources.collect()
}

#[tokio::test]
async fn the_audit_log_is_forgotten_after_its_days() {
    let server = TestServer::with("", &format!("{ADMIN_CONFIG}audit_days = 30\n")).await;
    let store = server.tools().await.store;
    record(&*store, &server, "first").await;
    server.clock.advance(DAY);
    record(&*store, &server, "second").await;
    server.clock.advance(DAY * 29 + Duration::from_secs(60));
    // Servers look as they start, and every hour.
    let _beside = Second::beside(&server).await;
    let forgotten = async {
        while sources(&*store).await.contains(&"first".to_owned()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), forgotten).await;
    assert!(in_time.is_ok(), "an entry of 30 days ago is there");
    assert_eq!(sources(&*store).await, ["second"]);
}
