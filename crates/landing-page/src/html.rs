//! The tags of a page, and changes to it. It is our own page, as it was built: what is
//! no tag there is text.

use std::ops::Range;

/// A tag, and where in the page its parts are.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    /// In lower case; of an end tag with its slash.
    pub(crate) name: String,
    /// From `<` to after `>`.
    pub(crate) range: Range<usize>,
    attributes: Vec<(&'a str, Option<&'a str>)>,
}

impl Tag<'_> {
    /// An attribute's value as it is written; empty where it has none.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| *known == name)?;
        Some(found.1.unwrap_or_default())
    }

    /// The tag with these attributes set, and without others. Values are escaped here.
    pub(crate) fn rewritten(&self, set: &[(&str, &str)], removed: &[&str]) -> String {
        let mut text = format!("<{}", self.name);
        let is_kept = |name: &str| {
            !removed.contains(&name) && !set.iter().any(|(changed, _)| *changed == name)
        };
        for (name, value) in &self.attributes {
            if is_kept(name) {
                text.push(' ');
                text.push_str(name);
                if let Some(value) = value {
                    text.push_str("=\"");
                    text.push_str(&value.replace('"', "&quot;"));
                    text.push('"');
                }
            }
        }
        for (name, value) in set {
            text.push_str(&format!(" {name}=\"{}\"", escaped(value)));
        }
        text.push('>');
        text
    }
}

/// The tags of a page in their order, without those in comments, scripts and styles.
pub(crate) fn tags(page: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(found) = page[at..].find('<') {
        let start = at + found;
        let rest = &page[start..];
        if rest.starts_with("<!--") {
            at = start + rest.find("-->").map_or(rest.len(), |end| end + 3);
            continue;
        }
        let Some(tag) = tag(page, start) else {
            at = start + 1;
            continue;
        };
        at = tag.range.end;
        if matches!(tag.name.as_str(), "script" | "style") {
            let end = format!("</{}", tag.name);
            at += page[at..].find(&end).unwrap_or(page.len() - at);
        }
        tags.push(tag);
    }
    tags
}

fn tag(page: &str, start: usize) -> Option<Tag<'_>> {
    let after = start + 1;
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '-';
    let slash = usize::from(page[after..].starts_with('/'));
    let length = page[after + slash..].find(|character| !is_name(character))?;
    if length == 0 {
        return None;
    }
    let mut at = after + slash + length;
    let name = page[after..at].to_ascii_lowercase();
    let mut attributes = Vec::new();
    loop {
        at += leading(&page[at..], |character| {
            character.is_ascii_whitespace() || character == '/'
        });
        let rest = &page[at..];
        if rest.starts_with('>') {
            let range = start..at + 1;
            return Some(Tag {
                name,
                range,
                attributes,
            });
        }
        let length = leading(rest, |character| {
            !character.is_ascii_whitespace() && !matches!(character, '=' | '>' | '/')
        });
        if length == 0 {
            return None;
        }
        let attribute = &rest[..length];
        at += length;
        let Some(rest) = page[at..].strip_prefix('=') else {
            attributes.push((attribute, None));
            continue;
        };
        let quote = rest
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''));
        let (value, length) = match quote {
            Some(quote) => {
                let length = rest[1..].find(quote)?;
                (&rest[1..=length], length + 2)
            }
            None => {
                let length = leading(rest, |character| {
                    !character.is_ascii_whitespace() && character != '>'
                });
                (&rest[..length], length)
            }
        };
        attributes.push((attribute, Some(value)));
        at += 1 + length;
    }
}

/// How many bytes of the beginning have only such characters.
fn leading(text: &str, is_one: impl Fn(char) -> bool) -> usize {
    text.find(|character| !is_one(character))
        .unwrap_or(text.len())
}

/// Changes to a page, by their places in it.
#[derive(Default)]
pub(crate) struct Changes(Vec<(Range<usize>, String)>);

impl Changes {
    /// Puts a text in the place of another.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: String) {
        self.0.push((range, text));
    }

    /// The page with the changes. Two at one place come in the order in which they were
    /// made.
    pub(crate) fn apply(mut self, page: &str) -> String {
        self.0.sort_by_key(|(range, _)| range.start);
        let mut changed = String::with_capacity(page.len());
        let mut at = 0;
        for (range, text) in &self.0 {
            changed.push_str(&page[at..range.start]);
            changed.push_str(text);
            at = range.end;
        }
        changed.push_str(&page[at..]);
        changed
    }
}

/// A text as it stands in a page, in an attribute's value also.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_with_their_attributes() {
        let page = "<!doctype html><p a=1 b='2 \"' c=\"3>\" hidden/>x < y</P><br>";
        let tags = tags(page);
        let names: Vec<_> = tags.iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(names, ["p", "/p", "br"]);
        let tag = &tags[0];
        assert_eq!(tag.attribute("a"), Some("1"));
        assert_eq!(tag.attribute("b"), Some("2 \""));
        assert_eq!(tag.attribute("c"), Some("3>"));
        assert_eq!(tag.attribute("hidden"), Some(""));
        assert_eq!(tag.attribute("d"), None);
        assert_eq!(
            tag.rewritten(&[("a", "<\">")], &["hidden"]),
            "<p b=\"2 &quot;\" c=\"3>\" a=\"&lt;&quot;&gt;\">"
        );
    }

    #[test]
    fn comments_scripts_and_styles_have_no_tags_in_them() {
        let page = "<!-- <a> --><script>'<b>'</script><style>/*<c>*/</style><d>";
        let found = tags(page);
        let names: Vec<_> = found.iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(names, ["script", "/script", "style", "/style", "d"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_gone_through(page in "[<>a-c/=\"' !é-]{0,60}") {
            for tag in tags(&page) {
                assert!(page[tag.range].starts_with('<'));
            }
        }
    }
}
