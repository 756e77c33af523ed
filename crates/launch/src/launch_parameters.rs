//! Launch parameters once decrypted: `name=value&name=value`.

use alloc::{
    borrow::{Cow, ToOwned},
    string::String,
    vec::Vec,
};
use core::fmt;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Most parameters of a launch.
const MOST_PARAMETERS: usize = 64;

/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// Longest value, in bytes, before and after decoding.
const LONGEST_VALUE: usize = 512;

/// What a `+` in a value means. EHRs put values in as they are, and identifiers may
/// begin with one: so by default it is a plus sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlusSign {
    /// A plus sign.
    #[default]
    Literal,
    /// A space, as in HTML forms. `%2B` is a plus sign still.
    Space,
}

/// The parameters of a launch, in the order in which they came. `Debug` shows names
/// and no values.
#[derive(Clone, PartialEq, Eq)]
pub struct LaunchParameters(Vec<(String, Zeroizing<String>)>);

impl LaunchParameters {
    /// Reads decrypted launch parameters by a strict grammar: pairs `name=value`
    /// between `&`, names of 1 to 64 characters from `A-Z a-z 0-9 _ . -` that differ in
    /// more than case, values of at most 512 bytes, at most 64 pairs. Values are
    /// percent-decoded; a `%` without two hexadecimal digits after it stands for itself.
    ///
    /// # Errors
    /// Where the text breaks the grammar. The error names the parameter, never a value.
    pub fn parse(plaintext: &str, plus: PlusSign) -> Result<Self, LaunchParametersError> {
        let mut parameters = Self(Vec::new());
        for (index, pair) in plaintext.split('&').enumerate() {
            let position = index + 1;
            if index == MOST_PARAMETERS {
                return Err(LaunchParametersError::TooMany);
            }
            let Some((name, value)) = pair.split_once('=') else {
                return Err(LaunchParametersError::NoEqualsSign { position });
            };
            if !is_name(name) {
                return Err(LaunchParametersError::NotAName { position });
            }
            let refuse = |fault| LaunchParametersError::Parameter {
                name: name.to_owned(),
                fault,
            };
            if parameters.get(name).is_some() {
                return Err(refuse(ParameterFault::Duplicate));
            }
            let value = decode(value, plus).map_err(refuse)?;
            parameters.0.push((name.to_owned(), value));
        }
        Ok(parameters)
    }

    /// The value of a parameter, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for LaunchParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LaunchParameters")?;
        f.debug_set()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Why a text is not launch parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchParametersError {
    /// A pair has no `=`.
    #[error("launch parameter {position} has no equals sign")]
    NoEqualsSign {
        /// Which pair, counted from 1.
        position: usize,
    },
    /// A name is empty, too long or has other characters than names have.
    #[error("the name of launch parameter {position} is not 1 to 64 letters, digits or _.-")]
    NotAName {
        /// Which pair, counted from 1.
        position: usize,
    },
    /// There are more pairs than any EHR sends.
    #[error("there are more than 64 launch parameters")]
    TooMany,
    /// One parameter is bad.
    #[error("launch parameter {name} {fault}")]
    Parameter {
        /// The parameter's name.
        name: String,
        /// What is wrong with it.
        fault: ParameterFault,
    },
}

/// What is wrong with a launch parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterFault {
    /// It is there twice, perhaps in another case.
    #[error("is there more than once")]
    Duplicate,
    /// Its value has a control character.
    #[error("has a control character in its value")]
    ControlCharacter,
    /// Its value is no UTF-8 once decoded.
    #[error("has a value that is not UTF-8")]
    NotUtf8,
    /// Its value is too long.
    #[error("has a value of more than 512 bytes")]
    TooLong,
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn decode(value: &str, plus: PlusSign) -> Result<Zeroizing<String>, ParameterFault> {
    // Decoding never makes a value longer.
    if value.len() > LONGEST_VALUE {
        return Err(ParameterFault::TooLong);
    }
    let spaced = match plus {
        PlusSign::Literal => Cow::Borrowed(value),
        PlusSign::Space => Cow::Owned(value.replace('+', " ")),
    };
    let decoded = percent_decode_str(&spaced)
        .decode_utf8()
        .map_err(|_| ParameterFault::NotUtf8)?
        .into_owned();
    if decoded.chars().any(char::is_control) {
        return Err(ParameterFault::ControlCharacter);
    }
    Ok(Zeroizing::new(decoded))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(plaintext: &str) -> LaunchParameters {
        LaunchParameters::parse(plaintext, PlusSign::Literal).unwrap()
    }

    fn refused(plaintext: &str) -> LaunchParametersError {
        LaunchParameters::parse(plaintext, PlusSign::Literal).unwrap_err()
    }

    fn fault(name: &str, fault: ParameterFault) -> LaunchParametersError {
        let name = name.to_owned();
        LaunchParametersError::Parameter { name, fault }
    }

    #[test]
    fn parameters_keep_their_order_and_are_found_in_any_case() {
        let parameters = parse("csn=12345&FNAME=Ada&lname=Love=lace&empty=");
        let pairs: Vec<_> = parameters.iter().collect();
        assert_eq!(
            pairs,
            [
                ("csn", "12345"),
                ("FNAME", "Ada"),
                ("lname", "Love=lace"),
                ("empty", "")
            ]
        );
        assert_eq!(parameters.get("CSN"), Some("12345"));
        assert_eq!(parameters.get("fname"), Some("Ada"));
        assert_eq!(parameters.get("mname"), None);
    }

    #[test]
    fn a_plus_sign_is_one_unless_the_profile_says_it_is_a_space() {
        let text = "ExternalID=+165790&name=Ada%20King%2BLovelace";
        let literal = parse(text);
        assert_eq!(literal.get("externalid"), Some("+165790"));
        assert_eq!(literal.get("name"), Some("Ada King+Lovelace"));
        let space = LaunchParameters::parse(text, PlusSign::Space).unwrap();
        assert_eq!(space.get("externalid"), Some(" 165790"));
        assert_eq!(space.get("name"), Some("Ada King+Lovelace"));
    }

    #[test]
    fn a_percent_sign_that_escapes_nothing_stands_for_itself() {
        assert_eq!(parse("a=100%&b=%zz%4&c=%41").get("a"), Some("100%"));
        assert_eq!(parse("b=%zz%4").get("b"), Some("%zz%4"));
        assert_eq!(parse("c=%41%c3%A9").get("c"), Some("Aé"));
    }

    #[test]
    fn names_that_are_none_are_refused_by_position() {
        let long = format!("{}=1", "n".repeat(65));
        for name in ["=1", "first name=1", "é=1", "a[]=1", "%61=1", &long] {
            let text = format!("csn=1&{name}");
            assert_eq!(
                refused(&text),
                LaunchParametersError::NotAName { position: 2 }
            );
        }
        for text in ["", "csn", "csn=1&", "&csn=1", "csn=1&&a=2", "csn=1&secret"] {
            assert!(
                matches!(refused(text), LaunchParametersError::NoEqualsSign { .. }),
                "{text}"
            );
        }
    }

    #[test]
    fn duplicates_are_refused_whatever_their_case() {
        for text in ["csn=1&csn=1", "csn=1&CSN=2", "a=1&Csn=1&b=2&csn="] {
            let LaunchParametersError::Parameter { name, fault } = refused(text) else {
                panic!("{text} is refused for something else");
            };
            assert!(name.eq_ignore_ascii_case("csn"));
            assert_eq!(fault, ParameterFault::Duplicate);
        }
    }

    #[test]
    fn bad_values_are_refused_by_name() {
        for control in ["\n", "%0a", "%00", "\u{7f}", "%C2%85"] {
            assert_eq!(
                refused(&format!("csn=1&fname=A{control}b")),
                fault("fname", ParameterFault::ControlCharacter)
            );
        }
        assert_eq!(
            refused("fname=%FF"),
            fault("fname", ParameterFault::NotUtf8)
        );
        assert_eq!(
            refused(&format!("fname={}", "a".repeat(513))),
            fault("fname", ParameterFault::TooLong)
        );
        assert!(
            parse(&format!("fname={}", "a".repeat(512)))
                .get("fname")
                .is_some()
        );
    }

    #[test]
    fn there_are_at_most_64_parameters() {
        let text = |count: usize| -> String {
            let pairs: Vec<_> = (0..count).map(|index| format!("p{index}=1")).collect();
            pairs.join("&")
        };
        assert_eq!(parse(&text(64)).iter().count(), 64);
        assert_eq!(refused(&text(65)), LaunchParametersError::TooMany);
    }

    proptest! {
        #[test]
        fn whatever_is_read_does_no_harm(text in any::<String>()) {
            for plus in [PlusSign::Literal, PlusSign::Space] {
                let _ = LaunchParameters::parse(&text, plus);
            }
        }

        #[test]
        fn values_that_were_escaped_come_back(values in prop::collection::vec("[^\\p{Cc}]{0,40}", 1..10)) {
            let pairs: Vec<_> = values
                .iter()
                .enumerate()
                .map(|(index, value)| format!("p{index}={}", crate::encode_component(value)))
                .collect();
            for plus in [PlusSign::Literal, PlusSign::Space] {
                let parameters = LaunchParameters::parse(&pairs.join("&"), plus).unwrap();
                let read: Vec<_> = parameters.iter().map(|(_, value)| value.to_owned()).collect();
                prop_assert_eq!(&read, &values);
            }
        }

        #[test]
        fn neither_debug_nor_errors_show_a_value(value in "[A-Z]{12,20}") {
            let good = parse(&format!("csn=1&fname={value}"));
            let shown = format!("{good:?}");
            prop_assert!(shown.contains("fname") && !shown.contains(&value));
            for bad in [
                format!("fname={value}%00"),
                format!("fname={value}&fname={value}"),
                format!("fname={value}&{value}"),
                format!("fname=1&{value} {value}=1"),
                format!("fname={value}%FF"),
            ] {
                let error = refused(&bad);
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains(&value), "{}", shown);
            }
        }
    }
}
