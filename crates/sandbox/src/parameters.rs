//! The parameters of a query or of a posted form.

use std::borrow::Cow;

use url::form_urlencoded;
use zeroize::Zeroize;

/// Names and values as they came, `application/x-www-form-urlencoded`.
pub(crate) struct Parameters(Vec<(String, String)>);

/// The query or the form is longer than [`Parameters::MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameters are too long")]
pub(crate) struct TooLong;

/// A parameter that may stand only once (RFC 6749 section 3.1) was repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is given more than once")]
pub(crate) struct Repeated {
    pub(crate) name: &'static str,
}

impl Parameters {
    pub(crate) const MAX_BYTES: usize = 16 * 1024;

    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, TooLong> {
        if encoded.len() > Self::MAX_BYTES {
            return Err(TooLong);
        }
        Ok(Self(
            form_urlencoded::parse(encoded)
                .map(|(name, value)| (Cow::into_owned(name), Cow::into_owned(value)))
                .collect(),
        ))
    }

    /// The value of `name`. An empty value counts as none (RFC 6749 section 3.1).
    pub(crate) fn get(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        let value = values.next();
        if values.next().is_some() {
            return Err(Repeated { name });
        }
        Ok(value
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty()))
    }

    /// All names and values, as they came.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            value.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded() {
        let parameters = Parameters::parse(b"a=1+2%2F3&b=").unwrap();
        assert_eq!(parameters.get("a"), Ok(Some("1 2/3")));
    }

    #[test]
    fn an_empty_value_counts_as_none() {
        let parameters = Parameters::parse(b"a=").unwrap();
        assert_eq!(parameters.get("a"), Ok(None));
        assert_eq!(parameters.get("b"), Ok(None));
    }

    #[test]
    fn a_repeated_parameter_has_no_value() {
        let parameters = Parameters::parse(b"a=1&a=1").unwrap();
        assert_eq!(parameters.get("a"), Err(Repeated { name: "a" }));
    }

    #[test]
    fn parameters_have_a_length_cap() {
        assert!(Parameters::parse(&vec![b'a'; Parameters::MAX_BYTES]).is_ok());
        assert!(Parameters::parse(&vec![b'a'; Parameters::MAX_BYTES + 1]).is_err());
    }
}
