//! Row 23: for two hours the EHR cannot be told that a visit has ended, and the server
//! breaks down meanwhile. Others of this row are in `write_backs` and `admin_pages`.

use std::time::Duration;

use reqwest::StatusCode;
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};

use crate::house::{ENCOUNTER, House, PATIENT, Setup, WHOLE};

const EMBEDDED: Setup<'static> = Setup {
    config: "",
    ..WHOLE
};

/// What the EHR is told of the end waits so long: the visit may go on.
const GRACE: Duration = Duration::from_secs(10);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Longer than the server waits for an answer.
const TIMES_OUT: Duration = Duration::from_secs(12);

impl House {
    /// Waits until the end of a visit was tried so often.
    async fn until_tried(&self, times: u64) {
        let tried = || self.ehr.requests(Endpoint::EndOfCall);
        self.until(&format!("{times} attempts"), |_| tried() >= times)
            .await;
        assert_eq!(tried(), times);
    }
}

#[tokio::test]
async fn row_23_an_ehr_that_is_down_for_two_hours_hears_of_the_end_all_the_same_and_once() {
    let house = House::open(EMBEDDED).await;
    let unavailable = || FaultAnswer::status(StatusCode::SERVICE_UNAVAILABLE);
    let fault = |fault| house.ehr.fault(Endpoint::EndOfCall, fault);
    fault(Fault::once(unavailable()));
    fault(Fault::once(unavailable()).after(TIMES_OUT));
    fault(Fault::once(FaultAnswer::Drop));
    fault(Fault::always(unavailable()));
    let patient = house.patient().await;
    let token = house.come(&patient).await;
    house.leave(&patient, &token).await;
    house.until_told(PATIENT, &["1", "2"]).await;

    house.clock.advance(GRACE);
    house.until_tried(1).await;
    house.until_put_off(&patient, 1).await;
    house.clock.advance(LONGEST_PAUSE);
    house.until_tried(2).await;
    // Another server goes on where the first one broke down, in the middle of an attempt.
    let mut house = house.break_down().await;
    for times in 3..=9 {
        house.clock.advance(LONGEST_PAUSE);
        house.until_tried(times.into()).await;
        house.until_put_off(&patient, times).await;
        if times == 6 {
            house = house.restart().await;
        }
    }
    // The pauses have grown: jitter takes half of one at most.
    house
        .clock
        .advance(LONGEST_PAUSE / 2 - Duration::from_secs(1));
    house.a_while().await;
    house.until_tried(9).await;
    assert!(house.journal("call_ended").is_empty());

    // It is back; that it has answered is lost once.
    house.ehr.clear_faults();
    let lost = Fault::once(FaultAnswer::LoseAnswer);
    house.ehr.fault(Endpoint::EndOfCall, lost);
    house.clock.advance(LONGEST_PAUSE);
    house.until_tried(10).await;
    house.until_put_off(&patient, 10).await;
    house.clock.advance(LONGEST_PAUSE);
    house.until_tried(11).await;
    house.until_all_is_said(&patient).await;
    house.clock.advance(LONGEST_PAUSE);
    house.a_while().await;
    house.until_tried(11).await;

    let told = house.journal("call_ended");
    assert_eq!(told.len(), 2);
    for told in &told {
        assert_eq!(told["fields"]["csn"], ENCOUNTER);
        assert_eq!(told["fields"]["user"], PATIENT);
    }
    assert!(told[0]["idempotency_key"].is_string());
    assert_eq!(told[0]["idempotency_key"], told[1]["idempotency_key"]);
    assert_eq!(
        told[0]["fields"], told[1]["fields"],
        "it ended when it ended"
    );
    house.until_told(PATIENT, &["1", "2"]).await;
}
