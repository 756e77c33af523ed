//! What is looked at before a template is parsed: the parser recurses with
//! brackets, prefixes and branches, so these are bounded first.

use std::{borrow::Cow, mem};

use minijinja::{
    Error,
    machinery::{Span, Token, Tokenizer},
    syntax::SyntaxConfig,
};

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

/// What a tag between `{%` and `%}` can begin with, besides `raw`, which the tokenizer
/// takes out. `autoescape` would undo the escaping. What else the parser knows depends on
/// the features that other packages of a build switch on in the engine.
const KEYWORDS: [&str; 12] = [
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "set",
    "endset",
    "with",
    "endwith",
    "filter",
    "endfilter",
];

/// The error of any other statement.
pub(crate) fn unknown_statement() -> TemplateError {
    let message = "only if, for, set, with, filter and raw are available as statements";
    TemplateError::new(TemplateErrorKind::Syntax, message)
}

/// An error of the tokenizer, which has read so many bytes. Of an escape that there
/// is not, it does not say where: in the text that comes next.
fn unread(error: &Error, source: &str, read: usize) -> TemplateError {
    let error = TemplateError::from_parsing(error, source);
    if error.line.is_some() {
        return error;
    }
    let rest = source.get(read..).unwrap_or_default();
    let byte = source.len() - rest.trim_ascii_start().len();
    error.at_byte(source, byte)
}

/// Counts of one tag.
#[derive(Default)]
struct Tag {
    tokens: usize,
    brackets: usize,
    prefixes: usize,
}

/// Refuses what Jinja2 reads otherwise in a text than the engine does.
fn check_escapes(raw: &str, span: Span) -> Result<(), TemplateError> {
    let mut rest = raw;
    while let Some((_, escape)) = rest.split_once('\\') {
        let Some(first) = escape.chars().next() else {
            break;
        };
        rest = &escape[first.len_utf8()..];
        let is_surrogate = first == 'u'
            && (rest.starts_with(['d', 'D']))
            && matches!(
                rest.as_bytes().get(1),
                Some(b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F')
            );
        if is_surrogate || matches!(first, '/' | 'a' | 'v' | 'N' | 'U' | '\n') {
            let message = format!(
                "the escape \\{} is not available; write the character itself",
                first.escape_debug()
            );
            return Err(TemplateError::new(TemplateErrorKind::Syntax, message).at(span));
        }
    }
    Ok(())
}

/// Checks the sizes of a source.
pub(crate) fn check(source: &str) -> Result<(), TemplateError> {
    let too_much = |message: String| TemplateError::new(TemplateErrorKind::TooMuch, message);
    if let Some((byte, _)) = source.char_indices().nth(MAX_SOURCE_CHARS) {
        let message = format!("the template is longer than {MAX_SOURCE_CHARS} characters");
        return Err(too_much(message).at_byte(source, byte));
    }
    let mut tag = Tag::default();
    let mut branches = 0;
    let mut tokenizer = Tokenizer::new(source, "template", false, SyntaxConfig::default());
    let mut is_keyword_next = false;
    let mut read = 0;
    while let Some((token, span)) = tokenizer
        .next_token()
        .map_err(|error| unread(&error, source, read))?
    {
        read = span.end_offset as usize;
        let is_keyword = mem::replace(&mut is_keyword_next, matches!(token, Token::BlockStart));
        match token {
            Token::Ident(word) if is_keyword && !KEYWORDS.contains(&word) => {
                return Err(unknown_statement().at(span));
            }
            Token::VariableStart | Token::BlockStart => tag = Tag::default(),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => tag.brackets += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                tag.brackets = tag.brackets.saturating_sub(1);
            }
            Token::Minus | Token::Ident("not") => tag.prefixes += 1,
            Token::Ident("elif") => branches += 1,
            Token::String(_) => {
                let raw = source.get(span.start_offset as usize..span.end_offset as usize);
                check_escapes(raw.unwrap_or_default(), span)?;
            }
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
                return Err(too_much(format!("more than {limit} {what}")).at(span));
            }
        }
    }
    Ok(())
}
