//! What an EHR's token response adds to the launch parameters.

use serde_json::Value;
use vestibule_launch::{EncounterId, LaunchContext, LaunchInformation};
use vestibule_smart::TokenResponse;

use crate::profile::TokenResponseMap;

/// Longest value that is taken, in bytes, as in launch parameters.
const LONGEST_VALUE: usize = 512;

/// Launch parameters and token response do not name the same appointment: the ciphertext
/// may be of another launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncounterMismatch {
    /// They name two.
    #[error(
        "the launch parameters and the EHR's token response name different encounters; \
         if token_response_map.unique_encounter_id is right, the ciphertext is of another launch"
    )]
    Other,
    /// The token response names none, where the profile says that it does.
    #[error(
        "the EHR's token response lacks the encounter of the launch parameters; \
         see token_response_map.unique_encounter_id, and whether the EHR sends that field"
    )]
    Unconfirmed,
}

/// What the launch parameters said, completed by the token response; `None` where
/// neither names an appointment. What the parameters said stays, but the encounter must
/// be the one of the token response where the profile's map says where that is. Where
/// neither has one, the token response's `encounter` is the last resort.
///
/// # Errors
/// [`EncounterMismatch`].
pub(super) fn complete(
    parameters: Option<LaunchContext>,
    tokens: &TokenResponse,
    map: &TokenResponseMap,
) -> Result<Option<LaunchContext>, EncounterMismatch> {
    let named = |name: &Option<String>| name.as_deref().and_then(|name| field(tokens, name));
    let signed = named(&map.unique_encounter_id);
    let signed = signed.and_then(|encounter| EncounterId::parse(&encounter));
    let context = match (parameters, signed) {
        (Some(context), Some(signed)) if context.unique_encounter_id != signed => {
            return Err(EncounterMismatch::Other);
        }
        (Some(_), None) if map.unique_encounter_id.is_some() => {
            return Err(EncounterMismatch::Unconfirmed);
        }
        (Some(context), _) => Some(context),
        (None, Some(signed)) => Some(only(signed)),
        (None, None) => {
            let encounter = tokens.encounter.as_deref();
            encounter.and_then(EncounterId::parse).map(only)
        }
    };
    Ok(context.map(|context| fill(context, map, |name| field(tokens, name))))
}

/// The context with what it lacks, as far as the map names a field that has it.
pub(crate) fn fill(
    mut context: LaunchContext,
    map: &TokenResponseMap,
    field: impl Fn(&str) -> Option<String>,
) -> LaunchContext {
    let information = &mut context.launch_information;
    for (place, name) in [
        (&mut information.fname, &map.fname),
        (&mut information.mname, &map.mname),
        (&mut information.lname, &map.lname),
        (&mut information.encfacnpiname, &map.encfacnpiname),
        (&mut context.external_id, &map.external_id),
    ] {
        if place.is_none() {
            *place = name.as_deref().and_then(&field);
        }
    }
    context
}

/// A value of an EHR's answer that is a text or a number, and not empty.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => usable(text),
        Value::Number(number) => usable(&number.to_string()),
        _ => None,
    }
}

fn only(unique_encounter_id: EncounterId) -> LaunchContext {
    LaunchContext {
        unique_encounter_id,
        launch_information: LaunchInformation::default(),
        external_id: None,
        conference_id: None,
    }
}

fn field(tokens: &TokenResponse, name: &str) -> Option<String> {
    match name {
        "patient" => usable(tokens.patient.as_deref()?),
        "encounter" => usable(tokens.encounter.as_deref()?),
        "appointment" => usable(tokens.appointment.as_deref()?),
        _ => text(tokens.other.get(name)?),
    }
}

fn usable(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (1..=LONGEST_VALUE).contains(&text.len());
    (fits && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use http::Response;
    use vestibule_launch::{LaunchParameters, ParameterMap, PlusSign};

    use super::*;

    fn parameters(text: &str) -> Option<LaunchContext> {
        let parameters = LaunchParameters::parse(text, PlusSign::Literal).unwrap();
        Some(LaunchContext::from_parameters(&parameters, &ParameterMap::default()).unwrap())
    }

    fn tokens(more: &str) -> TokenResponse {
        let body = format!(r#"{{"access_token": "t", "token_type": "bearer"{more}}}"#);
        TokenResponse::from_response(&Response::new(body.into_bytes())).unwrap()
    }

    fn map(text: &str) -> TokenResponseMap {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_token_response_fills_what_the_parameters_left_out() {
        let tokens = tokens(
            r#", "csn": 4711, "first": " Ada ", "last": "Byron", "dept": ["x"], "user": "u\n7"
               , "patient": "p1""#,
        );
        let map = map(
            "unique_encounter_id = 'csn'\nfname = 'first'\nlname = 'last'\n\
             encfacnpiname = 'dept'\nexternal_id = 'user'\nmname = 'patient'",
        );
        let context = complete(parameters("csn=4711&lname=Spinder"), &tokens, &map);
        let context = context.unwrap().unwrap();
        let information = &context.launch_information;
        assert_eq!(information.fname.as_deref(), Some("Ada"));
        assert_eq!(information.lname.as_deref(), Some("Spinder"));
        assert_eq!(information.mname.as_deref(), Some("p1"));
        assert_eq!(
            (&information.encfacnpiname, &context.external_id),
            (&None, &None)
        );
        let alone = complete(None, &tokens, &map).unwrap().unwrap();
        assert_eq!(alone.unique_encounter_id.as_str(), "4711");
    }

    #[test]
    fn two_encounters_are_one_too_many() {
        let map = map("unique_encounter_id = 'csn'");
        let other = tokens(r#", "csn": "4712""#);
        assert_eq!(
            complete(parameters("csn=4711"), &other, &map),
            Err(EncounterMismatch::Other)
        );
        // What the EHR does not confirm may be of another launch as well.
        for unconfirmed in ["", r#", "csn": "", "encounter": "4711""#] {
            assert_eq!(
                complete(parameters("csn=4711"), &tokens(unconfirmed), &map),
                Err(EncounterMismatch::Unconfirmed)
            );
        }
        // An encounter that the map does not name is another kind of identifier.
        let fhir = tokens(r#", "encounter": "eM5CWtq15N0WJeuCet5bJlQ3""#);
        let map = TokenResponseMap::default();
        assert!(complete(parameters("csn=4711"), &fhir, &map).is_ok());
    }

    #[test]
    fn the_encounter_of_the_token_response_is_the_last_resort() {
        let map = TokenResponseMap::default();
        let tokens_with = tokens(r#", "encounter": "e1""#);
        let context = complete(None, &tokens_with, &map).unwrap().unwrap();
        assert_eq!(context.unique_encounter_id.as_str(), "e1");
        assert_eq!(complete(None, &tokens(""), &map), Ok(None));
    }
}
