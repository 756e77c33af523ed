//! The embedded node: what happens in it is told to the EHR by the same way.

use std::time::Duration;

use crate::house::{House, PATIENT, PROVIDER, Setup, WHOLE};

const EMBEDDED: Setup<'static> = Setup {
    config: "",
    ..WHOLE
};

#[tokio::test]
async fn the_ehr_hears_of_a_visit_in_the_embedded_node() {
    let house = House::open(EMBEDDED).await;
    let (provider, patient) = (house.provider().await, house.patient().await);
    let waiting = house.come(&patient).await;
    house.until_told(PATIENT, &["1"]).await;
    let host = house.come(&provider).await;
    house.until_told(PROVIDER, &["1"]).await;
    house.leave(&provider, &host).await;
    house.until_told(PROVIDER, &["1", "2"]).await;
    assert_eq!(house.connections(PATIENT), ["1"]);
    house.leave(&patient, &waiting).await;
    house.until_told(PATIENT, &["1", "2"]).await;
    house.clock.advance(Duration::from_secs(10));
    house
        .until("both are told of the end", |house| {
            house.journal("call_ended").len() == 2
        })
        .await;
}

#[tokio::test]
async fn a_page_that_is_loaded_again_ends_nothing() {
    let house = House::open(EMBEDDED).await;
    let provider = house.provider().await;
    let first = house.come(&provider).await;
    house.until_told(PROVIDER, &["1"]).await;
    house.leave(&provider, &first).await;
    let second = house.come(&provider).await;
    house.until_told(PROVIDER, &["1", "2"]).await;
    // That the second one has come is known before the end of the first is due.
    house
        .until_recorded(&provider, |records| records.len() == 4)
        .await;
    house.clock.advance(Duration::from_secs(10));
    // The end that was not one is not told, and the connection that follows it is.
    house.until_told(PROVIDER, &["1", "2", "1"]).await;
    assert!(house.journal("call_ended").is_empty());
    house.leave(&provider, &second).await;
    house.until_told(PROVIDER, &["1", "2", "1", "2"]).await;
    house.clock.advance(Duration::from_secs(10));
    house
        .until("the end is told", |house| {
            house.journal("call_ended").len() == 1
        })
        .await;
}

#[tokio::test]
async fn whoever_is_there_when_the_server_ends_is_told_of_by_the_next_one() {
    let house = House::open(EMBEDDED).await;
    let provider = house.provider().await;
    house.come(&provider).await;
    house.until_told(PROVIDER, &["1"]).await;
    let house = house.restart().await;
    house.until_told(PROVIDER, &["1", "2"]).await;
    house.clock.advance(Duration::from_secs(10));
    house
        .until("the end is told", |house| {
            house.journal("call_ended").len() == 1
        })
        .await;
}

#[tokio::test]
async fn whoever_was_there_when_the_server_broke_down_is_not_there_any_more() {
    let house = House::open(EMBEDDED).await;
    let provider = house.provider().await;
    house.come(&provider).await;
    house.until_told(PROVIDER, &["1"]).await;
    let house = house.break_down().await;
    house.until_told(PROVIDER, &["1", "2"]).await;
    house.clock.advance(Duration::from_secs(10));
    house
        .until("the end is told", |house| {
            house.journal("call_ended").len() == 1
        })
        .await;
    let again = house.come(&provider).await;
    house.until_told(PROVIDER, &["1", "2", "1"]).await;
    house.leave(&provider, &again).await;
}
