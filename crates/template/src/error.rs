//! What can go wrong with a template.

use std::fmt;

use minijinja::{Error, ErrorKind};

/// A template cannot be used. The message is for the author of the template;
/// it holds pieces of the template at most, never the value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// What kind of thing is wrong.
    pub kind: TemplateErrorKind,
    /// The line of the template, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The column in that line, counted from 1 in characters, where it is known.
    pub column: Option<usize>,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// The kinds of [`TemplateError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateErrorKind {
    /// Found when parsing: the text is not a template, or uses a filter, test, function
    /// or statement that there is not.
    Syntax,
    /// Found when parsing or rendering: more than [`limits`](crate::limits) allow.
    TooMuch,
    /// Found when rendering: an attribute of a variable that is not defined.
    Undefined,
    /// Found when rendering: something that cannot be done with these values.
    Operation,
    /// The context could not be read.
    Context,
}

impl TemplateError {
    pub(crate) fn new(kind: TemplateErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            line: None,
            column: None,
            message: message.into(),
        }
    }

    /// An error of the parser. Its details are made of the template's own text.
    pub(crate) fn from_parsing(error: &Error) -> Self {
        let message = match error.detail() {
            Some(detail) => detail.to_owned(),
            None => error.kind().to_string(),
        };
        Self {
            line: error.line(),
            ..Self::new(TemplateErrorKind::Syntax, message)
        }
    }

    /// An error of the engine. Its details can hold values, so most are left out.
    pub(crate) fn from_rendering(error: &Error) -> Self {
        use TemplateErrorKind::{Context, Operation, TooMuch, Undefined};
        let fault =
            std::error::Error::source(error).and_then(|source| source.downcast_ref::<Fault>());
        let (kind, message) = match (fault, error.kind()) {
            (Some(fault), _) => (fault.kind, fault.message),
            (None, ErrorKind::OutOfFuel) => (TooMuch, "the template takes too many steps"),
            (None, ErrorKind::UndefinedError) => (
                Undefined,
                "something is asked of a variable that is not defined; check its spelling",
            ),
            (None, ErrorKind::UnknownMethod) => (Operation, "the value has no such method"),
            (None, ErrorKind::TooManyArguments) => (Operation, "too many arguments"),
            (None, ErrorKind::MissingArgument) => (Operation, "an argument is missing"),
            (None, ErrorKind::BadSerialization) => (Context, "the context cannot be read"),
            (None, _) => (Operation, "this cannot be done with these values"),
        };
        Self {
            line: error.line(),
            ..Self::new(kind, message)
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, " (line {line}, column {column})"),
            (Some(line), None) => write!(f, " (line {line})"),
            (None, _) => Ok(()),
        }
    }
}

impl std::error::Error for TemplateError {}

/// An error of our own filters and operators, on its way through the engine.
/// A fixed text, so that no value can get into it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fault {
    kind: TemplateErrorKind,
    message: &'static str,
}

impl Fault {
    pub(crate) fn operation(message: &'static str) -> Error {
        Self {
            kind: TemplateErrorKind::Operation,
            message,
        }
        .into_engine()
    }

    pub(crate) fn too_much(message: &'static str) -> Error {
        Self {
            kind: TemplateErrorKind::TooMuch,
            message,
        }
        .into_engine()
    }

    pub(crate) fn undefined() -> Error {
        Error::from(ErrorKind::UndefinedError)
    }

    fn into_engine(self) -> Error {
        Error::new(ErrorKind::InvalidOperation, self.message).with_source(self)
    }
}
