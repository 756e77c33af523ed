//! What of the landing page stands in the element: its header and its main part, without
//! the way on for browsers that run no script, and its style sheet.

use anyhow::{Context, Result, ensure};

use crate::wasm::html::collapse_white_space;

/// The page around the element has its own; the element's are no landmarks.
const LANDMARKS: [&str; 2] = ["header", "main"];
/// What the element needs beyond the landing page's style sheet.
const OWN_STYLE: &str = ":host { display: block; }\n:host([hidden]) { display: none; }\n";

/// The element's content.
pub(super) struct Markup {
    /// HTML.
    pub(super) html: String,
    /// The names of its screens, in their order; without the one that the shim never shows.
    pub(super) screens: Vec<String>,
}

impl Markup {
    /// Takes it out of the landing page.
    pub(super) fn of(index: &str) -> Result<Self> {
        let header = part(index, "<header", "</header>")?;
        let main = part(index, "<main", "</main>")?;
        let mut html = [header, main].concat();
        for (start, end) in [
            ("<noscript", "</noscript>"),
            ("<form id=\"plain\"", "</form>"),
        ] {
            let without = part(&html, start, end)?.to_owned();
            html = html.replacen(&without, "", 1);
        }
        let screens: Vec<String> = html
            .split("<section data-screen=\"")
            .skip(1)
            .filter_map(|text| text.split('"').next())
            .filter(|name| *name != "unsupported")
            .map(str::to_owned)
            .collect();
        ensure!(!screens.is_empty(), "there is no screen");
        // A template would not load it, but the element would ask for it where it stands.
        let html = html.replacen(" src=\"icon.svg\"", "", 1);
        ensure!(
            !html.contains(" src="),
            "something is loaded by its address"
        );
        let mut html = collapse_white_space(&html);
        for landmark in LANDMARKS {
            html = html
                .replace(
                    &format!("<{landmark}>"),
                    &format!("<div class=\"{landmark}\">"),
                )
                .replace(&format!("</{landmark}>"), "</div>");
        }
        Ok(Self { html, screens })
    }
}

/// The style sheet of the element: that of the landing page, which speaks of `:host` too.
pub(super) fn style(landing: &str) -> Result<String> {
    ensure!(
        landing.contains(":host"),
        "the style sheet does not know an element"
    );
    let mut style = String::new();
    for line in landing.lines() {
        let rule = line.trim_start();
        let name = rule.split([' ', ',']).next().unwrap_or_default();
        if LANDMARKS.contains(&name) {
            style.push('.');
        }
        style.push_str(rule);
        style.push('\n');
    }
    style.push_str(OWN_STYLE);
    Ok(style)
}

/// The first text from `start` up to the end of `end`.
fn part<'a>(text: &'a str, start: &str, end: &str) -> Result<&'a str> {
    let from = text
        .find(start)
        .with_context(|| format!("there is no {start}"))?;
    let text = &text[from..];
    let to = text
        .find(end)
        .with_context(|| format!("there is no {end}"))?;
    Ok(&text[..to + end.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../www/index.html");
    const STYLE: &str = include_str!("../../../../www/css/landing.css");

    #[test]
    fn the_element_has_every_screen_and_nothing_for_browsers_without_scripts() {
        let markup = Markup::of(PAGE).unwrap();
        assert!(markup.html.starts_with("<div class=\"header\">"));
        assert!(markup.html.ends_with("</div>"));
        let divisions = markup.html.matches("<div").count();
        assert_eq!(markup.html.matches("</div>").count(), divisions);
        for not in [
            "noscript",
            "id=\"plain\"",
            "<script",
            "data-language",
            "<header",
            "<main",
            "icon.svg",
        ] {
            assert!(!markup.html.contains(not), "{not}");
        }
        let sections = PAGE.matches("<section data-screen=").count();
        assert_eq!(markup.screens.len() + 1, sections);
        assert!(markup.screens.iter().any(|name| name == "waiting"));
    }

    #[test]
    fn a_page_without_what_is_needed_is_refused() {
        assert!(Markup::of("<main></main>").is_err());
        assert!(Markup::of(&PAGE.replace("</form>", "")).is_err());
        assert!(style("p {}\n").is_err());
    }

    #[test]
    fn the_style_sheet_knows_the_parts_that_are_no_landmarks_in_the_element() {
        let style = style(STYLE).unwrap();
        for rule in [".header,\n.main,\nfooter {", "\n.header img {", "\n.main {"] {
            assert!(style.contains(rule), "{rule}");
        }
        let left = style.lines().filter(|line| line.starts_with("main"));
        assert_eq!(left.count(), 0, "{style}");
        assert!(style.ends_with(OWN_STYLE));
    }
}
