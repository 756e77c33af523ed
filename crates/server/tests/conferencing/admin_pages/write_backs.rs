//! Write-backs: found, and sent again.

use std::time::Duration;

use vestibule_store::AuditAction;

use super::{PATIENCE, SETUP, location};
use crate::house::{ENCOUNTER, House};

#[tokio::test]
async fn all_that_are_listed_are_sent_again_by_one_button() {
    let house = House::refused().await;
    let signed = house.sign_in("olga").await;
    let given_up = "/admin/write-backs?state=given_up";
    let start = tokio::time::Instant::now();
    let page = loop {
        let page = signed.text(given_up).await;
        if page.matches(">given up</span>").count() == 2 {
            break page;
        }
        assert!(start.elapsed() < PATIENCE, "{page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let all = "/admin/write-backs/send-again";
    let action = format!("action=\"{all}?state=given_up\"");
    assert!(page.contains(&action), "{page}");
    let looks = house.sign_in("vic").await;
    assert!(!looks.text(given_up).await.contains("Send again all"));
    assert_eq!(
        looks
            .post(&format!("{all}?state=given_up"), "")
            .await
            .status(),
        403
    );
    // Where it is not clear what is listed, nothing is sent.
    let unclear = signed.post(&format!("{all}?appointment=x"), "").await;
    assert_eq!(location(&unclear), "/admin/write-backs?done=unclear");
    let none = signed.post(&format!("{all}?state=sent"), "").await;
    assert_eq!(location(&none), "/admin/write-backs?done=all");
    assert!(house.audit(AuditAction::SentAgain).await.is_empty());
    let heard = house.journal("call_ended").len();
    let sent = signed.post(&format!("{all}?state=given_up"), "").await;
    assert_eq!(location(&sent), "/admin/write-backs?done=all&count=2");
    let page = signed.text(&location(&sent)).await;
    assert!(page.contains("2 are due again"), "{page}");
    house
        .until("the EHR hears both", |house| {
            house.journal("call_ended").len() == heard + 2
        })
        .await;
    // Of each that it was asked for, and what became of it.
    assert_eq!(house.audit(AuditAction::SentAgain).await.len(), 4);
    house.end().await;
}

#[tokio::test]
async fn write_backs_are_found_by_encounter_and_by_meeting() {
    let house = House::open(SETUP).await;
    let patient = house.patient().await;
    let token = house.come(&patient).await;
    house.leave(&patient, &token).await;
    house.over().await;
    let signed = house.sign_in("vic").await;
    signed.until("/admin/write-backs", "call ended").await;
    let page = signed.text("/admin/write-backs").await;
    assert!(page.contains("Encounter or meeting"), "{page}");
    let mut found = Vec::new();
    for text in [ENCOUNTER, &patient.alias] {
        let form = format!("page=write-backs&text={text}");
        let response = signed.post("/admin/search", &form).await;
        assert_eq!(response.status(), 303, "{text}");
        found.push(location(&response));
    }
    assert_eq!(found[0], found[1], "of one appointment");
    assert!(
        found[0].starts_with("/admin/write-backs?appointment="),
        "{found:?}"
    );
    assert!(signed.text(&found[0]).await.contains("call ended"));
    let other = signed.text("/admin/write-backs?appointment=999").await;
    assert!(other.contains("No write-back is like this"), "{other}");
    let nothing = signed
        .post("/admin/search", "page=write-backs&text=no")
        .await;
    assert!(nothing.text().await.unwrap().contains("Nothing is known"));
    house.end().await;
}

#[tokio::test]
async fn each_attempt_says_why_it_came_to_nothing() {
    let house = House::refused().await;
    let signed = house.sign_in("vic").await;
    let given_up = "/admin/write-backs?state=given_up";
    signed.until(given_up, ">given up</span>").await;
    let page = signed.text(given_up).await;
    assert!(page.contains("400"), "{page}");
    for path in ["/admin/write-backs.csv", "/admin/write-back-attempts.csv"] {
        let csv = signed.text(&format!("{path}?state=given_up")).await;
        assert!(csv.contains(",400,answered\r\n"), "{csv}");
        let sent = signed.text(&format!("{path}?state=sent")).await;
        assert!(
            !sent.contains("answered"),
            "what arrived has no reason: {sent}"
        );
        let not_needed = signed.get(&format!("{path}?state=not_needed")).await;
        assert_eq!(not_needed.status(), 200);
    }
    house.end().await;
}
