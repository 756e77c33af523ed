//! What must not be in the log.

use std::time::Duration;

use serde_json::json;
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};

use crate::{
    epic::KEY,
    house::{ENCOUNTER, House, PATIENT, POLICY, PROVIDER, SINK, WHOLE},
};

#[tokio::test]
async fn the_log_tells_what_happened_and_nothing_secret() {
    let house = House::open(WHOLE).await;
    let (provider, patient) = (house.provider().await, house.patient().await);
    let answer = house.policy(&provider.alias).await;
    let tag = answer["result"]["service_tag"].as_str().unwrap().to_owned();
    house.ask("telehealth.unknown-alias@example.org").await;
    house
        .ehr
        .fault(Endpoint::Status, Fault::once(FaultAnswer::Drop));
    house.ehr.fault(
        Endpoint::EndOfCall,
        Fault::once(FaultAnswer::status(reqwest::StatusCode::BAD_REQUEST)),
    );
    let event = |seq: u64, event: &str, alias: &str| {
        json!({
            "node": "10.44.2.17", "seq": seq, "version": 2, "time": 1_800_000_000.5,
            "event": event, "data": {
                "uuid": "c1f6e1b8-6d0b-4b9a-9f5f-0a3f4be7a001", "conference": "Visit of Beverley",
                "destination_alias": alias, "display_name": "Beverley P Spinder",
                "remote_address": "10.44.75.250", "role": "guest", "service_tag": tag,
                "service_type": "conference", "disconnect_reason": "Call disconnected",
            },
        })
    };
    assert_eq!(
        house
            .tell(&event(1, "participant_connected", &patient.alias))
            .await,
        204
    );
    house.until_put_off(&patient, 1).await;
    house.clock.advance(Duration::from_secs(10));
    house.until_told(PATIENT, &["1"]).await;
    assert_eq!(
        house
            .tell(&event(2, "participant_disconnected", &patient.alias))
            .await,
        204
    );
    house.until_told(PATIENT, &["1", "2"]).await;
    assert_eq!(house.tell(&json!({"event": "Beverley"})).await, 204);
    assert_eq!(house.tell(&json!(["Beverley"])).await, 400);
    let token = house.come(&provider).await;
    house.leave(&provider, &token).await;
    // The end of the patient's visit waits before it.
    house.clock.advance(Duration::from_secs(10));
    house.until_told(PROVIDER, &["1", "2"]).await;
    house.clock.advance(Duration::from_secs(10));
    for joined in [&provider, &patient] {
        house.until_all_is_said(joined).await;
    }
    let (pin, aliases) = (
        provider.pin.clone().unwrap(),
        [provider.alias, patient.alias],
    );
    house.end().await;

    let log = vestibule_test_log::text();
    for told in [
        "route=\"/policy/v1/service/configuration\" status=200",
        "route=\"/api/telehealth/v1/event_sink\" status=204",
        "event=\"participant_connected\"",
        "reason=\"Call disconnected\"",
        "the policy server led to a visit",
        "it is tried again",
        "it is given up",
        "the EHR was told",
        "change=\"disconnected\"",
        "events cannot be read",
        &tag,
    ] {
        assert!(log.contains(told), "{told} in {log}");
    }
    let secrets = [
        pin.as_str(),
        aliases[0].split(['.', '@']).nth(1).unwrap(),
        aliases[1].split(['.', '@']).nth(1).unwrap(),
        "unknown-alias",
        POLICY.1,
        SINK.1,
        KEY,
        ENCOUNTER,
        PATIENT,
        PROVIDER,
        "Beverley",
        "Spinder",
        "Radiology",
        "10.44.75.250",
        "Bearer",
        "secret of the",
        "patient secret",
        &token,
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
