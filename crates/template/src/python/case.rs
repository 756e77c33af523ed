//! Large and small letters.

use crate::Letters;

/// `str.capitalize`
pub(crate) fn capitalize(letters: Letters, text: &str) -> String {
    cased(letters, text, |place| match place {
        Place::First => Case::Title,
        Place::WordStart | Place::Inside => Case::Lower,
    })
}

/// `str.title`
pub(crate) fn title(letters: Letters, text: &str) -> String {
    cased(letters, text, |place| match place {
        Place::First | Place::WordStart => Case::Title,
        Place::Inside => Case::Lower,
    })
}

/// `str.swapcase`
#[cfg(feature = "full")]
pub(crate) fn swapcase(text: &str) -> String {
    let mut swapped = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        if character.is_uppercase() {
            push_lower(Letters::default(), &mut swapped, text, index, character);
        } else if character.is_lowercase() {
            swapped.extend(character.to_uppercase());
        } else {
            swapped.push(character);
        }
    }
    swapped
}

/// `str.islower`
pub(crate) fn is_lower(text: &str) -> bool {
    text.chars().any(char::is_lowercase)
        && !text.chars().any(|c| c.is_uppercase() || is_title_letter(c))
}

/// `str.isupper`
pub(crate) fn is_upper(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
        && !text.chars().any(|c| c.is_lowercase() || is_title_letter(c))
}

/// `str.istitle`
#[cfg(feature = "full")]
pub(crate) fn is_title(text: &str) -> bool {
    let mut in_word = false;
    let mut found = false;
    for character in text.chars() {
        if character.is_uppercase() || is_title_letter(character) {
            if in_word {
                return false;
            }
            in_word = true;
            found = true;
        } else if character.is_lowercase() {
            if !in_word {
                return false;
            }
        } else {
            in_word = false;
        }
    }
    found
}

/// Where a letter stands.
#[derive(Clone, Copy)]
enum Place {
    First,
    WordStart,
    Inside,
}

enum Case {
    Title,
    Lower,
}

fn cased(letters: Letters, text: &str, case: impl Fn(Place) -> Case) -> String {
    let mut cased = String::with_capacity(text.len());
    let mut in_word = false;
    for (index, character) in text.char_indices() {
        let place = match (index, in_word) {
            (0, _) => Place::First,
            (_, false) => Place::WordStart,
            (_, true) => Place::Inside,
        };
        match case(place) {
            Case::Title => push_title(letters, &mut cased, character),
            Case::Lower => push_lower(letters, &mut cased, text, index, character),
        }
        in_word =
            character.is_uppercase() || character.is_lowercase() || is_title_letter(character);
    }
    cased
}

/// The small letter for the `character` at `index`: a sigma at the end of a word has
/// one of its own.
fn push_lower(letters: Letters, out: &mut String, text: &str, index: usize, character: char) {
    if character != 'Σ' {
        out.push_str(&of_one(letters.lower, character));
        return;
    }
    let end = index + character.len_utf8();
    let letter_before = (letters.lower)(&text[..end]).ends_with('ς');
    let after = (letters.lower)(&format!("a{}", &text[index..]));
    let is_final = letter_before && after.chars().nth(1) == Some('ς');
    out.push(if is_final { 'ς' } else { 'σ' });
}

/// The letter for the start of a word: of one that becomes two, only the first is large.
fn push_title(letters: Letters, out: &mut String, character: char) {
    let code = u32::from(character);
    let one = match code {
        0x1c4..=0x1c6 => 0x1c5,
        0x1c7..=0x1c9 => 0x1c8,
        0x1ca..=0x1cc => 0x1cb,
        0x1f1..=0x1f3 => 0x1f2,
        // Georgian has large letters for titles that are large as a whole only.
        0x10d0..=0x10fa | 0x10fd..=0x10ff => code,
        0x1f80..=0x1faf => code | 8,
        0x1fb3 | 0x1fbc => 0x1fbc,
        0x1fc3 | 0x1fcc => 0x1fcc,
        0x1ff3 | 0x1ffc => 0x1ffc,
        0x149 => {
            out.push_str("ʼN");
            return;
        }
        _ => {
            let large = of_one(letters.upper, character);
            let mut large = large.chars();
            out.extend(large.next());
            for rest in large {
                // An iota becomes a mark below.
                if rest == 'Ι' {
                    out.push('\u{345}');
                } else {
                    out.push_str(&of_one(letters.lower, rest));
                }
            }
            return;
        }
    };
    out.extend(char::from_u32(one));
}

fn of_one(change: fn(&str) -> String, character: char) -> String {
    change(character.encode_utf8(&mut [0; 4]))
}

/// Letters such as `ǅ`, which are neither large nor small.
fn is_title_letter(character: char) -> bool {
    matches!(
        u32::from(character),
        0x1c5 | 0x1c8 | 0x1cb | 0x1f2 | 0x1f88..=0x1f8f | 0x1f98..=0x1f9f | 0x1fa8..=0x1faf
            | 0x1fbc | 0x1fcc | 0x1ffc
    )
}
