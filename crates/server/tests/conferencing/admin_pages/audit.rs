//! The audit log: who may read it, and who looked at whom.

use std::time::Duration;

use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use vestibule_launch::UnixTime;
use vestibule_store::AuditAction;

use super::{SETUP, between, location};
use crate::house::{ENCOUNTER, House};

#[tokio::test]
async fn the_audit_is_for_who_configures_and_can_be_filtered_and_downloaded() {
    let house = House::open(SETUP).await;
    house.sign_in("vic").await;
    let operates = house.sign_in("olga").await;
    for path in ["/admin/audit", "/admin/audit.csv"] {
        assert_eq!(operates.get(path).await.status(), 403, "{path}");
    }
    let signed = house.sign_in("cora").await;
    let page = signed.text("/admin/audit?who=olga&what=refused").await;
    let rows = between(&page, "<th scope=\"row\"><bdi>", "</bdi>");
    assert_eq!(rows, ["olga", "olga"], "{page}");
    let response = signed.get("/admin/audit.csv?who=olga").await;
    let headers = response.headers();
    assert_eq!(
        headers[CONTENT_TYPE],
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        headers[CONTENT_DISPOSITION],
        "attachment; filename=\"audit.csv\""
    );
    let csv = response.text().await.unwrap();
    assert_eq!(csv.matches(",refused,").count(), 2, "{csv}");
    assert!(
        csv.lines().skip(1).all(|line| line.contains(",olga,")),
        "{csv}"
    );
    let page = signed.text("/admin/audit?from=yesterday").await;
    assert!(page.contains("from: not a day"), "{page}");
    // Whoever looks on has looked once.
    let read = house.audit(AuditAction::AuditRead).await;
    assert_eq!(read.len(), 1, "{read:?}");
    assert_eq!(read[0].administrator.as_deref(), Some("cora"));
    house.end().await;
}

#[tokio::test]
async fn who_looked_at_an_encounter_is_found_when_the_appointment_is_forgotten() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let signed = house.sign_in("cora").await;
    let ask = format!("page=audit&text={ENCOUNTER}");
    let found = signed.post("/admin/search", &ask).await;
    let path = location(&found);
    assert!(
        path.starts_with("/admin/audit?kind=encounter&of="),
        "{path}"
    );
    let page = signed.text(&path).await;
    let rows = between(&page, "<th scope=\"row\"><bdi>", "</bdi>");
    assert!(
        !rows.is_empty() && rows.iter().all(|who| *who == "cora"),
        "{page}"
    );
    assert!(page.contains(">appointment 1</a>"), "{page}");
    assert!(!page.contains(ENCOUNTER), "{page}");
    // Everything about one thing is a link away.
    assert!(page.contains(&format!("href=\"{path}\"")), "{page}");
    // What is unsent keeps its appointment.
    house.clock.advance(Duration::from_secs(60));
    let unsent = "/admin/write-backs?state=unsent";
    signed.until("/admin/write-backs", "call ended").await;
    signed.until(unsent, "No write-back is like this").await;
    let store = house.store().await;
    let future = UnixTime::from_millis(4_000_000_000_000);
    store.purge(future, UnixTime::from_millis(0)).await.unwrap();
    assert_eq!(signed.get("/admin/appointments/1").await.status(), 404);
    let found = signed.post("/admin/search", &ask).await;
    assert_eq!(location(&found), path);
    let nobody = signed
        .post("/admin/search", "page=audit&text=another")
        .await;
    let nobody = nobody.text().await.unwrap();
    assert!(nobody.contains("nobody has seen names of it"), "{nobody}");
    let operates = house.sign_in("olga").await;
    assert_eq!(operates.post("/admin/search", &ask).await.status(), 403);
    let page = signed.text("/admin/audit?of=7").await;
    assert!(page.contains("of: not enough without a kind"), "{page}");
    let tables = signed.text("/admin/audit?kind=table").await;
    assert!(tables.contains("Nobody did anything like this"), "{tables}");
    house.end().await;
}
