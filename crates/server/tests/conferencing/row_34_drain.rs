//! Row 34: what the EHR is being told as the server ends.

use std::time::Duration;

use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};

use crate::house::{House, PATIENT, Setup, WHOLE};

const EMBEDDED: Setup<'static> = Setup {
    config: "",
    ..WHOLE
};

/// Longer than a server without anything under way takes to end, and not longer than it
/// waits for an answer.
const SLOW: Duration = Duration::from_secs(3);

/// After so long a write-back would be free again if its server had broken down.
const LEASE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn row_34_what_is_being_told_as_the_server_ends_is_told_once() {
    let house = House::open(EMBEDDED).await;
    let slow = Fault::once(FaultAnswer::Usual).after(SLOW);
    house.ehr.fault(Endpoint::Status, slow);
    let patient = house.patient().await;
    let token = house.come(&patient).await;
    house
        .until("an attempt", |house| {
            house.ehr.requests(Endpoint::Status) == 1
        })
        .await;
    house.leave(&patient, &token).await;
    let house = house.restart().await;
    // The server that ended has waited for the answer and recorded it: nothing is told
    // twice, and what came after is told by the next one.
    house.until_told(PATIENT, &["1", "2"]).await;
    house.clock.advance(LEASE);
    house
        .until("the end is told", |house| {
            house.journal("call_ended").len() == 1
        })
        .await;
    house.a_while().await;
    house.until_told(PATIENT, &["1", "2"]).await;
}
