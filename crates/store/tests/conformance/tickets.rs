//! One-time launch tickets.

use std::{sync::Arc, time::Duration};

use vestibule_launch::{EhrRole, UnixTime};
use vestibule_store::{Redemption, Store};

use super::{MINUTE, NOW, PROFILE, browser, completed, race, request_id, ticket};

pub(super) async fn redeem(store: &dyn Store, tab: u8, now: UnixTime) -> Redemption {
    store
        .redeem_ticket(ticket(1), browser(tab), now)
        .await
        .expect("the store answers")
}

/// A ticket is for the first browser, which may ask again within a minute.
pub(crate) async fn a_ticket_is_for_the_first_browser(store: &dyn Store) {
    assert_eq!(redeem(store, 1, NOW).await, Redemption::Unknown);
    completed(store, 1).await;
    assert_eq!(
        redeem(store, 1, NOW + MINUTE).await,
        Redemption::Unknown,
        "expired"
    );
    let later = NOW + Duration::from_secs(59);
    let Redemption::Redeemed(first) = redeem(store, 1, later).await else {
        panic!("the first browser redeems the ticket")
    };
    assert_eq!(first.request_id, request_id(1));
    assert_eq!(first.profile, PROFILE);
    assert_eq!(first.role, EhrRole::Provider);
    assert_eq!(first.sealed, b"redeemed");
    assert_eq!(redeem(store, 2, later).await, Redemption::Used);
    let repeat = later + Duration::from_secs(59);
    assert_eq!(redeem(store, 1, repeat).await, Redemption::Redeemed(first));
    assert_eq!(
        redeem(store, 1, later + MINUTE).await,
        Redemption::Used,
        "a minute is over"
    );
}

/// Of fifty browsers at once, one redeems the ticket.
pub(crate) async fn one_of_fifty_redeems_a_ticket(store: Arc<dyn Store>) {
    completed(&*store, 1).await;
    let outcomes = race(&store, |store, tab| async move {
        redeem(&*store, tab, NOW).await
    })
    .await;
    let used = outcomes
        .iter()
        .filter(|outcome| **outcome == Redemption::Used)
        .count();
    assert_eq!(used, outcomes.len() - 1);
    assert!(
        outcomes
            .iter()
            .any(|outcome| matches!(outcome, Redemption::Redeemed(_)))
    );
}
