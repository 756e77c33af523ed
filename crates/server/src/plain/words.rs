//! The texts of the pages, in the languages of the landing page.

use std::{collections::HashMap, sync::LazyLock};

/// The texts of one language, by key.
pub(super) struct Words {
    /// The `lang` of the page.
    pub(super) language: &'static str,
    texts: HashMap<String, String>,
}

/// Language tags, and the files of their texts. The first one is for everybody whose
/// language is not there.
const FILES: [(&str, &str); 8] = [
    ("en", include_str!("../../../../www/locales/plain/en.json")),
    ("es", include_str!("../../../../www/locales/plain/es.json")),
    ("fr", include_str!("../../../../www/locales/plain/fr.json")),
    ("de", include_str!("../../../../www/locales/plain/de.json")),
    (
        "zh-Hans",
        include_str!("../../../../www/locales/plain/zh.json"),
    ),
    ("vi", include_str!("../../../../www/locales/plain/vi.json")),
    ("tl", include_str!("../../../../www/locales/plain/tl.json")),
    ("ar", include_str!("../../../../www/locales/plain/ar.json")),
];

static ALL: LazyLock<Vec<Words>> = LazyLock::new(|| {
    let read = |(language, text)| Words {
        language,
        texts: serde_json::from_str(text).expect("the texts are JSON; a test proves it"),
    };
    FILES.map(read).into()
});

impl Words {
    /// The words of a language, given by a tag.
    pub(super) fn of(language: Option<&str>) -> &'static Self {
        let tag = language.unwrap_or_default();
        let primary = tag.split('-').next().unwrap_or_default();
        let primary = if primary == "fil" { "tl" } else { primary };
        ALL.iter()
            .find(|words| words.language.split('-').next() == Some(primary))
            .unwrap_or(&ALL[0])
    }

    /// A text, escaped for HTML. `key` goes without the `plain.` before it.
    pub(super) fn get(&self, key: &str) -> String {
        let text = self.texts.get(&format!("plain.{key}"));
        super::page::escape(text.map_or(key, String::as_str))
    }

    pub(super) fn direction(&self) -> &'static str {
        match self.language {
            "ar" => "rtl",
            _ => "ltr",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_language_has_every_text() {
        let keys = |words: &Words| words.texts.keys().cloned().collect::<BTreeSet<_>>();
        for words in ALL.iter() {
            assert_eq!(keys(words), keys(&ALL[0]), "{}", words.language);
            for (key, text) in &words.texts {
                assert!(!text.trim().is_empty(), "{key} in {}", words.language);
            }
        }
    }

    #[test]
    fn every_text_that_a_page_shows_is_there() {
        let pages = [include_str!("page.rs"), include_str!("frame.rs")];
        let keys: Vec<_> = pages
            .iter()
            .flat_map(|page| page.split(".get(\"").skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(keys.len() > 20, "{keys:?}");
        for key in keys {
            assert!(ALL[0].texts.contains_key(&format!("plain.{key}")), "{key}");
        }
    }

    #[test]
    fn a_language_is_found_by_any_tag_of_it() {
        for (tag, language) in [
            (None, "en"),
            (Some("en-GB"), "en"),
            (Some("xx"), "en"),
            (Some("zh-TW"), "zh-Hans"),
            (Some("fil"), "tl"),
            (Some("ar-EG"), "ar"),
        ] {
            assert_eq!(Words::of(tag).language, language);
        }
        assert_eq!(Words::of(Some("ar")).direction(), "rtl");
    }
}
