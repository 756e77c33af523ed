//! The search through all logs that were written down, for the canaries as they are and
//! as they may be encoded.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use aho_corasick::AhoCorasick;
use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding as _};

use crate::{
    Class, canary,
    record::{LOG, SECRETS},
};

/// Shortest encoded form that is searched for, in bytes: a shorter one might stand there by
/// chance.
const SHORTEST: usize = 6;

/// How a canary stands in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    /// As it is, or in other letter case.
    Plain,
    /// Percent-encoded (RFC 3986), or as in a form.
    Percent,
    /// Base64 or base64url, alone or amidst other bytes.
    Base64,
    /// Hexadecimal digits of its bytes.
    Hexadecimal,
    /// With the escapes of JSON or of Rust's `Debug`.
    Escaped,
}

/// A canary in a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The name of the file.
    pub file: String,
    /// In which line of it, from 1.
    pub line: usize,
    /// What the canary is.
    pub class: Class,
    /// How it stands there.
    pub encoding: Encoding,
}

/// What a search went through, and what it found.
#[derive(Clone, Debug, Default)]
pub struct Searched {
    /// How many bytes of log each suite has.
    pub bytes: BTreeMap<String, usize>,
    /// How many different canaries of each class were searched for.
    pub canaries: BTreeMap<Class, usize>,
    /// What should not be there.
    pub findings: BTreeSet<Finding>,
}

struct Needle {
    class: Class,
    encoding: Encoding,
}

/// Searches every log in the folder for what is planted and for every secret that tests
/// have written down.
///
/// # Errors
/// Where the folder or a file in it cannot be read.
pub fn search(folder: &Path) -> io::Result<Searched> {
    let mut canaries: BTreeSet<_> = canary::PLANTED
        .into_iter()
        .map(|(class, value)| (class, value.to_owned()))
        .collect();
    let mut logs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        if kind == Some(SECRETS) {
            canaries.extend(fs::read_to_string(&path)?.lines().filter_map(|line| {
                let (class, value) = line.split_once('\t')?;
                Some((Class::of_word(class)?, value.to_owned()))
            }));
        } else if kind == Some(LOG) {
            logs.push(path);
        }
    }
    let mut searched = Searched::default();
    let mut forms = BTreeMap::new();
    for (class, value) in &canaries {
        *searched.canaries.entry(*class).or_default() += 1;
        for (encoding, form) in encoded(*class, value) {
            let needle = Needle {
                class: *class,
                encoding,
            };
            forms.entry(form).or_insert(needle);
        }
    }
    let needles: Vec<_> = forms.values().collect();
    let automaton = AhoCorasick::new(forms.keys()).map_err(io::Error::other)?;
    for path in logs {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = fs::read(&path)?;
        let suite = name.split('-').next().unwrap_or_default().to_owned();
        *searched.bytes.entry(suite).or_default() += bytes.len();
        for found in automaton.find_overlapping_iter(&bytes) {
            let needle = needles[found.pattern().as_usize()];
            let is_number = needle.class == Class::Pin && needle.encoding == Encoding::Plain;
            if is_number && !stands_alone(&bytes, found.start(), found.end()) {
                continue;
            }
            let before = &bytes[..found.start()];
            searched.findings.insert(Finding {
                file: name.clone().into_owned(),
                line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
                class: needle.class,
                encoding: needle.encoding,
            });
        }
    }
    Ok(searched)
}

/// Whether digits are no part of an id or of a longer number, in which they may stand by
/// chance. What follows a percent-encoded character is no part of it.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.".contains(byte);
    let follows_escape = start >= 3
        && bytes[start - 3] == b'%'
        && bytes[start - 2..start].iter().all(u8::is_ascii_hexdigit);
    let begins = follows_escape || !bytes[..start].last().is_some_and(is_part);
    begins && !bytes.get(end).is_some_and(is_part)
}

/// The forms in which a canary may stand in a log.
fn encoded(class: Class, value: &str) -> Vec<(Encoding, Vec<u8>)> {
    let mut forms = vec![(Encoding::Plain, value.as_bytes().to_vec())];
    let mut add = |encoding, form: String| {
        if form != value && form.len() >= SHORTEST {
            forms.push((encoding, form.into_bytes()));
        }
    };
    if class == Class::Name {
        add(Encoding::Plain, value.to_lowercase());
        add(Encoding::Plain, value.to_uppercase());
    }
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let percent = |space: &str, upper: bool| -> String {
        let mut text = String::new();
        for byte in value.bytes() {
            match byte {
                _ if is_plain(&byte) => text.push(char::from(byte)),
                b' ' => text.push_str(space),
                _ if upper => text.push_str(&format!("%{byte:02X}")),
                _ => text.push_str(&format!("%{byte:02x}")),
            }
        }
        text
    };
    for form in [
        percent("%20", true),
        percent("%20", false),
        percent("+", true),
    ] {
        add(Encoding::Percent, form);
    }
    for offset in 0..3 {
        let mut bytes = vec![0; offset];
        bytes.extend_from_slice(value.as_bytes());
        // Characters at both ends depend on what stands around.
        let whole = bytes.len() / 3 * 4;
        let begin = [0, 2, 3][offset];
        for text in [
            Base64Unpadded::encode_string(&bytes),
            Base64UrlUnpadded::encode_string(&bytes),
        ] {
            let end = whole + [0, 1, 2][bytes.len() % 3];
            add(
                Encoding::Base64,
                text.get(begin..end).unwrap_or("").to_owned(),
            );
        }
    }
    let hexadecimal = |upper: bool| -> String {
        let digits = value.bytes().map(|byte| match upper {
            true => format!("{byte:02X}"),
            false => format!("{byte:02x}"),
        });
        digits.collect()
    };
    add(Encoding::Hexadecimal, hexadecimal(false));
    add(Encoding::Hexadecimal, hexadecimal(true));
    let debug = format!("{value:?}");
    add(Encoding::Escaped, debug[1..debug.len() - 1].to_owned());
    add(Encoding::Escaped, value.replace('/', "\\/"));
    add(Encoding::Escaped, value.escape_unicode().to_string());
    let json = value.encode_utf16().map(|unit| match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    });
    add(Encoding::Escaped, json.collect());
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(log: &str, secrets: &str) -> Searched {
        let folder = tempfile::tempdir().expect("there is room");
        fs::write(folder.path().join("http-1.log"), log).expect("there is room");
        fs::write(folder.path().join("http-1.secrets"), secrets).expect("there is room");
        search(folder.path()).expect("it can be searched")
    }

    fn found(log: &str, secrets: &str) -> Vec<(usize, Class, Encoding)> {
        let findings = searched(log, secrets).findings.into_iter();
        findings
            .map(|found| (found.line, found.class, found.encoding))
            .collect()
    }

    #[test]
    fn a_planted_canary_is_found_however_it_is_encoded() {
        let name = "Zoë O'Neill";
        let secrets = format!("name\t{name}\npin\t24681357\n");
        for (text, class, encoding) in [
            ("patient=Beverley".to_owned(), Class::Name, Encoding::Plain),
            ("BEVERLEY".to_owned(), Class::Name, Encoding::Plain),
            (
                "Zo%C3%AB%20O%27Neill".into(),
                Class::Name,
                Encoding::Percent,
            ),
            (
                "zo%c3%ab Zo%C3%AB+O%27Neill".into(),
                Class::Name,
                Encoding::Percent,
            ),
            (
                "\"Zo\\u00eb O'Neill\"".into(),
                Class::Name,
                Encoding::Escaped,
            ),
            (
                canary::KEY.replace('=', "%3D"),
                Class::Key,
                Encoding::Percent,
            ),
            (
                "636f727265637420686f7273652062617474657279".into(),
                Class::Password,
                Encoding::Hexadecimal,
            ),
            ("pin=24681357&role".into(), Class::Pin, Encoding::Plain),
            ("#/?pin%3D24681357%26".into(), Class::Pin, Encoding::Plain),
        ] {
            let log = format!("a line\n{text}\n");
            assert_eq!(found(&log, &secrets), [(2, class, encoding)], "{text}");
        }
        for before in ["", "a", "ab", "abc", "admin:"] {
            for after in ["", "x", "xy"] {
                for canary in [canary::ADMIN_PASSWORD, "24681357"] {
                    let text = format!("{before}{canary}{after}");
                    for encoded in [
                        Base64Unpadded::encode_string(text.as_bytes()),
                        Base64UrlUnpadded::encode_string(text.as_bytes()),
                    ] {
                        let found = found(&encoded, &secrets);
                        assert!(
                            found.iter().all(|it| it.2 == Encoding::Base64) && found.len() == 1,
                            "{text}: {found:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn digits_of_an_id_or_of_a_longer_number_are_no_pin() {
        for log in [
            "24681357-aaaa-4bbb-8ccc-123456789012",
            "took 124681357",
            "0.24681357",
            "2468135",
            "a24681357",
        ] {
            assert!(found(log, "pin\t24681357\n").is_empty(), "{log}");
        }
    }

    #[test]
    fn what_was_gone_through_is_told() {
        let searched = searched("nothing\n", "pin\t24681357\npin\t24681357\npin\t11223344\n");
        assert!(searched.findings.is_empty());
        assert_eq!(searched.bytes["http"], 8);
        assert_eq!(searched.canaries[&Class::Pin], 2);
        assert!(Class::ALL.iter().all(|it| searched.canaries[it] > 0));
    }
}
