//! Pexip's own client functions against the node.

use serde_json::{Value, json};

use crate::{
    house::{HOST_PIN, House, VISIT},
    judge,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pexips_own_client_comes_in_stays_and_leaves() {
    let house = House::open().await;
    let address = house.address.clone();
    let run = move || judge::node("client.mjs", &[&address, VISIT, HOST_PIN], "");
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complaint}");

    let answers: Vec<Value> = serde_json::from_str(&said).unwrap();
    let statuses: Vec<_> = answers
        .iter()
        .map(|it| json!([it["name"], it["status"]]))
        .collect();
    assert_eq!(
        Value::from(statuses),
        json!([
            ["requestToken", 403],
            ["requestToken", 403],
            ["requestToken", 404],
            ["requestToken", 200],
            ["requestToken", 200],
            ["theme", 204],
            ["conferenceStatus", 200],
            ["participants", 200],
            ["callsWebrtcParticipant", 403],
            ["refreshToken", 200],
            ["releaseToken", 200],
            ["refreshToken", 403],
            ["releaseToken", 200],
            ["releaseToken", 403],
        ])
    );
    let result = |index: usize| &answers[index]["data"]["result"];
    assert_eq!(result(0)["guest_pin"], "none");
    assert_eq!(result(1), "Invalid PIN");
    assert_eq!(
        (&result(3)["role"], &result(4)["role"]),
        (&json!("GUEST"), &json!("HOST"))
    );
    assert_eq!(result(6)["started"], true);
    assert_eq!(result(7).as_array().unwrap().len(), 2);
    assert_eq!(house.departures(), ["Call disconnected"; 2]);
}
