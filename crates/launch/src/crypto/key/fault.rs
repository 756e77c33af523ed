//! What is wrong with a secret that is no key: mostly how it was copied.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

/// Why a secret is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchKeyError {
    /// There is nothing.
    #[error("the encryption key is empty")]
    Empty,
    /// White space came along when it was copied.
    #[error("the encryption key has white space before or after it: copy it without")]
    SurroundingWhiteSpace,
    /// A line break is inside.
    #[error("the encryption key has a line break in it: copy it in one line")]
    LineBreak,
    /// A character that nobody sees came along when it was copied.
    #[error(
        "the encryption key has an invisible character in it, such as a tab or a zero-width \
         space: type it in, or copy it from another place"
    )]
    Invisible,
    /// It is longer than a profile's field.
    #[error("the encryption key is longer than 100 characters")]
    TooLong,
    /// AES-256-CBC demands a base64 key.
    #[error(
        "AES-256-CBC does not take a password: generate a base64 key of 32 bytes, \
         or use AES-128-CBC where the EHR does"
    )]
    PasswordWithAes256,
    /// It is a base64 key in quotation marks.
    #[error("the encryption key has quotation marks around it: copy it without")]
    Quoted,
    /// The name under which it was printed came along when it was copied.
    #[error(
        "the encryption key has a name before it, such as `key:` or `value:`: copy only what \
         follows"
    )]
    Labelled,
    /// White space is inside.
    #[error("the encryption key has white space in it: copy it in one piece")]
    InnerWhiteSpace,
    /// It is in the alphabet for URLs.
    #[error(
        "the encryption key has `-` or `_` in it, as base64url has: write `+` for `-` and `/` \
         for `_`, here and at the EHR"
    )]
    Base64Url,
    /// It lacks `=` at its end.
    #[error("the encryption key lacks the `=` with which base64 ends: copy all of it")]
    NoPadding,
    /// It is hexadecimal.
    #[error("the encryption key is hexadecimal: write the same bytes in base64")]
    Hexadecimal,
    /// It is not base64.
    #[error(
        "the encryption key is not base64: a character is missing or one too many, \
         or it is a password"
    )]
    NotBase64,
    /// It decodes to a key of another length.
    #[error("the encryption key has {found} bytes once decoded, and the algorithm needs {needed}")]
    WrongLength {
        /// Bytes that the algorithm needs.
        needed: usize,
        /// Bytes that there are.
        found: usize,
    },
}

/// Why a text is no base64, where that can be told.
pub(super) fn not_base64(secret: &str) -> LaunchKeyError {
    let quotes = [
        '"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}',
    ];
    if secret.starts_with(quotes) || secret.ends_with(quotes) {
        return LaunchKeyError::Quoted;
    }
    // Padding is at the end, so an equals sign before something else is no part of it.
    let named = secret.trim_end_matches('=').split_once([':', '=']);
    if named.is_some_and(|(name, _)| is_label(name)) {
        return LaunchKeyError::Labelled;
    }
    if secret.contains(char::is_whitespace) {
        return LaunchKeyError::InnerWhiteSpace;
    }
    let unpadded = secret.trim_end_matches('=');
    if unpadded.contains(['-', '_']) && Base64UrlUnpadded::decode_vec(unpadded).is_ok() {
        return LaunchKeyError::Base64Url;
    }
    if unpadded == secret && Base64Unpadded::decode_vec(secret).is_ok() {
        return LaunchKeyError::NoPadding;
    }
    LaunchKeyError::NotBase64
}

fn is_label(text: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || " _-.".contains(character);
    !text.is_empty() && text.chars().all(is_part)
}

/// Whether a character has no look of its own. Spaces and line breaks are no part of it.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
        || (character.is_control() && !"\r\n".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Algorithm, KeyType, LaunchKey};

    /// The sample in Pexip's documentation of its Epic integration of a 32-byte key.
    const KEY_256: &str = "fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0=";

    #[test]
    fn a_base64_key_that_was_copied_badly_is_refused_with_the_reason() {
        let hexadecimal = "7d35b62b09496762".repeat(4);
        for (secret, reason) in [
            (format!("\"{KEY_256}\""), LaunchKeyError::Quoted),
            (format!("\u{201c}{KEY_256}\u{201d}"), LaunchKeyError::Quoted),
            (format!("value: {KEY_256}"), LaunchKeyError::Labelled),
            (format!("key={KEY_256}"), LaunchKeyError::Labelled),
            (
                format!("Cryptographic key:{KEY_256}"),
                LaunchKeyError::Labelled,
            ),
            (KEY_256.replace('K', " "), LaunchKeyError::InnerWhiteSpace),
            (KEY_256.replace('+', "-"), LaunchKeyError::Base64Url),
            (
                KEY_256.replace('+', "_").replace('=', ""),
                LaunchKeyError::Base64Url,
            ),
            (KEY_256.replace('=', ""), LaunchKeyError::NoPadding),
            (hexadecimal, LaunchKeyError::Hexadecimal),
            ("Secret123!".to_owned(), LaunchKeyError::NotBase64),
            (KEY_256[1..].to_owned(), LaunchKeyError::NotBase64),
            (format!("{KEY_256}="), LaunchKeyError::NotBase64),
        ] {
            let refused = LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, &secret);
            assert_eq!(refused.unwrap_err(), reason, "{secret}");
            assert!(!reason.to_string().contains(&secret));
        }
    }
}
