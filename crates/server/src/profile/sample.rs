//! A launch that never was, to try a profile with: the patient of Pexip Infinity's
//! documentation.

use vestibule_launch::{
    BaseAlias, EncounterId, LaunchContext, LaunchInformation, LaunchTicket, Pin, RequestId,
};

/// What a sample launch consists of.
pub struct Sample {
    /// What the EHR says.
    pub context: LaunchContext,
    /// The service tag of the appointment.
    pub service_tag: String,
    /// The launch.
    pub request_id: RequestId,
    /// Its alias.
    pub base_alias: BaseAlias,
    /// The host PIN.
    pub pin: Pin,
    /// The ticket of the join link.
    pub ticket: LaunchTicket,
}

impl Sample {
    /// Beverley P Spinder's launch, the same each time.
    pub fn new() -> Self {
        let known = "the sample is well-formed";
        Self {
            context: LaunchContext {
                unique_encounter_id: EncounterId::parse("1853").expect(known),
                launch_information: LaunchInformation {
                    fname: Some("Beverley".to_owned()),
                    mname: Some("P".to_owned()),
                    lname: Some("Spinder".to_owned()),
                    encfacnpiname: Some("Radiology".to_owned()),
                },
                external_id: Some("19".to_owned()),
                conference_id: Some("1853".to_owned()),
            },
            service_tag: "5a".repeat(32),
            request_id: RequestId::from_random_bytes([0x5a; 16]),
            base_alias: BaseAlias::parse("00000000000000000000000000").expect(known),
            pin: Pin::parse("12345678").expect(known),
            ticket: LaunchTicket::parse("00000000000000000000000000000000").expect(known),
        }
    }

    /// The same of the patient's next appointment.
    pub fn next_appointment() -> Self {
        let mut next = Self::new();
        let encounter = EncounterId::parse("1854");
        next.context.unique_encounter_id = encounter.expect("the sample is well-formed");
        next.context.conference_id = Some("1854".to_owned());
        next.service_tag = "a5".repeat(32);
        next
    }
}

impl Default for Sample {
    fn default() -> Self {
        Self::new()
    }
}
