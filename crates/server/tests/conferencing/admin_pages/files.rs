//! What can be downloaded: every row, and every table.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use vestibule_launch::UnixTime;
use vestibule_store::{AuditAction, NewAuditEntry};

use super::{SETUP, TABLES, between, newest_launch, plain};
use crate::house::House;

#[tokio::test]
async fn pages_go_on_behind_the_last_row_and_files_have_every_row() {
    let house = House::open(SETUP).await;
    let store = house.store().await;
    let now = UnixTime::from_millis(1_800_000_000_000);
    for number in 0..1_205 {
        let entry = NewAuditEntry {
            administrator: Some(format!("=user{number}")),
            identity: None,
            role: None,
            source: "192.0.2.1".to_owned(),
            action: AuditAction::SignedIn,
            subject: None,
            details: String::new(),
        };
        store.record_audit(entry, now).await.unwrap();
    }
    let signed = house.sign_in("cora").await;
    let mut next = Some("/admin/audit".to_owned());
    let mut seen = Vec::new();
    while let Some(path) = next {
        let page = signed.text(&path).await;
        let rows = between(&page, "<bdi>=user", "</bdi>");
        seen.extend(rows.into_iter().map(ToOwned::to_owned));
        let before = page.split_once("\" rel=\"next\"").map(|(before, _)| before);
        next = before
            .and_then(|before| before.rsplit('"').next())
            .map(ToOwned::to_owned);
    }
    assert_eq!(seen.len(), 1_205);
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), 1_205, "no row is there twice");
    let csv = signed.text("/admin/audit.csv").await;
    assert_eq!(
        csv.matches("\"'=user").count(),
        1_205,
        "as text, not as a formula"
    );
    house.end().await;
}

#[tokio::test]
async fn every_table_of_every_page_can_be_downloaded() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let signed = house.sign_in("cora").await;
    let launch = newest_launch(&signed).await;
    // Each of its write-backs is tried.
    house.clock.advance(Duration::from_secs(60));
    let tried = format!("/admin/write-back-attempts.csv?request_id={launch}");
    signed.until(&tried, "call ended").await;
    let page = signed.text("/admin/appointments").await;
    let one = between(&page, "href=\"/admin/appointments/", "\"");
    let mut paths = vec!["/admin".to_owned(), format!("/admin/launches/{launch}")];
    paths.push(format!("/admin/appointments/{}", one.first().unwrap()));
    paths.extend(TABLES.map(|(page, _)| page.to_owned()));
    let mut pages = Vec::new();
    for path in paths {
        pages.push((path.clone(), signed.text(&path).await));
    }
    let examined = signed.post("/admin/profiles/1/doctor", "").await;
    pages.push(("doctor".to_owned(), plain(&examined.text().await.unwrap())));
    let mut files = Vec::new();
    for (path, page) in &pages {
        // The file of a listing stands in the form above it.
        let mut parts = page.split("<section");
        let head = parts.next().unwrap();
        let mut tables = 0;
        for part in parts.filter(|part| part.contains("<table")) {
            tables += part.matches("<table").count();
            let file = part.contains(".csv") || head.contains("Download CSV");
            assert!(file, "a table without a file in {path}: {part}");
        }
        assert!(tables > 0, "{path} has tables");
        let links = between(page, "href=\"", "\"");
        let links = links.into_iter().filter(|link| link.contains("csv"));
        files.extend(links.map(ToOwned::to_owned));
    }
    for file in &files {
        let response = signed.get(file).await;
        assert_eq!(response.status(), 200, "{file}");
        let kind = &response.headers()[CONTENT_TYPE];
        assert!(kind.to_str().unwrap().starts_with("text/csv"), "{file}");
        let text = response.text().await.unwrap();
        assert!(
            text.lines().count() >= 2 || file.contains("errors"),
            "{file}: {text}"
        );
    }
    assert!(files.len() > 15, "{files:?}");
    // Files of one launch, and of one appointment, have nothing of others.
    let all = signed.text("/admin/write-backs.csv").await;
    let file = format!("/admin/write-backs.csv?request_id={launch}");
    let of_launch = signed.text(&file).await;
    assert!(
        of_launch.lines().count() < all.lines().count(),
        "{of_launch}"
    );
    assert!(of_launch.lines().skip(1).all(|line| line.contains(&launch)));
    let attempts = signed.text("/admin/write-back-attempts.csv").await;
    assert!(attempts.contains("call ended"), "{attempts}");
    let doctor = signed.post("/admin/profiles/1/doctor.csv", "").await;
    let doctor = doctor.text().await.unwrap();
    assert!(
        doctor.starts_with("state,check,finding,what_to_do\r\n"),
        "{doctor}"
    );
    assert!(doctor.contains(",metadata,"), "{doctor}");
    house.end().await;
}
