//! What an EHR says about a launch: which encounter, whose.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::LaunchParameters;

/// Longest encounter identifier in bytes.
const LONGEST_ENCOUNTER_ID: usize = 128;

/// `unique_encounter_id`, Epic's CSN: the same for everybody who joins an
/// appointment, 1 to 128 bytes. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EncounterId(String);

impl EncounterId {
    /// Trims the text; `None` where nothing is left or more than 128 bytes are, or
    /// where a control character is inside.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=LONGEST_ENCOUNTER_ID).contains(&text.len());
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.to_owned()))
    }

    /// The identifier itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EncounterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncounterId(…)")
    }
}

/// `launch_information`: what templates may say about patient and encounter. A field
/// that the EHR left out or empty is `None`. `Debug` shows no field.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchInformation {
    /// The patient's first name.
    pub fname: Option<String>,
    /// The patient's middle name.
    pub mname: Option<String>,
    /// The patient's last name.
    pub lname: Option<String>,
    /// The department of the encounter.
    pub encfacnpiname: Option<String>,
}

impl fmt::Debug for LaunchInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchInformation").finish_non_exhaustive()
    }
}

/// What the launch parameters say. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct LaunchContext {
    /// Which appointment.
    pub unique_encounter_id: EncounterId,
    /// Whose, and where.
    pub launch_information: LaunchInformation,
    /// Who launched, as the EHR knows them: for write-backs.
    pub external_id: Option<String>,
    /// The EHR's conference: for write-backs.
    pub conference_id: Option<String>,
}

impl fmt::Debug for LaunchContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchContext").finish_non_exhaustive()
    }
}

impl LaunchContext {
    /// Takes what we know by name out of an EHR's parameters. Other parameters are
    /// left alone.
    ///
    /// # Errors
    /// Where the encounter is missing or its identifier is too long. The error names
    /// the parameter, as the profile does.
    pub fn from_parameters(
        parameters: &LaunchParameters,
        map: &ParameterMap,
    ) -> Result<Self, LaunchContextError> {
        let text = |name: &str| {
            let value = parameters.get(name)?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let parameter = || map.unique_encounter_id.clone();
        let encounter =
            text(&map.unique_encounter_id).ok_or_else(|| LaunchContextError::MissingField {
                parameter: parameter(),
            })?;
        let unique_encounter_id =
            EncounterId::parse(&encounter).ok_or_else(|| LaunchContextError::TooLong {
                parameter: parameter(),
            })?;
        Ok(Self {
            unique_encounter_id,
            launch_information: LaunchInformation {
                fname: text(&map.fname),
                mname: text(&map.mname),
                lname: text(&map.lname),
                encfacnpiname: text(&map.encfacnpiname),
            },
            external_id: text(&map.external_id),
            conference_id: text(&map.conference_id),
        })
    }
}

/// Why launch parameters say too little.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchContextError {
    /// The encounter is missing or empty.
    #[error(
        "the launch parameters have no {parameter}: add it to the EHR's launch record, \
         or name the parameter that it uses in the profile"
    )]
    MissingField {
        /// The EHR's name of the parameter.
        parameter: String,
    },
    /// The identifier of the encounter is longer than 128 bytes.
    #[error("the launch parameter {parameter} is longer than 128 bytes")]
    TooLong {
        /// The EHR's name of the parameter.
        parameter: String,
    },
}

/// Which of an EHR's parameters holds what. Names count in any case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParameterMap {
    /// Holds the identifier of the encounter: `csn` unless the profile says otherwise.
    pub unique_encounter_id: String,
    /// Holds the patient's first name: `fname`.
    pub fname: String,
    /// Holds the patient's middle name: `mname`.
    pub mname: String,
    /// Holds the patient's last name: `lname`.
    pub lname: String,
    /// Holds the department of the encounter: `encfacnpiname`.
    pub encfacnpiname: String,
    /// Holds the EHR's identifier of who launched: `epicuserid`.
    pub external_id: String,
    /// Holds the EHR's identifier of the conference: `conferenceid`.
    pub conference_id: String,
}

impl Default for ParameterMap {
    fn default() -> Self {
        Self {
            unique_encounter_id: "csn".to_owned(),
            fname: "fname".to_owned(),
            mname: "mname".to_owned(),
            lname: "lname".to_owned(),
            encfacnpiname: "encfacnpiname".to_owned(),
            external_id: "epicuserid".to_owned(),
            conference_id: "conferenceid".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PlusSign;

    fn context(plaintext: &str, map: &ParameterMap) -> Result<LaunchContext, LaunchContextError> {
        let parameters = LaunchParameters::parse(plaintext, PlusSign::Literal).unwrap();
        LaunchContext::from_parameters(&parameters, map)
    }

    #[test]
    fn epic_s_parameters_are_read_by_default() {
        let context = context(
            "CSN=12345&fname=Beverley&mname=&lname=Spinder&encfacnpiname=Radiology&other=x\
             &EpicUserId=19&conferenceid=1853",
            &ParameterMap::default(),
        )
        .unwrap();
        assert_eq!(context.unique_encounter_id.as_str(), "12345");
        assert_eq!(context.external_id.as_deref(), Some("19"));
        assert_eq!(context.conference_id.as_deref(), Some("1853"));
        let information = context.launch_information;
        assert_eq!(information.fname.as_deref(), Some("Beverley"));
        assert_eq!(information.mname, None);
        assert_eq!(information.lname.as_deref(), Some("Spinder"));
        assert_eq!(information.encfacnpiname.as_deref(), Some("Radiology"));
    }

    #[test]
    fn a_profile_names_another_ehr_s_parameters() {
        let map: ParameterMap = serde_json::from_value(serde_json::json!({
            "unique_encounter_id": "sessionid",
            "fname": "firstname",
            "lname": "lastname",
        }))
        .unwrap();
        let context = context(
            "usertype=2&sessionid=98765&firstname=Ed&lastname=Mercer",
            &map,
        )
        .unwrap();
        assert_eq!(context.unique_encounter_id.as_str(), "98765");
        assert_eq!(context.launch_information.fname.as_deref(), Some("Ed"));
        assert_eq!(context.external_id, None);
        let unknown = serde_json::json!({ "surname": "lastname" });
        assert!(serde_json::from_value::<ParameterMap>(unknown).is_err());
    }

    #[test]
    fn a_launch_without_encounter_is_refused() {
        let map = ParameterMap::default();
        for text in ["fname=Ada", "csn=", "csn=%20"] {
            let parameter = "csn".to_owned();
            assert_eq!(
                context(text, &map),
                Err(LaunchContextError::MissingField { parameter })
            );
        }
        let long = format!("csn={}", "1".repeat(129));
        let parameter = "csn".to_owned();
        assert_eq!(
            context(&long, &map),
            Err(LaunchContextError::TooLong { parameter })
        );
        assert!(context(&format!("csn={}", "1".repeat(128)), &map).is_ok());
    }

    #[test]
    fn debug_shows_neither_encounter_nor_names() {
        let context = context(
            "csn=98765&fname=Beverley&mname=P&lname=Spinder&encfacnpiname=Radiology&epicuserid=u77",
            &ParameterMap::default(),
        );
        let shown = format!("{context:?}");
        for hidden in ["98765", "Beverley", "Spinder", "Radiology", "u77"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}
