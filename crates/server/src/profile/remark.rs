//! What is to be said of the fields of a profile: faults, and warnings.

use std::fmt;

use super::field::FieldError;

/// Something about one field. It does not repeat the value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The field; `previous.` and others stand for tables.
    pub field: &'static str,
    /// What is wrong and what to do. Of a template, with line and column.
    pub text: String,
}

/// Everything that is wrong with a profile: not empty where it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<Remark>);

impl Faults {
    /// Every fault, in the order of the checks.
    pub fn iter(&self) -> impl Iterator<Item = &Remark> {
        self.0.iter()
    }

    /// The value, or one fault more.
    pub(crate) fn keep<T>(&mut self, checked: Result<T, FieldError>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err((field, text)) => {
                self.0.push(Remark { field, text });
                None
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<FieldError> for Faults {
    fn from((field, text): FieldError) -> Self {
        Self(vec![Remark { field, text }])
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.text)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { "\n" };
            write!(f, "{between}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
