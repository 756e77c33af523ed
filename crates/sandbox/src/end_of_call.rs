//! The call that says a visit has ended, and that which says how a device check went.
//! What they carry is for the hospital to set up, so it is kept as it came.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{basic::BasicUser, parameters::Parameters};

/// Where the EHR takes the call that says how a device check went.
pub(crate) const DEVICE_TEST: &str = "/interconnect/api/telehealth/device-test";

/// Where the EHR takes the call, and from whom.
#[derive(Debug)]
pub(crate) struct EndOfCallRecord {
    pub(crate) path: String,
    /// Who may call, where the EHR asks for that.
    pub(crate) user: Option<BasicUser>,
}

/// What was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct EndOfCall {
    pub(crate) method: &'static str,
    pub(crate) fields: Map<String, Value>,
}

/// Why the call was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndOfCallFault {
    #[error("sign in by HTTP Basic or with an access token of this EHR that is good now")]
    Unauthorized,
    #[error("the request is too long")]
    TooLong,
    #[error("send a JSON object as application/json")]
    NotAnObject,
}

impl EndOfCall {
    /// The call by GET, with its query.
    pub(crate) fn from_query(query: &[u8]) -> Result<Self, EndOfCallFault> {
        let parameters = Parameters::parse(query).map_err(|_| EndOfCallFault::TooLong)?;
        let fields = parameters
            .all()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        Ok(Self {
            method: "GET",
            fields,
        })
    }

    /// The call by POST, with its JSON body.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, EndOfCallFault> {
        if body.len() > Parameters::MAX_BYTES {
            return Err(EndOfCallFault::TooLong);
        }
        let fields = serde_json::from_slice(body).map_err(|_| EndOfCallFault::NotAnObject)?;
        Ok(Self {
            method: "POST",
            fields,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_of_the_call_are_kept_as_they_came() {
        let got = EndOfCall::from_query(b"csn=1&reason=all+left").unwrap();
        assert_eq!(
            json!(got),
            json!({ "method": "GET", "fields": { "csn": "1", "reason": "all left" } })
        );
        let posted = EndOfCall::from_json(br#"{"csn":"1","seconds":12}"#).unwrap();
        assert_eq!(
            json!(posted),
            json!({ "method": "POST", "fields": { "csn": "1", "seconds": 12 } })
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        for body in ["", "[]", "\"csn\"", "{"] {
            let outcome = EndOfCall::from_json(body.as_bytes());
            assert_eq!(outcome, Err(EndOfCallFault::NotAnObject), "{body}");
        }
    }
}
