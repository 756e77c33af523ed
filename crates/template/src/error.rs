//! What can go wrong with a template.

use std::fmt;

use minijinja::{Error, ErrorKind, machinery::Span};

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
    /// Found when parsing: a variable or a field that this kind of template has not, or
    /// one is missing that it must have.
    Variable,
    /// Found when parsing or rendering: more than [`limits`](crate::limits) allow.
    TooMuch,
    /// Found when rendering: an attribute of a variable that is not defined.
    Undefined,
    /// Found when rendering: something that cannot be done with these values.
    Operation,
    /// Found when rendering: the time or randomness, which this rendering is not given.
    Unavailable,
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

    /// The error with the place where a span of the template begins.
    pub(crate) fn at(self, span: Span) -> Self {
        Self {
            line: Some(usize::from(span.start_line)),
            column: Some(usize::from(span.start_col) + 1),
            ..self
        }
    }

    /// The error with the place of a byte of the template.
    pub(crate) fn at_byte(self, source: &str, byte: usize) -> Self {
        let before = source.get(..byte).unwrap_or(source);
        let in_line = before
            .rsplit_once('\n')
            .map_or(before, |(_, in_line)| in_line);
        Self {
            line: Some(before.matches('\n').count() + 1),
            column: Some(in_line.chars().count() + 1),
            ..self
        }
    }

    /// The error with the place that the engine gives; if that is a line only, with the
    /// first tag in it.
    #[cfg(feature = "full")]
    fn at_place_of(self, error: &Error, source: &str) -> Self {
        if let Some(range) = error.range() {
            return self.at_byte(source, range.start);
        }
        let column = error.line().map(|line| {
            let text = source.lines().nth(line.saturating_sub(1)).unwrap_or("");
            let tag = ["{{", "{%"]
                .iter()
                .filter_map(|start| text.find(start))
                .min();
            text[..tag.unwrap_or(0)].chars().count() + 1
        });
        Self {
            line: error.line(),
            column,
            ..self
        }
    }

    #[cfg(not(feature = "full"))]
    fn at_place_of(self, error: &Error, _: &str) -> Self {
        Self {
            line: error.line(),
            ..self
        }
    }

    /// An error of the parser. Its details are made of the template's own text.
    pub(crate) fn from_parsing(error: &Error, source: &str) -> Self {
        let message = match error.detail() {
            Some(detail) => detail.to_owned(),
            None => error.kind().to_string(),
        };
        Self::new(TemplateErrorKind::Syntax, message).at_place_of(error, source)
    }

    /// An error of the engine. Its details can hold values, so most are left out.
    pub(crate) fn from_rendering(error: &Error, source: &str) -> Self {
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
        Self::new(kind, message).at_place_of(error, source)
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

    #[cfg(feature = "full")]
    pub(crate) fn unavailable(message: &'static str) -> Error {
        Self {
            kind: TemplateErrorKind::Unavailable,
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
