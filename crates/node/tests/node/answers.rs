//! Every answer of the node, judged by Pexip's own validators.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;
use vestibule_node::NodeSettings;

use crate::{
    house::{Answer, GROUP, GUEST_PIN, HOST_PIN, House, OPEN, STAFF, VISIT, WRONG_PIN},
    judge::{Judge, captured, compare_types},
};

#[track_caller]
fn judged(judge: &mut Judge, request: &str, answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    judge.add(&format!("validate{request}{status}"), &answer.body);
}

#[tokio::test]
async fn request_token_answers_as_pexips_clients_expect() {
    let settings = NodeSettings {
        participants_per_conference: 3,
        conferences: 2,
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    let mut judge = Judge::default();
    let mut add = |answer: &Answer, status| judged(&mut judge, "RequestToken", answer, status);

    let either = json!({ "pin": "required", "guest_pin": "none" });
    let both = json!({ "pin": "required", "guest_pin": "required" });
    for (alias, pin, prompt) in [
        (VISIT, None, &either),
        (GROUP, None, &both),
        (GROUP, Some("none"), &both),
        (STAFF, None, &both),
        (STAFF, Some("none"), &both),
    ] {
        let answer = house.request_token(alias, pin, "Guest").await;
        add(&answer, 403);
        assert_eq!(answer.body["status"], "success");
        for key in ["pin", "guest_pin"] {
            assert_eq!(answer.result()[key], prompt[key], "{alias}");
        }
    }

    let answer = house.request_token(VISIT, Some(WRONG_PIN), "Guest").await;
    add(&answer, 403);
    assert_eq!(
        answer.body,
        json!({ "status": "failed", "result": "Invalid PIN" })
    );

    for (body, sentence) in [
        (
            json!({ "display_name": " \t " }).to_string(),
            "visible character",
        ),
        (
            json!({ "display_name": "n".repeat(201) }).to_string(),
            "200 characters",
        ),
        (
            json!({ "display_name": "n", "call_tag": "t".repeat(1_001) }).to_string(),
            "call_tag",
        ),
        (json!({ "display_name": 7 }).to_string(), "display_name"),
        ("{}".to_owned(), "display_name"),
        ("display_name=n".to_owned(), "JSON"),
        (
            " ".repeat(NodeSettings::default().body_limit + 1),
            "too large",
        ),
    ] {
        let answer = house
            .request_token_with(VISIT, None, body, "application/json")
            .await;
        add(&answer, 403);
        assert_eq!(answer.body["status"], "failed");
        assert!(
            answer.result().as_str().unwrap().contains(sentence),
            "{:?}",
            answer.body
        );
    }

    let answer = house.guest("nowhere@example.org").await;
    add(&answer, 404);
    assert_eq!(answer.result(), "Neither conference nor gateway found");
    add(&house.guest("%ff").await, 404);
    add(&house.guest(&"a".repeat(251)).await, 404);

    let body = r#"{"display_name":"n"}"#.to_owned();
    add(
        &house
            .request_token_with(VISIT, None, body.clone(), "text/plain")
            .await,
        415,
    );
    let charset = "application/json; charset=utf-8";
    add(
        &house.request_token_with(OPEN, None, body, charset).await,
        200,
    );

    add(&house.guest(VISIT).await, 200);
    add(&house.host(VISIT).await, 200);
    add(&house.guest(VISIT).await, 200);
    let answer = house.guest(VISIT).await;
    add(&answer, 403);
    assert_eq!(answer.result(), "Participant limit reached");
    add(&house.host(VISIT).await, 200);
    let answer = house.host(STAFF).await;
    add(&answer, 503);
    assert_eq!(answer.result(), "Out of resource");

    house.policy.fail();
    let answer = house.guest(VISIT).await;
    add(&answer, 503);
    assert_eq!(answer.result(), "503 Service Unavailable");
    judge.decide();
}

#[tokio::test]
async fn a_silent_policy_is_given_up() {
    let settings = NodeSettings {
        policy_deadline: Duration::from_millis(20),
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    house.policy.fall_silent();
    assert_eq!(house.guest(VISIT).await.status, 503);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let settings = NodeSettings {
        body_deadline: Duration::from_millis(20),
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    let address = house.address.trim_start_matches("http://").to_owned();
    let request = format!(
        "POST /api/client/v2/conferences/{VISIT}/request_token HTTP/1.1\r\nHost: n\r\n\
         Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
    );
    let ask = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = tokio::task::spawn_blocking(ask).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("did not arrive in time"), "{answer}");
}

#[tokio::test]
async fn a_granted_token_looks_like_a_captured_one() {
    let house = House::open().await;
    let captured = captured("request_token_v36.json");
    for answer in [house.guest(VISIT).await, house.host(VISIT).await] {
        compare_types(&answer.body, &captured);
        compare_types(answer.result(), &captured["result"]);
        compare_types(&answer.result()["version"], &captured["result"]["version"]);
        assert_eq!(answer.result()["expires"], "120");
        assert_eq!(answer.result()["service_name"], "Visit of Beverley");
    }
}

#[tokio::test]
async fn requests_with_a_token_answer_as_pexips_clients_expect() {
    let house = House::open().await;
    let mut judge = Judge::default();
    let guest = house
        .request_token(GROUP, Some(GUEST_PIN), "Guest")
        .await
        .token();
    let host = house.host(GROUP).await;
    let uuid = host.text("participant_uuid");
    let host = host.token();

    let answer = house.get(GROUP, "conference_status", &host).await;
    judged(&mut judge, "ConferenceStatus", &answer, 200);
    assert_eq!(answer.result()["started"], true);
    compare_types(answer.result(), &captured("conference_update.json"));
    let answer = house.get(GROUP, "participants", &guest).await;
    judged(&mut judge, "Participants", &answer, 200);
    assert_eq!(answer.result().as_array().unwrap().len(), 2);
    for theme in ["theme/", "theme"] {
        let answer = house.get(GROUP, theme, &host).await;
        assert_eq!(answer.status, 204);
        judge.add("validateTheme204", &json!(answer.sent));
    }

    let answer = house
        .post(GROUP, &format!("participants/{uuid}/calls"), &host)
        .await;
    judged(&mut judge, "CallsWebrtcParticipant", &answer, 403);
    assert_eq!(answer.result(), "This node carries no media");

    let refreshed = house.post(GROUP, "refresh_token", &host).await;
    judged(&mut judge, "RefreshToken", &refreshed, 200);
    assert_eq!(refreshed.result()["role"], "HOST");
    let answer = house.post(GROUP, "release_token", &refreshed.token()).await;
    judged(&mut judge, "ReleaseToken", &answer, 200);
    assert_eq!(answer.body, json!({ "status": "success", "result": true }));

    let calls = format!("participants/{uuid}/calls");
    for (method, request, validator) in [
        ("POST", "refresh_token", "RefreshToken"),
        ("POST", "release_token", "ReleaseToken"),
        ("POST", calls.as_str(), "CallsWebrtcParticipant"),
        ("GET", "events", "RefreshToken"),
        ("GET", "conference_status", "RefreshToken"),
        ("GET", "participants", "RefreshToken"),
    ] {
        for query in ["", "?token=", "?token=wrong", &format!("?token={host}")] {
            let path = format!("/api/client/v2/conferences/{GROUP}/{request}{query}");
            let answer = house.ask(method, &path).await;
            judged(&mut judge, validator, &answer, 403);
            assert_eq!(
                answer.body,
                json!({ "status": "failed", "result": "Invalid token" })
            );
        }
    }
    judge.decide();
}

#[tokio::test]
async fn the_locked_answer_says_when_to_come_back() {
    let house = House::open().await;
    let mut judge = Judge::default();
    for _ in 0..5 {
        house.request_token(VISIT, Some(WRONG_PIN), "Guest").await;
    }
    house.pass(60);
    let answer = house.host(VISIT).await;
    judged(&mut judge, "RequestToken", &answer, 403);
    let locked = "Participant exceeded PIN entry retries";
    assert_eq!(answer.body, json!({ "status": "failed", "result": locked }));
    assert_eq!(answer.header("retry-after"), Some("240"));
    judge.decide();
}

#[tokio::test]
async fn the_status_says_whether_the_node_takes_newcomers() {
    let house = House::open().await;
    let mut judge = Judge::default();
    let answer = house.ask("GET", "/api/client/v2/status").await;
    assert_eq!(
        (answer.status, &answer.body["status"]),
        (200, &json!("success"))
    );
    house.node.shut_down();
    for answer in [
        house.ask("GET", "/api/client/v2/status").await,
        house.request_token(VISIT, Some(HOST_PIN), "Dr Host").await,
    ] {
        judged(&mut judge, "RequestToken", &answer, 503);
        assert_eq!(answer.result(), "System in maintenance mode");
    }
    judge.decide();
}

#[tokio::test]
async fn unknown_requests_fail_in_the_client_apis_way() {
    let house = House::open().await;
    for (method, path, status) in [
        (
            "GET",
            format!("/api/client/v2/conferences/{VISIT}/lock"),
            404,
        ),
        ("POST", format!("/api/client/v2/conferences/{VISIT}"), 404),
        ("POST", "/api/client/v2/registrations".to_owned(), 404),
        (
            "GET",
            format!("/api/client/v2/conferences/{VISIT}/request_token"),
            405,
        ),
        ("POST", "/api/client/v2/status".to_owned(), 405),
    ] {
        let answer = house.ask(method, &path).await;
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (status, &json!("failed")),
            "{path}"
        );
    }
}
