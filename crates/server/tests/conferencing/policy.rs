//! The external policy server, asked as Pexip Infinity asks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{House, PEXIP, POLICY, SINK, Setup, WHOLE, read};

#[tokio::test]
async fn a_one_time_alias_leads_to_its_appointment_the_same_for_everybody() {
    let house = House::open(WHOLE).await;
    let (provider, patient) = (house.provider().await, house.patient().await);
    let answer = house.policy(&provider.alias).await;
    assert_eq!(answer["action"], "continue");
    let result = &answer["result"];
    let tag = result["service_tag"].as_str().unwrap();
    assert!(tag.len() == 64 && tag.bytes().all(|digit| digit.is_ascii_hexdigit()));
    assert_eq!(
        *result,
        json!({
            "name": "Appointment for Beverley Spinder Healthcare Org:6ea6d1427f684721abd21c1634386f7b6 in Radiology",
            "service_tag": tag,
            "service_type": "conference",
            "pin": provider.pin.as_deref().unwrap(),
            "allow_guests": true,
        })
    );
    assert_eq!(house.policy(&patient.alias).await, answer);
    for written in [
        format!("sip:{}", patient.alias),
        format!("PEXIP:{}", patient.alias.to_uppercase()),
        format!("h323:{};transport=tls", patient.alias),
        // As a routing rule of Pexip's own may have left it.
        patient.alias.split(['.', '@']).nth(1).unwrap().to_owned(),
    ] {
        assert_eq!(house.policy(&written).await, answer, "{written}");
    }
}

#[tokio::test]
async fn an_answer_has_what_the_administrator_wants_everywhere() {
    let more = "theme = \"Telehealth\"\ndescription = \"Made by Vestibule\"\nview = \"one_main_seven_pips\"\n";
    let house = House::open(Setup {
        config: &format!("{PEXIP}{more}"),
        ..WHOLE
    })
    .await;
    let answer = house.policy(&house.patient().await.alias).await;
    let result = &answer["result"];
    assert_eq!(result["ivr_theme_name"], "Telehealth");
    assert_eq!(result["description"], "Made by Vestibule");
    assert_eq!(result["view"], "one_main_seven_pips");
    // It must not be in the answer of a conference.
    assert_eq!(result.get("local_alias"), None);
}

#[tokio::test]
async fn an_alias_that_has_expired_is_refused_and_an_unknown_one_left_to_pexip() {
    let house = House::open(WHOLE).await;
    let patient = house.patient().await;
    let (goes_on, rejects) = (
        json!({"status": "success", "action": "continue"}),
        json!({"status": "success", "action": "reject"}),
    );
    for unknown in [
        "",
        "meet.someone@example.org",
        "telehealth.@x",
        &"a".repeat(5000),
    ] {
        assert_eq!(house.policy(unknown).await, goes_on, "{unknown}");
    }
    let no_alias = house
        .get("/policy/v1/service/configuration?protocol=sip&local_alias%ff=x")
        .basic_auth(POLICY.0, Some(POLICY.1));
    assert_eq!(read(no_alias.send().await.unwrap()).await, goes_on);
    house.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(house.policy(&patient.alias).await, rejects);

    let house = House::open(Setup {
        config: &format!("{PEXIP}unknown_alias = \"reject\"\n"),
        ..WHOLE
    })
    .await;
    assert_eq!(house.policy("meet.someone@example.org").await, rejects);
}

#[tokio::test]
async fn whatever_else_pexip_asks_is_left_to_it() {
    let house = House::open(WHOLE).await;
    for path in [
        "/policy/v1/participant/properties?local_alias=x",
        "/policy/v1/participant/location",
        "/policy/v1/registrations",
        "/policy/v1/registrations/somebody@example.org",
    ] {
        let request = house.get(path).basic_auth(POLICY.0, Some(POLICY.1));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let goes_on = json!({"status": "success", "action": "continue"});
        assert_eq!(read(response).await, goes_on, "{path}");
    }
    let request = house
        .get("/policy/v1/participant/avatar/somebody@example.org?width=40")
        .basic_auth(POLICY.0, Some(POLICY.1));
    assert_eq!(request.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn nobody_else_is_answered() {
    let house = House::open(WHOLE).await;
    let patient = house.patient().await;
    let paths = [
        format!(
            "/policy/v1/service/configuration?local_alias={}",
            patient.alias
        ),
        "/policy/v1/participant/location".to_owned(),
        "/policy/v1/participant/avatar/x".to_owned(),
    ];
    for path in &paths {
        let wrong = [
            None,
            Some((POLICY.0, "wrong")),
            Some(("wrong", POLICY.1)),
            Some(SINK),
        ];
        for credentials in wrong {
            let mut request = house.get(path);
            if let Some((user, password)) = credentials {
                request = request.basic_auth(user, Some(password));
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{path}");
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Basic "), "{challenge}");
            assert!(!response.text().await.unwrap().contains("pin"));
        }
    }
    let closed = House::open(Setup {
        config: "",
        ..WHOLE
    })
    .await;
    for path in &paths {
        let request = closed.get(path).basic_auth(POLICY.0, Some(POLICY.1));
        assert_eq!(request.send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn pexip_may_have_an_address_of_its_own() {
    let house = House::open(Setup {
        config: &format!("{PEXIP}listen = \"127.0.0.1:0\"\n"),
        ..WHOLE
    })
    .await;
    let patient = house.patient().await;
    let answer = house.policy(&patient.alias).await;
    assert!(answer["result"]["pin"].is_string());
    let event = json!({
        "node": "10.44.2.17", "seq": 1, "version": 2, "time": 1_800_000_000.5,
        "event": "eventsink_started", "data": {},
    });
    assert_eq!(house.tell(&event).await, 204);
    let path = "/policy/v1/service/configuration?local_alias=x";
    let elsewhere = house.get(path).basic_auth(POLICY.0, Some(POLICY.1));
    assert_eq!(elsewhere.send().await.unwrap().status(), 404);
    let launches = house.get_as_pexip("/healthz").send().await.unwrap();
    assert_eq!(launches.status(), 404);
    assert_eq!(launches.headers()["cache-control"], "no-store");
    house.end().await;
}

#[tokio::test]
async fn an_answer_is_not_kept_by_anybody_on_the_way() {
    let house = House::open(WHOLE).await;
    let response = house.ask(&house.patient().await.alias).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["content-type"], "application/json");
    let answer: Value = read(response).await;
    assert!(answer["result"]["pin"].is_string());
}

#[tokio::test]
async fn after_ten_wrong_passwords_an_address_waits_whichever_door_it_tries() {
    let house = House::open(WHOLE).await;
    let patient = house.patient().await;
    let wrong = async |path: &str| {
        let request = house.get_as_pexip(path);
        let request = request.basic_auth(POLICY.0, Some("a guess"));
        let response = request.send().await.unwrap();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), retry_after)
    };
    let path = "/policy/v1/participant/properties?local_alias=a";
    for _ in 0..10 {
        assert_eq!(wrong(path).await, (401, None));
        assert_eq!(house.ask(&patient.alias).await.status(), 200);
        // Who sends nothing has guessed nothing.
        let none = house.get_as_pexip(path).send().await.unwrap();
        assert_eq!(none.status(), 401);
    }
    let locked = (429, Some("300".to_owned()));
    assert_eq!(wrong(path).await, locked, "the one of this second");
    assert_eq!(
        house.ask(&patient.alias).await.status(),
        429,
        "not looked at"
    );
    // The event sink has credentials of its own, and is another door.
    assert_eq!(house.tell(&serde_json::json!({})).await, 400);
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(
        house.ask(&patient.alias).await.status(),
        200,
        "now and then"
    );
    assert_eq!(house.ask(&patient.alias).await.status(), 429);
    house.clock.advance(Duration::from_secs(299));
    for _ in 0..3 {
        assert_eq!(house.ask(&patient.alias).await.status(), 200);
    }
}
