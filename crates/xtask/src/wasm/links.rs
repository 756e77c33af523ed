//! What a page refers to, by the names under which it is served.

use anyhow::{Context, Result, ensure};

use super::served::ServedFiles;

/// A start tag up to its `>`, and what is in it that matters here.
struct Tag<'a> {
    text: &'a str,
}

/// Gives every reference of a page to a served file its name, and adds the hash where
/// browsers check it: to scripts, style sheets and the wasm. A reference that
/// `exists` does not know either is an error.
pub(super) fn rename(
    page: &str,
    served: &ServedFiles,
    exists: impl Fn(&str) -> bool,
) -> Result<String> {
    let mut renamed = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        renamed.push_str(before);
        let end = tag_end(from).with_context(|| format!("a tag does not end: {from:.40}"))?;
        let (text, after) = from.split_at(end);
        renamed.push_str(&Tag { text }.renamed(served, &exists)?);
        rest = after;
    }
    renamed.push_str(rest);
    Ok(renamed)
}

/// Where a tag ends that a text begins with; a `>` in a value does not end it.
fn tag_end(text: &str) -> Option<usize> {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.find("-->").map(|end| end + "<!---->".len());
    }
    let mut quote = None;
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (None, '>') => return Some(index + 1),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    None
}

impl Tag<'_> {
    fn renamed(&self, served: &ServedFiles, exists: impl Fn(&str) -> bool) -> Result<String> {
        let Some((attribute, reference)) = self.reference() else {
            return Ok(self.text.to_owned());
        };
        let Some(file) = served.get(reference) else {
            ensure!(
                is_elsewhere(reference) || exists(reference),
                "the page refers to {reference}, which is not built"
            );
            return Ok(self.text.to_owned());
        };
        let old = format!("{attribute}=\"{reference}\"");
        let mut new = format!("{attribute}=\"{}\"", file.file);
        if self.is_checked() {
            new.push_str(&format!(" integrity=\"{}\"", file.integrity));
        }
        Ok(self.text.replacen(&old, &new, 1))
    }

    /// The attribute that refers to a file, and the reference.
    fn reference(&self) -> Option<(&'static str, &str)> {
        let attribute = match self.name() {
            "link" => "href",
            "script" | "img" | "iframe" | "source" => "src",
            _ => return None,
        };
        Some((attribute, self.value(attribute)?))
    }

    fn name(&self) -> &str {
        let text = self.text.trim_start_matches('<');
        let end = text.find(|character: char| !character.is_ascii_alphanumeric());
        &text[..end.unwrap_or(text.len())]
    }

    fn value(&self, attribute: &str) -> Option<&str> {
        let (_, from) = self.text.split_once(&format!(" {attribute}=\""))?;
        Some(from.split_once('"')?.0)
    }

    /// Whether what this tag loads is compared with a hash: by the browser, or by the
    /// `fetch` of the page's own script.
    fn is_checked(&self) -> bool {
        let checked = ["stylesheet", "modulepreload", "preload", "later"];
        self.name() == "script"
            || (self.name() == "link"
                && self.value("rel").is_some_and(|rel| checked.contains(&rel)))
    }
}

fn is_elsewhere(reference: &str) -> bool {
    reference.is_empty() || reference.starts_with(['#', '/']) || reference.contains(':')
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PAGE: &str = r#"<!doctype html>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="css/a.css">
<link rel="preload" as="fetch" href="a.wasm">
<script type="module" src="a.js"></script>
<img src="icon.svg" alt="5 > 4"><a href="icon.svg">a</a>
<iframe src="frame.html"></iframe>
"#;

    fn served(folder: &tempfile::TempDir) -> ServedFiles {
        fs::create_dir(folder.path().join("css")).unwrap();
        let mut served = ServedFiles::new(folder.path());
        for name in ["icon.svg", "css/a.css", "a.js", "a.wasm"] {
            fs::write(folder.path().join(name), name).unwrap();
            served.name(name).unwrap();
        }
        served
    }

    #[test]
    fn scripts_and_style_sheets_get_name_and_hash_and_the_rest_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let served = served(&folder);
        let page = rename(PAGE, &served, |name| name == "frame.html").unwrap();
        let file = |name| served.get(name).unwrap().file.clone();
        let hash = |name| served.get(name).unwrap().integrity.clone();
        let expected = PAGE
            .replace(
                "href=\"a.wasm\"",
                &format!(
                    "href=\"{}\" integrity=\"{}\"",
                    file("a.wasm"),
                    hash("a.wasm")
                ),
            )
            .replace(
                "href=\"css/a.css\"",
                &format!(
                    "href=\"{}\" integrity=\"{}\"",
                    file("css/a.css"),
                    hash("css/a.css")
                ),
            )
            .replace(
                "src=\"a.js\"",
                &format!("src=\"{}\" integrity=\"{}\"", file("a.js"), hash("a.js")),
            )
            .replace(
                "\" href=\"icon.svg\"",
                &format!("\" href=\"{}\"", file("icon.svg")),
            )
            .replace("src=\"icon.svg\"", &format!("src=\"{}\"", file("icon.svg")));
        assert_eq!(page, expected);
    }

    #[test]
    fn a_reference_to_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let served = served(&folder);
        let error = rename("<script src=\"boot.js\"></script>", &served, |_| false).unwrap_err();
        assert!(error.to_string().contains("boot.js"), "{error}");
        let elsewhere = "<!-- <script src=\"x.js\"> --><img src=\"data:,\"><link href=\"/x.css\">";
        assert_eq!(rename(elsewhere, &served, |_| false).unwrap(), elsewhere);
        assert!(rename("<img alt=\"", &served, |_| false).is_err());
    }
}
