//! Join links that were given out a moment ago.

use vestibule_launch::{ErrorName, UnixTime};
use vestibule_store::{
    Completed, Completion, Course, FailureSource, Fingerprint, GivenLink, Store,
};

use super::{MINUTE, NOW, alias, begin, completed, consume, launch, request_id, visit};

/// Completes launch `number`, whose join link is given again for a minute.
async fn given(store: &dyn Store, number: u8) {
    begin(store, launch(number, number)).await;
    consume(store, number, NOW).await;
    let completion = Completion {
        request_id: request_id(number),
        appointment: visit(store, 1, NOW).await,
        course: Course::default(),
        alias: alias(number),
        alias_expires_at: NOW + MINUTE,
        ticket: None,
        session: None,
        link: Some(GivenLink {
            sealed: vec![number, number],
            expires_at: NOW + MINUTE,
        }),
    };
    let done = store.complete_launch(completion, NOW).await;
    assert_eq!(done.expect("the store completes a launch"), Completed::Now);
}

async fn of(store: &dyn Store, number: u8, now: UnixTime) -> Option<Vec<u8>> {
    let link = store.join_link_of(request_id(number), now).await;
    link.expect("the store answers")
}

/// The number of the launch, and its link.
async fn by_token(store: &dyn Store, number: u8, now: UnixTime) -> Option<(u8, Vec<u8>)> {
    let fingerprint = Fingerprint::from_bytes([number; 32]);
    let link = store.join_link_by_fingerprint(fingerprint, now).await;
    let found = link.expect("the store answers");
    found.map(|(request_id, link)| (request_id.as_bytes()[0], link))
}

/// By the launch and by the EHR's launch token; also where a browser says afterwards
/// that it failed.
pub(crate) async fn a_join_link_is_given_again_until_it_expires(store: &dyn Store) {
    given(store, 1).await;
    given(store, 2).await;
    let just_before = NOW + MINUTE - std::time::Duration::from_millis(1);
    for now in [NOW, just_before] {
        assert_eq!(of(store, 1, now).await, Some(vec![1, 1]));
        assert_eq!(by_token(store, 2, now).await, Some((2, vec![2, 2])));
    }
    let error = ErrorName::HostDidNotJoin;
    let failed = store.record_failure(
        request_id(1),
        FailureSource::Browser,
        error,
        Course::default(),
        NOW,
    );
    assert!(failed.await.expect("the store records it"));
    assert_eq!(of(store, 1, just_before).await, Some(vec![1, 1]));
    for number in [1, 2] {
        assert_eq!(of(store, number, NOW + MINUTE).await, None);
        assert_eq!(by_token(store, number, NOW + MINUTE).await, None);
    }
}

/// What was sealed at a launch's beginning is no join link.
pub(crate) async fn a_launch_without_a_join_link_has_none(store: &dyn Store) {
    begin(store, launch(1, 1)).await;
    assert_eq!(of(store, 1, NOW).await, None);
    consume(store, 1, NOW).await;
    assert_eq!(of(store, 1, NOW).await, None);
    assert_eq!(by_token(store, 1, NOW).await, None);
    completed(store, 2).await;
    assert_eq!(of(store, 2, NOW).await, None);
    assert_eq!(by_token(store, 2, NOW).await, None);
    assert_eq!(of(store, 3, NOW).await, None);
}

pub(crate) async fn purging_forgets_join_links_that_expired(store: &dyn Store) {
    given(store, 1).await;
    let purge = async |now| store.purge(NOW, now).await.expect("the store purges");
    assert_eq!(purge(NOW).await, 0);
    assert!(of(store, 1, NOW).await.is_some());
    assert_eq!(purge(NOW + MINUTE).await, 0, "the launch is kept");
    // As if the clock went back: the link is not there any more.
    assert_eq!(of(store, 1, NOW).await, None);
}
