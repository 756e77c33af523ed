//! How long a token works, and for what.

use std::collections::HashSet;

use crate::house::{GROUP, House, VISIT};

#[tokio::test]
async fn a_refreshed_token_works_and_the_old_one_until_its_own_expiry() {
    let house = House::open().await;
    let old = house.host(VISIT).await.token();
    house.pass(40);
    let new = house.post(VISIT, "refresh_token", &old).await.token();
    assert_ne!(old, new);
    house.pass(79);
    assert_eq!(house.get(VISIT, "participants", &old).await.status, 200);
    house.pass(1);
    assert_eq!(house.get(VISIT, "participants", &old).await.status, 403);
    assert_eq!(house.post(VISIT, "refresh_token", &old).await.status, 403);
    assert_eq!(house.post(VISIT, "refresh_token", &new).await.status, 200);
}

#[tokio::test]
async fn a_participant_who_does_not_refresh_is_removed() {
    let house = House::open().await;
    let token = house.host(VISIT).await.token();
    house.pass(119);
    assert_eq!(house.get(VISIT, "participants", &token).await.status, 200);
    house.pass(1);
    assert_eq!(house.departures(), ["Timer expired awaiting token refresh"]);
    assert_eq!(house.get(VISIT, "participants", &token).await.status, 403);
}

#[tokio::test]
async fn no_token_of_a_participant_works_after_release() {
    let house = House::open().await;
    let first = house.host(VISIT).await.token();
    let second = house.post(VISIT, "refresh_token", &first).await.token();
    // As a beacon sends it: token in the query, alias as it is.
    let path = format!("/api/client/v2/conferences/{VISIT}/release_token?token={second}");
    assert_eq!(house.ask("POST", &path).await.status, 200);
    for token in [&first, &second] {
        assert_eq!(
            house.post(VISIT, "refresh_token", token).await.result(),
            "Invalid token"
        );
        assert_eq!(
            house.post(VISIT, "release_token", token).await.result(),
            "Invalid token"
        );
    }
}

#[tokio::test]
async fn a_token_works_for_its_own_alias_only() {
    let house = House::open().await;
    let token = house.host(VISIT).await.token();
    house.host(GROUP).await;
    assert_eq!(house.get(GROUP, "participants", &token).await.status, 403);
    assert_eq!(house.post(GROUP, "release_token", &token).await.status, 403);
    assert_eq!(house.get(VISIT, "participants", &token).await.status, 200);
}

#[tokio::test]
async fn refreshing_without_end_leaves_only_the_latest_tokens_working() {
    let house = House::open().await;
    let mut tokens = vec![house.host(VISIT).await.token()];
    for _ in 0..20 {
        let latest = tokens.last().unwrap();
        tokens.push(house.post(VISIT, "refresh_token", latest).await.token());
    }
    assert_eq!(tokens.iter().collect::<HashSet<_>>().len(), tokens.len());
    let mut working = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if house.get(VISIT, "participants", token).await.status == 200 {
            working.push(index);
        }
    }
    assert_eq!(working, (13..=20).collect::<Vec<_>>());
}
