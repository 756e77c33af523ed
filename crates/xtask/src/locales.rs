//! The check of the texts: every language has every text, and the English ones are those
//! of the page. What is wrong would be seen only by those who read the language.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use vestibule_landing_page::LANGUAGES;

use crate::workspace::Workspace;

/// The language of which the page itself has the texts.
const ENGLISH: &str = "en";
/// The folder of the page's texts; those of other pages are in folders in it.
const FOLDER: &str = "www/locales";
const PAGE: &str = "www/index.html";
/// The device check's English texts, as its own crate has them.
const DEVICE_CHECK: &str = "crates/device-check/texts.json";
/// The attributes that have a text's key, and the attribute that has the text; none
/// where the element itself has it.
const PLACES: [(&str, Option<&str>); 3] = [
    ("data-text", None),
    ("data-text-label", Some("aria-label")),
    ("data-text-title", Some("title")),
];

/// The texts of one language, by key.
type Texts = BTreeMap<String, String>;

/// Checks the texts of the work tree.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let folder = workspace.path(FOLDER);
    let page = read(&workspace.path(PAGE))?;
    let own = parse(&read(&workspace.path(DEVICE_CHECK))?)?;
    let mut faults = Vec::new();
    for part in ["", "devices", "plain"] {
        let mut languages = languages(&folder.join(part))?;
        if part == "devices" {
            languages.insert(ENGLISH.to_owned(), own.clone());
        }
        let found = faults_between(&languages);
        faults.extend(found.into_iter().map(|fault| match part {
            "" => fault,
            part => format!("{part}/{fault}"),
        }));
        if let ("", Some(english)) = (part, languages.get(ENGLISH)) {
            faults.extend(faults_of_page(&page, english));
        }
    }
    ensure!(
        faults.is_empty(),
        "the texts are not whole:\n{}",
        faults.join("\n")
    );
    Ok(())
}

/// The texts of a folder, by language; folders in it are none.
fn languages(folder: &Path) -> Result<BTreeMap<String, Texts>> {
    let mut languages = BTreeMap::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let texts = parse(&read(&path)?)
            .with_context(|| format!("{} is no object of texts", path.display()))?;
        languages.insert(name.into_owned(), texts);
    }
    Ok(languages)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn parse(json: &str) -> Result<Texts> {
    Ok(serde_json::from_str(json)?)
}

/// What tells the languages apart that must not.
fn faults_between(languages: &BTreeMap<String, Texts>) -> Vec<String> {
    let mut faults = Vec::new();
    for language in LANGUAGES {
        if !languages.contains_key(language) {
            faults.push(format!("{language}.json: missing"));
        }
    }
    let Some(english) = languages.get(ENGLISH) else {
        return faults;
    };
    for (language, texts) in languages {
        let mut fault = |key: &str, what: &str| {
            faults.push(format!("{language}.json: {key}: {what}"));
        };
        if !LANGUAGES.contains(&language.as_str()) {
            fault("", "the page does not speak it");
        }
        for key in english.keys().filter(|key| !texts.contains_key(*key)) {
            fault(key, "missing");
        }
        for (key, text) in texts {
            let Some(english) = english.get(key) else {
                fault(key, "there is no such text in English");
                continue;
            };
            if text.trim().is_empty() {
                fault(key, "empty");
            }
            if text.trim() != text {
                fault(key, "white space at an end");
            }
            if placeholders(text) != placeholders(english) {
                fault(key, "not the placeholders of the English text");
            }
        }
    }
    faults
}

/// The names in braces, in any order; a brace that is not closed is none.
fn placeholders(text: &str) -> Vec<&str> {
    let after = text.split('{').skip(1);
    let closed = after.filter_map(|rest| rest.split_once('}'));
    let mut names: Vec<_> = closed.map(|(name, _)| name).collect();
    names.sort_unstable();
    names
}

/// Where the page's own texts are not the English ones.
fn faults_of_page(page: &str, english: &Texts) -> Vec<String> {
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    let page = without_comments(page);
    for (start, _) in page.match_indices('<') {
        let Some((tag, after)) = tag(&page[start..]) else {
            continue;
        };
        for (place, attribute_of_text) in PLACES {
            let Some(key) = attribute(tag, place) else {
                continue;
            };
            used.insert(key);
            let said = match attribute_of_text {
                Some(name) => attribute(tag, name).unwrap_or_default(),
                None => after.split('<').next().unwrap_or_default(),
            };
            if attribute_of_text.is_none() && !is_end(after) {
                faults.push(format!("index.html: {key}: elements stand in its text"));
            }
            let said = unescaped(said);
            match english.get(key) {
                None => faults.push(format!("index.html: {key}: not in en.json")),
                Some(text) if *text != said => {
                    faults.push(format!("index.html: {key}: {said:?}, en.json: {text:?}"));
                }
                Some(_) => {}
            }
        }
    }
    let unused = english.keys().filter(|key| !used.contains(key.as_str()));
    faults.extend(unused.map(|key| format!("en.json: {key}: not in index.html")));
    faults
}

/// Whether a text ends with the element it is in.
fn is_end(after: &str) -> bool {
    after
        .split_once('<')
        .is_some_and(|(_, markup)| markup.starts_with('/'))
}

fn without_comments(page: &str) -> String {
    let mut parts = page.split("<!--");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once("-->").map_or("", |(_, after)| after));
    }
    kept
}

/// A start tag without its brackets, and what follows it.
fn tag(markup: &str) -> Option<(&str, &str)> {
    let inside = markup.strip_prefix('<')?;
    inside
        .starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some(())?;
    let mut quoted = false;
    let end = inside.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })?;
    Some((&inside[..end], &inside[end + 1..]))
}

/// The value of an attribute, which stands in double quotes unless it is a word.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once('=') {
        let found = before.rsplit(|c: char| c.is_ascii_whitespace()).next();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => match after.find(|c: char| c.is_ascii_whitespace()) {
                Some(end) => after.split_at(end),
                None => (after, ""),
            },
        };
        if found == Some(name) {
            return Some(value);
        }
        rest = next;
    }
    None
}

/// With single spaces, and without the character references that the page uses.
fn unescaped(text: &str) -> String {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    words
        .join(" ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        let pairs = pairs.iter();
        pairs
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect()
    }

    fn whole() -> BTreeMap<String, Texts> {
        LANGUAGES
            .map(|language| {
                let said = texts(&[("title", "Hello {name}"), ("end", "Bye")]);
                (language.to_owned(), said)
            })
            .into()
    }

    /// The one fault there is after a change of one language.
    fn fault(language: &str, change: impl FnOnce(&mut Texts)) -> String {
        let mut languages = whole();
        change(languages.get_mut(language).unwrap());
        let faults = faults_between(&languages);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.into_iter().next().unwrap()
    }

    #[test]
    fn the_texts_of_the_work_tree_are_whole() {
        check(&Workspace::new()).unwrap();
    }

    #[test]
    fn every_language_needs_every_text_and_no_other() {
        assert_eq!(faults_between(&whole()), Vec::<String>::new());
        assert_eq!(
            fault("de", |texts| drop(texts.remove("end"))),
            "de.json: end: missing"
        );
        let surplus = fault("vi", |texts| drop(texts.insert("more".into(), "x".into())));
        assert!(surplus.starts_with("vi.json: more:"), "{surplus}");
    }

    #[test]
    fn a_language_that_is_missing_or_not_spoken_is_a_fault() {
        let mut languages = whole();
        let texts = languages.remove("tl").unwrap();
        languages.insert("da".to_owned(), texts);
        let faults = faults_between(&languages);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.contains(&"tl.json: missing".to_owned()));
        assert!(faults.iter().any(|fault| fault.starts_with("da.json")));
    }

    #[test]
    fn an_empty_text_is_a_fault() {
        let emptied = fault("es", |texts| {
            drop(texts.insert("end".into(), String::new()));
        });
        assert_eq!(emptied, "es.json: end: empty");
        let spaced = fault("es", |texts| drop(texts.insert("end".into(), "x ".into())));
        assert_eq!(spaced, "es.json: end: white space at an end");
    }

    #[test]
    fn placeholders_must_be_those_of_the_english_text() {
        for text in ["Hallo", "Hallo {nam}", "Hallo {name} {name}", "Hallo {name"] {
            let change = |texts: &mut Texts| drop(texts.insert("title".into(), text.into()));
            let fault = fault("de", change);
            assert!(fault.contains("placeholders"), "{fault}");
        }
        let mut languages = whole();
        let german = languages.get_mut("de").unwrap();
        german.insert("title".to_owned(), "{name}, hallo".to_owned());
        assert!(faults_between(&languages).is_empty());
    }

    #[test]
    fn the_page_has_the_english_texts_in_every_place() {
        let page = "<!-- <p data-text=\"old\">x</p> --><h1 tabindex=\"-1\" data-text=\"title\">\n  \
                    Waiting for\n the host</h1><a data-text-label=\"l\" aria-label=\"A &amp; > B\">\
                    </a><i data-text-title=t title=Wide></i>";
        let english = texts(&[
            ("title", "Waiting for the host"),
            ("l", "A & > B"),
            ("t", "Wide"),
        ]);
        assert_eq!(faults_of_page(page, &english), Vec::<String>::new());
        for key in ["title", "l", "t"] {
            let mut other = english.clone();
            other.insert(key.to_owned(), "Other".to_owned());
            assert_eq!(faults_of_page(page, &other).len(), 1, "{key}");
            other.remove(key);
            let faults = faults_of_page(page, &other);
            assert_eq!(faults, [format!("index.html: {key}: not in en.json")]);
            let mut more = english.clone();
            more.insert("more".to_owned(), "x".to_owned());
            assert_eq!(
                faults_of_page(page, &more),
                ["en.json: more: not in index.html"]
            );
        }
    }

    #[test]
    fn an_element_inside_of_a_text_is_a_fault() {
        let english = texts(&[("a", "Read")]);
        let faults = faults_of_page("<p data-text=\"a\">Read <b>this</b></p>", &english);
        assert_eq!(faults, ["index.html: a: elements stand in its text"]);
    }
}
