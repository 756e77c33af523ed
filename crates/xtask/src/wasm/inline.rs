//! Scripts that stand in the page itself: what has to run before anything else is there.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

/// Puts each script, by its name, in the place of the reference to it:
/// `<script src="name"></script>`.
pub(super) fn scripts(page: &str, scripts: &BTreeMap<String, String>) -> Result<String> {
    let mut page = page.to_owned();
    for (name, script) in scripts {
        let script = script.trim_end();
        // Only these end a script's text, or begin what does not end at its end tag.
        for end in ["</script", "<!--"] {
            let is_there = script.to_ascii_lowercase().contains(end);
            ensure!(!is_there, "{name} has {end} in it");
        }
        let reference = format!("<script src=\"{name}\"></script>");
        page = page.replace(&reference, &format!("<script>{script}</script>"));
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(script: &str) -> Result<String> {
        let known = BTreeMap::from([("a.js".to_owned(), script.to_owned())]);
        scripts(
            "<script src=\"a.js\"></script><script src=\"b.js\"></script>",
            &known,
        )
    }

    #[test]
    fn a_script_stands_where_the_page_refers_to_it() {
        assert_eq!(
            with("a < b;\n").unwrap(),
            "<script>a < b;</script><script src=\"b.js\"></script>"
        );
    }

    #[test]
    fn a_script_that_would_end_early_is_refused() {
        assert!(with("a = '</SCRIPT>'").is_err());
        assert!(with("a <!--b").is_err());
    }
}
