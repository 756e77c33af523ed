//! What is looked at before a template is parsed: the parser recurses with
//! brackets, prefixes and branches, so these are bounded first.

use std::borrow::Cow;

use minijinja::machinery::{Token, Tokenizer};
use minijinja::syntax::SyntaxConfig;

use crate::{
    TemplateError, TemplateErrorKind,
    limits::{MAX_BRACKETS, MAX_BRANCHES, MAX_PREFIXES, MAX_SOURCE_CHARS, MAX_TAG_TOKENS},
};

/// The source with line ends as Jinja2 reads them.
pub(crate) fn normalised(source: &str) -> Cow<'_, str> {
    if source.contains('\r') {
        source.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        source.into()
    }
}

/// Counts of one tag.
#[derive(Default)]
struct Tag {
    tokens: usize,
    brackets: usize,
    prefixes: usize,
}

/// Checks the sizes of a source.
pub(crate) fn check(source: &str) -> Result<(), TemplateError> {
    let too_much = |message: String| TemplateError::new(TemplateErrorKind::TooMuch, message);
    if source.chars().count() > MAX_SOURCE_CHARS {
        return Err(too_much(format!(
            "the template is longer than {MAX_SOURCE_CHARS} characters"
        )));
    }
    let mut tag = Tag::default();
    let mut branches = 0;
    let mut tokenizer = Tokenizer::new(source, "template", false, SyntaxConfig::default());
    while let Some((token, span)) = tokenizer
        .next_token()
        .map_err(|error| TemplateError::from_parsing(&error))?
    {
        match token {
            Token::VariableStart | Token::BlockStart => tag = Tag::default(),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => tag.brackets += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                tag.brackets = tag.brackets.saturating_sub(1);
            }
            Token::Minus | Token::Ident("not") => tag.prefixes += 1,
            Token::Ident("elif") => branches += 1,
            _ => {}
        }
        tag.tokens += 1;
        for (count, limit, what) in [
            (tag.tokens, MAX_TAG_TOKENS, "words and signs in one tag"),
            (tag.brackets, MAX_BRACKETS, "brackets in one another"),
            (tag.prefixes, MAX_PREFIXES, "`-` and `not` in one tag"),
            (branches, MAX_BRANCHES, "elif"),
        ] {
            if count > limit {
                let line = Some(usize::from(span.start_line));
                return Err(TemplateError {
                    line,
                    ..too_much(format!("more than {limit} {what}"))
                });
            }
        }
    }
    Ok(())
}
