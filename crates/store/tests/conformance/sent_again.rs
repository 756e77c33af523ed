//! What was tried, and what was given up and is sent again.

use std::sync::Arc;

use vestibule_launch::UnixTime;
use vestibule_store::{SentAgain, Store, WriteBack, WriteBackFilter, WriteBackKind};

use super::{
    MINUTE, NOW, SECOND,
    overview::{DAY, page},
    race,
    write_backs::{claim, failed, numbers, of_kind, sent, store_all, write_back},
};

/// Of each attempt it is known when it was over and what the EHR answered; of very many
/// the latest are.
pub(crate) async fn the_latest_attempts_to_send_are_on_record(store: &dyn Store) {
    store_all(store, 1, vec![write_back(1, 1)], NOW).await;
    let mut last: Option<WriteBack> = None;
    for _ in 0..101 {
        let claimed = claim(store, NOW, 1).await.remove(0);
        assert!(failed(store, &claimed, Some(503), Some(NOW)).await);
        last = Some(claimed);
    }
    let last = last.expect("it was tried");
    let attempts = async || {
        let attempts = store.attempts_of(&[last.id]).await;
        let mut attempts = attempts.expect("there are attempts");
        attempts.remove(&last.id).unwrap_or_default()
    };
    let numbers: Vec<_> = attempts().await.iter().map(|it| it.number).collect();
    assert_eq!(numbers, (2..=101).collect::<Vec<_>>());
    assert!(!failed(store, &last, None, None).await, "who has no lease");
    assert_eq!(attempts().await.len(), 100);
    let claimed = claim(store, NOW, 1).await.remove(0);
    assert!(sent(store, &claimed, NOW + MINUTE).await);
    let newest = attempts().await.pop().expect("there are attempts");
    assert_eq!((newest.number, newest.at), (102, NOW + MINUTE));
    assert_eq!(newest.status, Some(204));
    let purged = store.purge(NOW + 2 * MINUTE, NOW + 2 * MINUTE).await;
    purged.expect("the store purges");
    assert_eq!(attempts().await, [], "they go with the write-back");
}

/// Of each write-back its own, in their order, and nothing of those that are not asked for
/// or were never tried.
pub(crate) async fn attempts_are_read_of_several_write_backs_at_once(store: &dyn Store) {
    let all = (1..=4).map(|number| write_back(number, number)).collect();
    store_all(store, 1, all, NOW).await;
    let mut claimed = claim(store, NOW, 3).await;
    claimed.sort_by_key(|it| it.id);
    let ids: Vec<_> = claimed.iter().map(|it| it.id).collect();
    assert!(failed(store, &claimed[0], Some(503), Some(NOW)).await);
    assert!(failed(store, &claimed[1], Some(400), None).await);
    assert!(failed(store, &claimed[2], Some(418), None).await);
    let again = claim(store, NOW, 9).await;
    let again = again.iter().find(|it| it.id == ids[0]);
    let again = again.expect("it is tried again");
    assert!(sent(store, again, NOW + MINUTE).await);
    let never_tried = ids[2] + 1;
    let asked = [never_tried, ids[1], ids[0], never_tried + 99];
    let attempts = store.attempts_of(&asked).await;
    let attempts = attempts.expect("there are attempts");
    let told = |id: i64| {
        let attempts = attempts.get(&id)?.iter();
        Some(
            attempts
                .map(|it| (it.number, it.status))
                .collect::<Vec<_>>(),
        )
    };
    let first = vec![(1, Some(503)), (2, Some(204))];
    assert_eq!(told(ids[0]), Some(first));
    assert_eq!(told(ids[1]), Some(vec![(1, Some(400))]));
    assert_eq!(attempts.len(), 2, "{attempts:?}");
    let none = store.attempts_of(&[]).await;
    assert!(none.expect("there are attempts").is_empty());
}

async fn send_again(store: &dyn Store, id: i64, now: UnixTime) -> SentAgain {
    let again = store.send_again(id, now).await;
    again.expect("the store answers")
}

/// What was given up is due again, before later ones of its launch, and is tried for
/// another day.
pub(crate) async fn what_was_given_up_is_sent_again_in_its_place(store: &dyn Store) {
    let both = vec![write_back(1, 1), write_back(2, 1)];
    store_all(store, 1, both, NOW).await;
    let first = claim(store, NOW, 9).await.remove(0);
    assert_eq!(first.since, NOW);
    assert_eq!(
        send_again(store, first.id, NOW).await,
        SentAgain::NotGivenUp
    );
    assert!(failed(store, &first, None, None).await);
    let later = NOW + DAY;
    assert_eq!(send_again(store, first.id, later).await, SentAgain::Due(1));
    let claimed = claim(store, later, 9).await;
    assert_eq!(claimed.len(), 1, "the second waits for it");
    assert_eq!((claimed[0].id, claimed[0].attempts), (first.id, 2));
    assert_eq!((claimed[0].created_at, claimed[0].since), (NOW, later));
    assert!(sent(store, &claimed[0], later).await);
    assert_eq!(
        send_again(store, first.id, later).await,
        SentAgain::NotGivenUp
    );
    assert_eq!(
        send_again(store, first.id + 99, later).await,
        SentAgain::Unknown
    );
    assert_eq!(claim(store, later, 9).await.len(), 1, "now the second");
}

/// The EHR hears what was given up after it too, in order: the last is what is so now. Of
/// another kind or launch, and of before, nothing is sent.
pub(crate) async fn what_was_given_up_after_it_is_sent_again_behind_it(store: &dyn Store) {
    let all = vec![
        write_back(1, 1),
        write_back(2, 1),
        write_back(3, 1),
        write_back(4, 2),
    ];
    store_all(store, 1, all, NOW).await;
    let mut given_up = Vec::new();
    for _ in 0..4 {
        let claimed = claim(store, NOW, 1).await.remove(0);
        assert!(failed(store, &claimed, None, None).await);
        given_up.push(claimed);
    }
    given_up.sort_by_key(|it| it.id);
    let of_first: Vec<_> = given_up
        .iter()
        .filter(|it| it.request_id == given_up[0].request_id)
        .map(|it| it.id)
        .collect();
    assert_eq!(of_first.len(), 3, "three of one launch");
    let later = NOW + DAY;
    let sent = send_again(store, of_first[1], later).await;
    assert_eq!(sent, SentAgain::Due(2));
    let mut heard = Vec::new();
    loop {
        let claimed = claim(store, later, 9).await;
        assert!(claimed.len() <= 1, "one after the other");
        let Some(claimed) = claimed.first() else {
            break;
        };
        assert_eq!(claimed.since, later, "for another day");
        heard.push(claimed.id);
        assert!(self::sent(store, claimed, later).await);
    }
    assert_eq!(heard, of_first[1..]);
    let first = send_again(store, of_first[0], later).await;
    assert_eq!(first, SentAgain::Overtaken);
}

/// Of an earlier version's write-back the kind is not known: whatever was given up later
/// goes with it, but a device test. `as_before` makes all that there is one of these.
pub(crate) async fn what_was_given_up_before_the_upgrade_is_sent_again_with_what_came_later(
    store: &dyn Store,
    as_before: impl AsyncFn(),
) {
    store_all(store, 1, vec![write_back(1, 1)], NOW).await;
    as_before().await;
    let kinds = [
        WriteBackKind::EndOfCall,
        WriteBackKind::DeviceTest,
        WriteBackKind::ZoomNotification,
    ];
    let later = (2..).zip(kinds);
    let later = later.map(|(number, kind)| of_kind(number, 1, kind));
    store_all(store, 2, later.collect(), NOW).await;
    let mut given_up = Vec::new();
    for _ in 0..4 {
        let claimed = claim(store, NOW, 1).await.remove(0);
        assert!(failed(store, &claimed, Some(400), None).await);
        given_up.push(claimed);
    }
    given_up.sort_by_key(|it| it.id);
    let later = NOW + DAY;
    let again = send_again(store, given_up[0].id, later).await;
    assert_eq!(again, SentAgain::Due(3));
    for expected in [0, 1, 3].map(|place: usize| given_up[place].id) {
        let claimed = claim(store, later, 9).await;
        assert_eq!(claimed.len(), 1, "the others wait for it");
        assert_eq!(claimed[0].id, expected);
        assert!(sent(store, &claimed[0], later).await);
    }
}

/// An EHR that has heard, or is hearing, what came later is not told what was before.
pub(crate) async fn what_was_overtaken_is_not_sent_again(store: &dyn Store) {
    let all = vec![write_back(1, 1), write_back(2, 1), write_back(3, 2)];
    store_all(store, 1, all, NOW).await;
    let first = claim(store, NOW, 1).await.remove(0);
    assert!(failed(store, &first, None, None).await);
    let second = claim(store, NOW, 1).await.remove(0);
    assert_eq!(send_again(store, first.id, NOW).await, SentAgain::Overtaken);
    assert!(sent(store, &second, NOW).await);
    assert_eq!(send_again(store, first.id, NOW).await, SentAgain::Overtaken);
    let every = WriteBackFilter::default();
    let rows = store.list_write_backs(&every, page(5));
    let rows = rows.await.expect("the store lists write-backs");
    let row = rows.iter().find(|row| row.record.id == first.id);
    let row = row.expect("it is there");
    let given_up = vestibule_store::WriteBackState::GivenUp { at: NOW + SECOND };
    assert_eq!(row.record.state, given_up, "nothing was changed");
    let third = claim(store, NOW, 1).await.remove(0);
    assert!(failed(store, &third, None, None).await);
    assert_eq!(send_again(store, third.id, NOW).await, SentAgain::Due(1));
}

/// What the EHR was told of something else is no news of this, and is not told again with
/// it.
pub(crate) async fn what_another_kind_tells_overtakes_nothing(store: &dyn Store) {
    let kinds = [
        WriteBackKind::EpicConnectionStatus,
        WriteBackKind::EndOfCall,
        WriteBackKind::ZoomNotification,
        WriteBackKind::DeviceTest,
        WriteBackKind::EpicConnectionStatus,
        WriteBackKind::ZoomNotification,
    ];
    let all = (1..).zip(kinds);
    let all = all.map(|(number, kind)| of_kind(number, 1, kind)).collect();
    store_all(store, 1, all, NOW).await;
    let mut ids = std::collections::BTreeMap::new();
    loop {
        let claimed = claim(store, NOW, 9).await;
        for write_back in &claimed {
            ids.insert(write_back.sealed[0], write_back.id);
            match write_back.sealed[0] {
                1 | 2 | 5 => assert!(failed(store, write_back, Some(400), None).await),
                3 | 4 => assert!(sent(store, write_back, NOW).await),
                // The sixth is on its way.
                _ => {}
            }
        }
        if ids.contains_key(&6) {
            break;
        }
    }
    let later = NOW + DAY;
    let with_the_fifth = send_again(store, ids[&1], later).await;
    assert_eq!(with_the_fifth, SentAgain::Due(2));
    let every = WriteBackFilter::default();
    let rows = store.list_write_backs(&every, page(9)).await;
    let rows = rows.expect("the store lists write-backs");
    let row = rows.iter().find(|row| row.record.id == ids[&2]);
    let row = row.expect("it is there");
    assert_eq!(row.kind, Some(WriteBackKind::EndOfCall));
    let given_up = vestibule_store::WriteBackState::GivenUp { at: NOW + SECOND };
    assert_eq!(row.record.state, given_up, "another one's");
    assert_eq!(send_again(store, ids[&2], later).await, SentAgain::Due(1));
    for expected in [1, 2, 5, 6] {
        let claimed = claim(store, later, 9).await;
        assert_eq!(numbers(&claimed), [expected], "still in order");
        assert!(sent(store, &claimed[0], later).await);
    }
}

/// Of many at once one sends it again, and one of those who claim has it.
pub(crate) async fn one_of_fifty_sends_again(store: Arc<dyn Store>) {
    store_all(&*store, 1, vec![write_back(1, 1)], NOW).await;
    let first = claim(&*store, NOW, 1).await.remove(0);
    assert!(failed(&*store, &first, None, None).await);
    let id = first.id;
    let sent = race(&store, |store, _| async move {
        let sent = send_again(&*store, id, NOW).await;
        (sent, claim(&*store, NOW, 1).await.len())
    });
    let (sent, claimed): (Vec<_>, Vec<_>) = sent.await.into_iter().unzip();
    let due = sent.iter().filter(|sent| **sent == SentAgain::Due(1));
    assert_eq!(due.count(), 1);
    assert_eq!(claimed.iter().sum::<usize>(), 1);
}
