//! The event sink's door: who may tell, and what is taken.

use serde_json::{Value, json};

use crate::house::{House, POLICY, SINK, Setup, WHOLE};

const PATH: &str = "/api/telehealth/v1/event_sink";

fn event(event: &str, data: &Value) -> Value {
    json!({
        "node": "10.44.2.17", "seq": 7, "version": 2, "time": 1_800_000_000.5,
        "event": event, "data": data,
    })
}

#[tokio::test]
async fn what_nobody_here_knows_is_taken_all_the_same() {
    let house = House::open(WHOLE).await;
    let conference = json!({"name": "Weekly sales", "tag": "sales", "is_started": true});
    for message in [
        event("conference_started", &conference),
        event("something_new", &json!({"anything": [1, 2, 3]})),
        event("participant_media_stream_window", &json!({})),
        event("participant_connected", &json!({"uuid": "none"})),
        event("eventsink_updated", &json!({})),
        json!({"event": "eventsink_bulk", "node": "127.0.0.1", "seq": 0, "data": []}),
    ] {
        assert_eq!(house.tell(&message).await, 204, "{message}");
    }
    assert!(house.journal("connection_status").is_empty());
}

#[tokio::test]
async fn nobody_else_is_listened_to() {
    let house = House::open(WHOLE).await;
    let message = event("eventsink_started", &json!({}));
    for credentials in [None, Some((SINK.0, "wrong")), Some(POLICY)] {
        let mut request = house.post(PATH).body(message.to_string());
        if let Some((user, password)) = credentials {
            request = request.basic_auth(user, Some(password));
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
    }
    let request = house.get(PATH).basic_auth(SINK.0, Some(SINK.1));
    assert_eq!(request.send().await.unwrap().status(), 405);
    let closed = House::open(Setup {
        config: "",
        ..WHOLE
    })
    .await;
    assert_eq!(closed.tell(&message).await, 404);
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_a_megabyte_is_enough() {
    let house = House::open(WHOLE).await;
    for message in [json!([]), json!({}), json!({"event": 7}), json!("event")] {
        assert_eq!(house.tell(&message).await, 400, "{message}");
    }
    let padded = |bytes: usize| {
        let mut message = event("conference_started", &json!({"name": "x", "tag": "y"}));
        message["data"]["padding"] = "x".repeat(bytes).into();
        message
    };
    assert_eq!(house.tell(&padded(1_000_000)).await, 204);
    assert_eq!(house.tell(&padded(1_100_000)).await, 413);
}
