//! Bearer tokens of launches.

use uuid::Uuid;
use vestibule_launch::{EhrRole, UnixTime};
use vestibule_store::{Bearer, Change, Completed, Redemption, Store};

use super::{
    MINUTE, NOW, PROFILE, SECOND, alias, bearer, begin, browser, complete_at, completed, launch,
    request_id,
    tickets::redeem,
    visit,
    visits::{apply, event},
};

pub(super) async fn find(store: &dyn Store, number: u8, now: UnixTime) -> Option<Bearer> {
    let found = store.find_bearer(request_id(number), now).await;
    found.expect("the store answers")
}

/// It is good as soon as the ticket is redeemed, and as long as the alias.
pub(crate) async fn a_bearer_is_good_from_redeeming_until_the_alias_expires(store: &dyn Store) {
    assert_eq!(find(store, 1, NOW).await, None, "no launch");
    completed(store, 1).await;
    assert_eq!(find(store, 1, NOW).await, None, "nobody has it yet");
    redeem(store, 1, NOW).await;
    let found = find(store, 1, NOW).await.expect("the bearer is good");
    assert_eq!(found.request_id, request_id(1));
    assert_eq!(found.profile, PROFILE);
    assert_eq!(found.role, EhrRole::Provider);
    assert_eq!(found.hash, bearer(1));
    assert_eq!(found.browser, browser(1));
    assert_eq!(found.sealed, b"resumed");
    assert_eq!(found.launched_at, NOW);
    assert_eq!(found.expires_at, NOW + MINUTE);
    assert_eq!(found.appointment, visit(store, 1, NOW).await);
    let shown = format!("{found:?}");
    assert!(!shown.contains("114, 101, 115"), "what is sealed: {shown}");
    assert!(!shown.contains("1, 1, 1"), "the hashes: {shown}");
    assert!(find(store, 1, NOW + 59 * SECOND).await.is_some());
    assert_eq!(find(store, 1, NOW + MINUTE).await, None, "expired");
    assert_eq!(find(store, 2, NOW).await, None, "another launch");
}

/// Who comes too late with a ticket does not take the bearer over.
pub(crate) async fn a_bearer_is_of_the_browser_that_redeemed_the_ticket(store: &dyn Store) {
    completed(store, 1).await;
    redeem(store, 1, NOW).await;
    assert_eq!(redeem(store, 2, NOW).await, Redemption::Used);
    let found = find(store, 1, NOW).await.expect("the bearer is good");
    assert_eq!(found.browser, browser(1));
    assert!(matches!(
        redeem(store, 1, NOW).await,
        Redemption::Redeemed(_)
    ));
    assert_eq!(find(store, 1, NOW).await, Some(found), "as before");
}

/// A patient who waits in vain, leaves and comes back has missed nothing.
pub(crate) async fn a_visit_is_over_when_nobody_is_there_after_a_provider_was(store: &dyn Store) {
    completed(store, 1).await;
    let mut patient = launch(2, 2);
    patient.role = EhrRole::Patient;
    begin(store, patient).await;
    let consumed = store.consume_state(request_id(2), PROFILE, EhrRole::Patient, NOW);
    consumed.await.expect("the store answers");
    let done = complete_at(store, 2, 1, None, NOW).await;
    assert_eq!(done, Completed::Now);
    let appointment = visit(store, 1, NOW).await;
    let over_since = async |since| {
        let over = store.over_since(appointment, since).await;
        over.expect("the store answers")
    };
    let report = async |seq, change| {
        apply(store, event(seq, Some(appointment), change), vec![], vec![]).await;
    };
    let came = |who: u8| Change::ParticipantConnected {
        participant: Uuid::from_bytes([who; 16]),
        alias: alias(who),
        sealed: vec![who],
    };
    let left = |who: u8| Change::ParticipantDisconnected {
        participant: Uuid::from_bytes([who; 16]),
    };
    assert_eq!(over_since(NOW).await, None, "not begun");
    report(1, came(2)).await;
    report(2, left(2)).await;
    assert_eq!(over_since(NOW).await, None, "no provider was there");
    report(3, came(1)).await;
    assert_eq!(over_since(NOW).await, None, "it runs");
    report(4, came(2)).await;
    report(5, left(1)).await;
    assert_eq!(over_since(NOW).await, None, "the patient is there");
    report(6, left(2)).await;
    assert_eq!(over_since(NOW).await, Some(NOW + 6 * SECOND));
    let later = NOW + 6 * SECOND;
    assert_eq!(over_since(later).await, None, "it was before that");
    report(7, came(1)).await;
    assert_eq!(over_since(NOW).await, None, "it goes on");
}
