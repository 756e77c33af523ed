//! Row 18 with PostgreSQL: it is down, or does not answer. Launches fail with a page and not
//! halfway, and go on when it is back.

use reqwest::Response;
use vestibule_launch::RequestId;

use super::{House, Node, assert_failure, assert_given_up, assert_logged, ready};
use crate::support::{location, parameter};

async fn assert_unavailable(response: Response) -> RequestId {
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "5");
    assert_failure(response).await
}

/// What holds as long as the database is away, also of a launch that is under way. Gives
/// what the log says of launches that failed.
async fn assert_away(house: &House, node: &Node, state: &str) -> Vec<String> {
    let asked = house.codes().len();
    let failures = [
        assert_unavailable(house.begin(node, "launch-while-away").await).await,
        assert_unavailable(house.return_with(node, state, "code-1").await).await,
    ];
    assert_eq!(house.codes().len(), asked, "the EHR is not asked");
    assert_eq!(house.get(node, "/healthz").await.status(), 200);
    let ready = house.get(node, "/readyz").await;
    assert_eq!(ready.status(), 503);
    assert!(ready.text().await.unwrap().contains("the database"));
    assert_logged(&house.log(), &failures)
}

/// What holds when it is back.
async fn assert_back(house: &House, node: &Node, state: &str, code: &str) {
    ready(house, node).await;
    let half_done = launches(house, "state NOT IN ('started', 'completed')");
    assert_eq!(half_done, "0", "no state was consumed");
    let joined = house.return_with(node, state, code).await;
    assert_eq!(joined.status(), 303, "its state was not consumed");
    assert_eq!(house.codes()[code], 1);
}

/// How many launches are stored of which this holds.
fn launches(house: &House, condition: &str) -> String {
    let count = format!("SELECT count(*) FROM launches WHERE {condition}");
    let counted = house.cluster.query(&house.database, &count);
    counted.trim().to_owned()
}

async fn begun(house: &House, node: &Node, launch_token: &str) -> String {
    let begun = house.begin(node, launch_token).await;
    assert_eq!(begun.status(), 303);
    parameter(location(&begun), "state")
}

#[tokio::test(flavor = "multi_thread")]
async fn row_18_postgresql_that_is_down_or_does_not_answer() {
    let house = House::new().await;
    let node = house.node();
    let state = begun(&house, &node, "launch-1").await;
    house.cluster.kill();
    assert_away(&house, &node, &state).await;
    house.cluster.start_again();
    assert_eq!(launches(&house, "TRUE"), "1", "what failed is not stored");
    assert_back(&house, &node, &state, "code-1").await;

    let state = begun(&house, &node, "launch-2").await;
    house.cluster.freeze();
    let told = assert_away(&house, &node, &state).await;
    assert_given_up(&told);
    // What was sent to it may be done now: then a launch was begun of which nobody has the
    // state.
    house.cluster.thaw();
    assert_back(&house, &node, &state, "code-2").await;
}
