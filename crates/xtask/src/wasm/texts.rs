//! The keys of the page's texts. The page is served without them: its English texts tell
//! which they are, and only who changes the language has to know (`www/language.js`).

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// The attribute that has a text's key.
const KEY: &str = " data-text=\"";
/// Elements whose text may be a hospital's own, which the key's absence says.
const OWN: &str = " data-brand=\"";

/// The page without the keys of those texts that are told by themselves. `english` has the
/// texts by their keys, as JSON.
pub(super) fn without_keys(page: &str, english: &str) -> Result<String> {
    let english: BTreeMap<String, String> =
        serde_json::from_str(english).context("the English texts are no texts by keys")?;
    let is_told = |key: &str| {
        let text = english.get(key);
        text.is_some() && english.values().filter(|it| Some(*it) == text).count() == 1
    };
    let mut left = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, from)) = rest.split_once(KEY) {
        let (key, after) = from.split_once('"').context("a key does not end")?;
        let start = before.rfind('<').context("a key stands in no tag")?;
        let end = after.find('>').context("a tag does not end")?;
        let is_own = [&before[start..], &after[..end]]
            .iter()
            .any(|part| part.contains(OWN));
        left.push_str(before);
        if is_own || !is_told(key) {
            left.push_str(&format!("{KEY}{key}\""));
        }
        rest = after;
    }
    left.push_str(rest);
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_where_the_text_tells_it() {
        let english = r#"{"a": "Yes", "b": "No", "c": "No", "d": "Visit"}"#;
        let page = "<p data-text=\"a\" hidden>Yes</p><p data-text=\"b\">No</p>\
                    <p data-brand=\"name\" data-text=\"d\">Visit</p><p data-text-label=\"a\"></p>";
        assert_eq!(
            without_keys(page, english).unwrap(),
            page.replacen(" data-text=\"a\"", "", 1)
        );
        assert!(without_keys("<p data-text=\"a", english).is_err());
        assert!(without_keys(page, "[]").is_err());
    }
}
