//! EHR sessions and their renewal.

use std::{collections::HashMap, sync::Arc, time::Duration};

use vestibule_launch::{EhrRole, UnixTime};
use vestibule_store::{
    Change, Completed, NewSession, SENT_AGAIN_WITHIN, Session, Store, WriteBackKind,
};

use super::{
    MINUTE, NOW, PROFILE, SECOND, begin, complete_at, consume, launch, race, request_id, visit,
    visits::{apply, event},
    write_backs::{claim as claim_write_backs, failed, of_kind, sent, store_all, write_back},
};

const LEASE: Duration = Duration::from_secs(5);
const DUE: UnixTime = UnixTime::from_millis(NOW.as_millis() + 10_000);
const EXPIRES: UnixTime = UnixTime::from_millis(NOW.as_millis() + 20_000);

fn tokens(renew_at: Option<UnixTime>) -> NewSession {
    NewSession {
        sealed: b"tokens".to_vec(),
        renew_at,
        expires_at: EXPIRES,
    }
}

/// A completed launch, at an encounter of the same number, whose session is due then.
pub(super) async fn session(store: &dyn Store, number: u8, renew_at: UnixTime) {
    begin(store, launch(number, number)).await;
    consume(store, number, NOW).await;
    let session = Some(tokens(Some(renew_at)));
    let completed = complete_at(store, number, number, session, NOW).await;
    assert_eq!(completed, Completed::Now);
}

pub(super) async fn find(store: &dyn Store, number: u8) -> Option<Session> {
    let session = store.find_session(request_id(number)).await;
    session.expect("the store answers")
}

pub(super) async fn claim(store: &dyn Store, now: UnixTime) -> Vec<Session> {
    let claimed = store.claim_renewals(now, LEASE, 100).await;
    claimed.expect("the store leases renewals")
}

async fn claim_one(store: &dyn Store, now: UnixTime) -> Session {
    let mut claimed = claim(store, now).await;
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

async fn renewed(store: &dyn Store, session: &Session, renew_at: UnixTime) -> bool {
    let (sealed, expires_at) = (b"renewed".to_vec(), renew_at + MINUTE);
    let stored = store
        .renewed(session, sealed, Some(renew_at), expires_at)
        .await;
    stored.expect("the store takes tokens")
}

/// Ends a session as soon as its alias cannot be dialled any more.
async fn end(store: &dyn Store, number: u8) -> bool {
    end_at(store, number, NOW + MINUTE).await
}

async fn end_at(store: &dyn Store, number: u8, now: UnixTime) -> bool {
    let ended = store.end_session(request_id(number), now).await;
    ended.expect("the store ends a session")
}

/// A session begins with the completion of its launch, if that happens, until ended.
pub(crate) async fn a_session_begins_as_its_launch_completes(store: &dyn Store) {
    begin(store, launch(1, 1)).await;
    let refused = complete_at(store, 1, 1, Some(tokens(None)), NOW).await;
    assert_eq!(refused, Completed::Refused);
    assert_eq!(find(store, 1).await, None);
    session(store, 2, DUE).await;
    let found = find(store, 2).await.expect("the launch has a session");
    assert_eq!(found.request_id, request_id(2));
    assert_eq!(found.profile, PROFILE);
    assert_eq!(found.role, EhrRole::Provider);
    assert_eq!(found.sealed, b"tokens");
    assert_eq!(found.renew_at, Some(DUE));
    assert_eq!(found.expires_at, EXPIRES);
    assert!(end(store, 2).await);
    assert!(!end(store, 2).await);
    assert_eq!(find(store, 2).await, None);
}

/// A renewal that is due is one caller's until the lease is over or given back.
pub(crate) async fn a_due_renewal_is_for_one_caller_until_its_lease_is_over(store: &dyn Store) {
    session(store, 1, DUE).await;
    let just_before = |time| time - Duration::from_millis(1);
    assert_eq!(claim(store, just_before(DUE)).await, []);
    let first = claim_one(store, DUE).await;
    assert_eq!(first.request_id, request_id(1));
    assert_eq!(first.sealed, b"tokens");
    assert_eq!(claim(store, just_before(DUE + LEASE)).await, []);
    let second = claim_one(store, DUE + LEASE).await;
    assert!(!renewed(store, &first, NOW).await, "another one has it");
    assert_eq!(find(store, 1).await.expect("it is there").sealed, b"tokens");
    let next = DUE + MINUTE;
    assert!(renewed(store, &second, next).await);
    assert!(!renewed(store, &second, NOW).await, "it was given back");
    let found = find(store, 1).await.expect("it is there");
    assert_eq!(found.sealed, b"renewed");
    assert_eq!(found.renew_at, Some(next));
    assert_eq!(found.expires_at, next + MINUTE);
    assert_eq!(claim(store, NOW + MINUTE - SECOND).await, []);
    running(store, 1).await;
    assert_eq!(claim_one(store, next).await.sealed, b"renewed");
}

/// The EHR may have made the old tokens useless: new ones are welcome though late.
pub(crate) async fn a_renewal_that_came_late_counts_where_nobody_began_another(store: &dyn Store) {
    session(store, 1, DUE).await;
    let claimed = claim_one(store, DUE).await;
    assert!(renewed(store, &claimed, DUE + LEASE + MINUTE).await);
    assert_eq!(
        find(store, 1).await.expect("it is there").sealed,
        b"renewed"
    );
}

/// Finding a session gives no right to renew it, whether or not somebody is renewing.
pub(crate) async fn a_session_that_was_looked_at_is_not_leased(store: &dyn Store) {
    session(store, 1, DUE).await;
    for _ in 0..2 {
        let found = find(store, 1).await.expect("it is there");
        assert!(!renewed(store, &found, NOW).await);
        let recorded = store.renewal_failed(&found, None).await;
        assert!(!recorded.expect("the store answers"));
        claim(store, DUE).await;
    }
    assert_eq!(find(store, 1).await.expect("it is there").sealed, b"tokens");
}

/// A renewal that failed is due again at the time named, or never.
pub(crate) async fn a_failed_renewal_is_tried_again_or_never(store: &dyn Store) {
    session(store, 1, DUE).await;
    let fail = async |session: &Session, again| {
        let recorded = store.renewal_failed(session, again).await;
        recorded.expect("the store records failures")
    };
    let first = claim_one(store, DUE).await;
    assert!(fail(&first, Some(DUE + SECOND)).await);
    assert!(!fail(&first, None).await, "it was given back");
    assert_eq!(claim(store, DUE).await, []);
    let second = claim_one(store, DUE + SECOND).await;
    assert_eq!(second.sealed, b"tokens");
    assert!(fail(&second, None).await);
    assert_eq!(claim(store, NOW + MINUTE - SECOND).await, []);
    let found = find(store, 1).await.expect("its tokens are kept");
    assert_eq!(found.renew_at, None);
}

/// One session can be claimed before it is due, by one caller at a time.
pub(crate) async fn one_session_is_claimed_before_it_is_due(store: &dyn Store) {
    session(store, 1, DUE).await;
    session(store, 2, DUE).await;
    let claim_it = async |now| {
        let claimed = store.claim_renewal(request_id(1), now, LEASE).await;
        claimed.expect("the store leases a renewal")
    };
    let first = claim_it(NOW).await.expect("nobody renews it");
    assert_eq!(first.request_id, request_id(1));
    assert_eq!(claim_it(NOW).await, None);
    let second = claim_it(NOW + LEASE).await.expect("the lease is over");
    assert!(!renewed(store, &first, DUE).await);
    assert!(renewed(store, &second, DUE + MINUTE).await);
    assert_eq!(claim(store, DUE).await.len(), 1, "the other one");
    assert!(end(store, 1).await);
    assert_eq!(claim_it(NOW + MINUTE).await, None);
}

/// Where more is due than a caller takes, the longest due comes first.
pub(crate) async fn the_longest_due_renewals_come_first(store: &dyn Store) {
    for (number, due) in [(1, 3), (2, 1), (3, 4), (4, 2)] {
        session(store, number, NOW + due * SECOND).await;
    }
    let claim = async |limit| {
        let claimed = store.claim_renewals(EXPIRES, LEASE, limit).await;
        claimed
            .expect("the store leases renewals")
            .iter()
            .map(|session| session.request_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(claim(3).await, [2, 4, 1].map(request_id));
    assert_eq!(claim(3).await, [3].map(request_id));
}

/// Tokens are renewed while somebody can still come, is there, or must be told of.
pub(crate) async fn a_session_of_no_use_is_not_renewed(store: &dyn Store) {
    for number in [1, 2, 3] {
        session(store, number, DUE).await;
    }
    running(store, 2).await;
    store_all(store, 9, vec![write_back(9, 3)], NOW).await;
    let claimed = |sessions: Vec<Session>| {
        let mut numbers: Vec<_> = sessions
            .iter()
            .map(|session| session.request_id.as_bytes()[0])
            .collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(claimed(claim(store, NOW + MINUTE).await), [2, 3]);
    let alias_live = NOW + MINUTE - Duration::from_millis(1);
    assert_eq!(claimed(claim(store, alias_live).await), [1]);
}

/// What an earlier version gave up is not sent again where the EHR was told anything later,
/// but how a device check went. `as_before` makes all that there is an earlier version's.
pub(crate) async fn a_session_is_not_renewed_for_what_was_overtaken_since_the_upgrade(
    store: &dyn Store,
    as_before: impl AsyncFn(),
) {
    for (number, _) in LATER {
        session(store, number, DUE).await;
        store_all(store, number, vec![write_back(number, number)], NOW).await;
        let claimed = claim_write_backs(store, NOW, 1).await.remove(0);
        assert!(failed(store, &claimed, Some(400), None).await);
    }
    as_before().await;
    for (number, kind) in LATER {
        let seq = 10 + number;
        store_all(store, seq, vec![of_kind(seq, number, kind)], NOW).await;
        let claimed = claim_write_backs(store, NOW, 1).await.remove(0);
        assert!(sent(store, &claimed, NOW).await);
    }
    let mut claimed = claim(store, NOW + MINUTE).await;
    assert_eq!(claimed.len(), 1);
    let number = claimed.remove(0).request_id.as_bytes()[0];
    assert_eq!(number, 2, "the device test overtakes nothing");
}

/// What is sent to the EHR after the upgrade, of two launches.
const LATER: [(u8, WriteBackKind); 2] = [
    (1, WriteBackKind::EndOfCall),
    (2, WriteBackKind::DeviceTest),
];

/// A write-back that was given up may be sent again for a day, with the user's own token:
/// unless a later one of its kind was sent.
pub(crate) async fn a_session_is_renewed_while_what_was_given_up_may_be_sent_again(
    store: &dyn Store,
) {
    use WriteBackKind::{EndOfCall, EpicConnectionStatus};
    for number in [1, 2, 3] {
        session(store, number, DUE).await;
    }
    store_all(store, 1, vec![of_kind(10, 1, EndOfCall)], NOW).await;
    let claimed = claim_write_backs(store, NOW, 1).await.remove(0);
    assert!(failed(store, &claimed, Some(400), None).await);
    // Of these the last is sent: of another kind, and of the same.
    for (launch, later) in [(2, EndOfCall), (3, EpicConnectionStatus)] {
        let both = [
            of_kind(10 * launch, launch, EpicConnectionStatus),
            of_kind(10 * launch + 1, launch, later),
        ];
        store_all(store, launch, both.into(), NOW).await;
        let claimed = claim_write_backs(store, NOW, 1).await.remove(0);
        assert!(failed(store, &claimed, None, None).await);
        let claimed = claim_write_backs(store, NOW, 1).await.remove(0);
        assert!(sent(store, &claimed, NOW).await);
    }
    let give_back = async |sessions: Vec<Session>| {
        let mut numbers = Vec::new();
        for session in sessions {
            let recorded = store.renewal_failed(&session, Some(DUE)).await;
            assert!(recorded.expect("the store answers"));
            numbers.push(session.request_id.as_bytes()[0]);
        }
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(give_back(claim(store, NOW + MINUTE).await).await, [1, 2]);
    // They were given up a second after they were stored.
    let over = NOW + SECOND + SENT_AGAIN_WITHIN;
    let just_before = over - Duration::from_millis(1);
    assert_eq!(give_back(claim(store, just_before).await).await, [1, 2]);
    assert_eq!(claim(store, over).await, []);
}

/// What is forgotten at once may not be needed for anything any more.
pub(crate) async fn a_session_of_use_is_not_ended(store: &dyn Store) {
    for number in [1, 2, 3] {
        session(store, number, DUE).await;
    }
    let alias_live = NOW + MINUTE - Duration::from_millis(1);
    assert!(!end_at(store, 1, alias_live).await);
    assert!(end_at(store, 1, NOW + MINUTE).await);
    running(store, 2).await;
    assert!(!end(store, 2).await, "the visit runs");
    store_all(store, 9, vec![write_back(1, 3)], NOW).await;
    let claimed = claim_write_backs(store, NOW, 1).await.remove(0);
    assert!(!end(store, 3).await, "it is being sent");
    assert!(failed(store, &claimed, Some(400), None).await);
    assert!(!end(store, 3).await, "it may be sent again");
    let later = NOW + 2 * MINUTE;
    let again = store.send_again(claimed.id, later).await;
    again.expect("the store answers");
    let claimed = claim_write_backs(store, later, 1).await.remove(0);
    assert!(sent(store, &claimed, later).await);
    assert!(end_at(store, 3, later).await);
    assert_eq!(find(store, 3).await, None);
    assert!(find(store, 2).await.is_some());
}

/// Who still renews a session that has ended does not bring it back.
pub(crate) async fn a_session_that_ended_is_not_renewed(store: &dyn Store) {
    session(store, 1, DUE).await;
    let claimed = claim_one(store, DUE).await;
    assert!(end(store, 1).await);
    assert!(!renewed(store, &claimed, DUE).await);
    let recorded = store.renewal_failed(&claimed, Some(DUE)).await;
    assert!(!recorded.expect("the store answers"));
    assert_eq!(find(store, 1).await, None);
    assert_eq!(claim(store, DUE + LEASE).await, []);
}

/// Fifty callers at once that take two each share twenty renewals without overlap.
pub(crate) async fn each_renewal_is_for_one_of_fifty(store: Arc<dyn Store>) {
    for number in 0..20 {
        session(&*store, number, DUE).await;
    }
    let claims = race(&store, |store, _| async move {
        let claimed = store.claim_renewals(DUE, LEASE, 2).await;
        claimed.expect("the store leases renewals")
    })
    .await;
    let mut holders = HashMap::new();
    for session in claims.into_iter().flatten() {
        *holders.entry(session.request_id).or_insert(0) += 1;
        assert!(renewed(&*store, &session, DUE + MINUTE).await);
    }
    assert_eq!(holders.len(), 20);
    assert!(holders.values().all(|holders| *holders == 1));
}

/// Lets the conference of an encounter run.
pub(super) async fn running(store: &dyn Store, encounter: u8) {
    let appointment = visit(store, encounter, NOW).await;
    let started = event(encounter, Some(appointment), Change::ConferenceStarted);
    apply(store, started, vec![], vec![]).await;
}
