//! The whole way with the sandbox as EHR, which is as strict as a real one.

use crate::support::{Sandboxed, epic_profile, parameter};

#[tokio::test]
async fn both_go_from_the_ehrs_button_into_the_visit() {
    let house = Sandboxed::start(|ehr| epic_profile(ehr, ""), "").await;
    let (provider, patient) = (
        house.launch("clinician").await,
        house.launch("patient").await,
    );
    let links = [provider.join_link(), patient.join_link()];
    assert_eq!(parameter(links[0], "name"), "Healthcare Org");
    assert_eq!(parameter(links[1], "name"), "Beverley P Spinder");
    assert_eq!(parameter(links[0], "pin").len(), 8);
    assert!(!links[1].contains("pin="));
}
