//! Launch information in the EHR's token response.

use serde::{Deserialize, Serialize};

/// Names of the fields of the token response that complete a launch. What has no name
/// is not taken from there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenResponseMap {
    /// Holds the identifier of the encounter.
    pub unique_encounter_id: Option<String>,
    /// Holds the patient's first name.
    pub fname: Option<String>,
    /// Holds the patient's middle name.
    pub mname: Option<String>,
    /// Holds the patient's last name.
    pub lname: Option<String>,
    /// Holds the department of the encounter.
    pub encfacnpiname: Option<String>,
    /// Holds who launched, as the EHR knows them.
    pub external_id: Option<String>,
}
