//! Who has no PIN, or the wrong one.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_test_log::Class;

use crate::house::{House, Setup, WHOLE, read};

/// What a client is refused with.
async fn refusal(house: &House, alias: &str, pin: Option<&str>) -> (u16, Option<u64>, Value) {
    let response = house.request_token(alias, pin).await;
    let header = response.headers().get("retry-after");
    let retry_after = header.map(|value| value.to_str().unwrap().parse().unwrap());
    (
        response.status().as_u16(),
        retry_after,
        read(response).await,
    )
}

#[tokio::test]
async fn row_32_no_guest_learns_the_host_pin() {
    let house = House::open(WHOLE).await;
    let (provider, patient) = (house.provider().await, house.patient().await);
    let pin = provider.pin.as_deref().unwrap();
    assert_eq!(patient.pin, None);
    assert!(!patient.link.contains(pin));
    let prompt = house.request_token(&patient.alias, None).await;
    assert_eq!(prompt.status(), 403);
    let entered = house.request_token(&patient.alias, Some("none")).await;
    assert_eq!(entered.status(), 200);
    let headers = format!("{:?}{:?}", prompt.headers(), entered.headers());
    let (prompt, entered) = (prompt.text().await.unwrap(), entered.text().await.unwrap());
    for shown in [&headers, &prompt, &entered] {
        assert!(!shown.contains(pin), "{shown}");
    }
    let answer: Value = serde_json::from_str(&entered).unwrap();
    assert_eq!(answer["result"]["role"], "GUEST");
    let token = answer["result"]["token"].as_str().unwrap();
    vestibule_test_log::secret(Class::Token, token);
    for path in ["participants", "conference_status"] {
        let path = format!("/api/client/v2/conferences/{}/{path}", patient.alias);
        let response = house
            .get(&path)
            .header("token", token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert!(!response.text().await.unwrap().contains(pin), "{path}");
    }
}

#[tokio::test]
async fn row_32_a_host_link_without_its_pin_makes_no_host() {
    let house = House::open(WHOLE).await;
    let provider = house.provider().await;
    let response = house.request_token(&provider.alias, Some("none")).await;
    let answer: Value = read(response).await;
    assert_eq!(answer["result"]["role"], "GUEST");
    // And a guest's link with the PIN makes one: the PIN alone decides.
    let patient = house.patient().await;
    let pin = provider.pin.as_deref();
    let answer: Value = read(house.request_token(&patient.alias, pin).await).await;
    assert_eq!(answer["result"]["role"], "HOST");
}

#[tokio::test]
async fn row_32_wrong_pins_are_counted_and_the_lock_tells_nothing() {
    let house = House::open(Setup {
        config: "",
        ..WHOLE
    })
    .await;
    let (provider, patient) = (house.provider().await, house.patient().await);
    let right = provider.pin.as_deref().unwrap();
    let wrong = if right == "13572468" {
        "24681357"
    } else {
        "13572468"
    };
    for _ in 0..5 {
        let (status, _, answer) = refusal(&house, &provider.alias, Some(wrong)).await;
        assert_eq!((status, &answer["result"]), (403, &json!("Invalid PIN")));
    }
    // It does not tell which PIN is right.
    let locked = refusal(&house, &provider.alias, Some(wrong)).await;
    assert_eq!(locked.0, 403);
    assert!((1..=300).contains(&locked.1.unwrap()), "{locked:?}");
    assert_eq!(refusal(&house, &provider.alias, Some(right)).await, locked);
    // Guests come in by it as before, and hosts by the alias of another launch.
    let guest = house.request_token(&provider.alias, Some("none")).await;
    assert_eq!(guest.status(), 200);
    let host = house.request_token(&patient.alias, Some(right)).await;
    assert_eq!(host.status(), 200);

    // It does not tell whether there is a conference: where there is none no number of
    // PINs changes the answer, and an alias that was one answers like one that never was.
    let nobody = "telehealth.00000000000000000000000000@telehealth.example.org";
    let none = refusal(&house, nobody, Some(wrong)).await;
    assert_eq!((none.0, none.1), (404, None));
    for _ in 0..10 {
        assert_eq!(refusal(&house, nobody, Some(wrong)).await, none);
    }
    assert_eq!(refusal(&house, nobody, None).await, none);
    house.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(refusal(&house, &provider.alias, Some(right)).await, none);
    assert_eq!(refusal(&house, &provider.alias, None).await, none);

    // After five minutes the right PIN is right again.
    let again = house.provider().await;
    for _ in 0..5 {
        refusal(&house, &again.alias, Some(wrong)).await;
    }
    let (_, locked, _) = refusal(&house, &again.alias, Some(right)).await;
    house.clock.advance(Duration::from_secs(locked.unwrap()));
    let response = house.request_token(&again.alias, Some(right)).await;
    assert_eq!(response.status(), 200);
}
