//! Why encrypted launch parameters do not open: tries offline what is likely to be set
//! differently on the other side. For an administrator who holds the key; a launch
//! that fails never says any of this.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use secrecy::{ExposeSecret as _, SecretString};
use vestibule_launch::{
    LaunchParameters, LaunchParametersError, PlusSign,
    crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey, LaunchKeyError},
};

#[cfg(test)]
mod tests;

/// Bytes of an AES block.
const BLOCK: usize = 16;

/// How a profile says that launch parameters are encrypted.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The encryption key, as it stands in the profile.
    pub key: SecretString,
    /// What the key is.
    pub key_type: KeyType,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The layout of the initialisation vector.
    pub initialization_vector: InitializationVector,
    /// What `+` means inside.
    pub plus_sign: PlusSign,
}

/// What became of the encrypted parameters.
#[derive(Debug)]
pub enum Diagnosis {
    /// They open with the settings as they are.
    Opens(LaunchParameters),
    /// They open once this is changed, each of it.
    OpensWith(Vec<Change>, LaunchParameters),
    /// They decrypt, but what is inside breaks the grammar of launch parameters.
    Ungrammatical(LaunchParametersError),
    /// Nothing that was tried opens them.
    Shut(Shut),
}

/// What has to be different for the parameters to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The text in the URL.
    Text(TextFault),
    /// The key's text.
    Key(KeyFault),
    /// The profile's `epic_encryption_key_type`.
    KeyType(KeyType),
    /// The profile's `epic_encryption_algorithm`.
    Algorithm(Algorithm),
    /// The profile's `initialization_vector`.
    InitializationVector(InitializationVector),
}

/// What happened to the text on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// `-` and `_` in place of `+` and `/`.
    Base64Url,
    /// White space or line breaks were put in.
    WhiteSpace,
    /// It was percent-encoded once too often, not only at the characters of base64.
    EncodedTwice,
}

/// What happened to the key when it was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// White space around it.
    WhiteSpace,
    /// Quotation marks around it.
    Quotes,
    /// The word `value:` before it, as key generators print it.
    Label,
    /// The EHR uses the 16 characters themselves as the key.
    RawCharacters,
}

/// What can be said of parameters that nothing opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// The text is no base64.
    NotBase64,
    /// Its length is none that a block cipher makes: something is cut off or added.
    WrongLength {
        /// Bytes once decoded.
        bytes: usize,
    },
    /// Its form is right, so the key is another one (or the text was altered).
    OtherKey,
    /// The key of the profile is none.
    Key(LaunchKeyError),
}

/// Tries `text`, the encrypted parameter once percent-decoded, with `settings` and then
/// with what is likely to be wrong in them.
pub fn diagnose(text: &str, settings: &Settings) -> Diagnosis {
    let mut ungrammatical = None;
    for attempt in attempts(settings) {
        let Some(text) = attempt.text(text) else {
            continue;
        };
        let Some(cipher) = attempt.cipher(settings) else {
            continue;
        };
        let Ok(plaintext) = cipher.decrypt(&text) else {
            continue;
        };
        match LaunchParameters::parse(&plaintext, settings.plus_sign) {
            Ok(parameters) if attempt.changes.is_empty() => return Diagnosis::Opens(parameters),
            Ok(parameters) => return Diagnosis::OpensWith(attempt.changes, parameters),
            // By chance one wrong key of 256 leaves something that looks padded.
            Err(error) if attempt.changes.is_empty() && plaintext.contains('=') => {
                ungrammatical = Some(error);
            }
            Err(_) => {}
        }
    }
    ungrammatical.map_or_else(
        || Diagnosis::Shut(shut(text, settings)),
        Diagnosis::Ungrammatical,
    )
}

fn shut(text: &str, settings: &Settings) -> Shut {
    let key = LaunchKey::new(
        settings.algorithm,
        settings.key_type,
        settings.key.expose_secret(),
    );
    if let Err(error) = key {
        return Shut::Key(error);
    }
    let text = text.replace(' ', "+");
    let unpadded = text.trim_end_matches('=');
    let bytes = base64ct::Base64Unpadded::decode_vec(unpadded).map(|bytes| bytes.len());
    match (settings.initialization_vector, bytes) {
        // The prefix need not be base64, so nothing is known of the length.
        (InitializationVector::PrefixAscii16, _) => Shut::OtherKey,
        (_, Err(_)) => Shut::NotBase64,
        (_, Ok(bytes)) if bytes == 0 || bytes % BLOCK != 0 => Shut::WrongLength { bytes },
        (_, Ok(_)) => Shut::OtherKey,
    }
}

/// One way to read the text, with what it changes.
struct Attempt {
    text: Option<TextFault>,
    key: Option<KeyFault>,
    key_type: KeyType,
    algorithm: Algorithm,
    initialization_vector: InitializationVector,
    changes: Vec<Change>,
}

impl Attempt {
    fn text(&self, text: &str) -> Option<String> {
        let changed = match self.text {
            None => return Some(text.to_owned()),
            Some(TextFault::Base64Url) => text.replace('-', "+").replace('_', "/"),
            Some(TextFault::WhiteSpace) => text.split_whitespace().collect(),
            Some(TextFault::EncodedTwice) => percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .ok()?
                .into_owned(),
        };
        (changed != text).then_some(changed)
    }

    fn cipher(&self, settings: &Settings) -> Option<LaunchCipher> {
        let given = settings.key.expose_secret();
        let key = match self.key {
            None => SecretString::from(given),
            Some(KeyFault::WhiteSpace) => changed(given, given.trim())?,
            Some(KeyFault::Quotes) => changed(
                given,
                given
                    .trim()
                    .trim_matches(['"', '\'', '\u{201c}', '\u{201d}']),
            )?,
            Some(KeyFault::Label) => {
                let (_, key) = given.split_once(':')?;
                changed(given, key.trim())?
            }
            Some(KeyFault::RawCharacters) => {
                SecretString::from(Base64::encode_string(given.as_bytes()))
            }
        };
        let key = LaunchKey::new(self.algorithm, self.key_type, key.expose_secret()).ok()?;
        Some(LaunchCipher::new(key, self.initialization_vector))
    }
}

fn changed(given: &str, text: &str) -> Option<SecretString> {
    (text != given).then(|| SecretString::from(text))
}

/// Every combination, those with the fewest changes first.
fn attempts(settings: &Settings) -> Vec<Attempt> {
    let texts = [
        None,
        Some(TextFault::WhiteSpace),
        Some(TextFault::Base64Url),
        Some(TextFault::EncodedTwice),
    ];
    let keys = [
        None,
        Some(KeyFault::WhiteSpace),
        Some(KeyFault::Quotes),
        Some(KeyFault::Label),
        Some(KeyFault::RawCharacters),
    ];
    let key_types = [KeyType::Base64Key, KeyType::Password];
    let algorithms = [Algorithm::Aes128Cbc, Algorithm::Aes256Cbc];
    let layouts = [
        InitializationVector::Zero,
        InitializationVector::PrefixBinary,
        InitializationVector::PrefixAscii16,
    ];
    let mut attempts = Vec::new();
    for text in texts {
        for key in keys {
            for key_type in key_types {
                for algorithm in algorithms {
                    for initialization_vector in layouts {
                        let mut changes = Vec::new();
                        changes.extend(text.map(Change::Text));
                        changes.extend(key.map(Change::Key));
                        if key_type != settings.key_type {
                            changes.push(Change::KeyType(key_type));
                        }
                        if algorithm != settings.algorithm {
                            changes.push(Change::Algorithm(algorithm));
                        }
                        if initialization_vector != settings.initialization_vector {
                            changes.push(Change::InitializationVector(initialization_vector));
                        }
                        attempts.push(Attempt {
                            text,
                            key,
                            key_type,
                            algorithm,
                            initialization_vector,
                            changes,
                        });
                    }
                }
            }
        }
    }
    attempts.sort_by_key(|attempt| attempt.changes.len());
    attempts
}

/// What to do.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(TextFault::Base64Url) => f.write_str(
                "the text has the URL alphabet of base64 (- and _): the EHR must send the standard one (+ and /), percent-encoded",
            ),
            Self::Text(TextFault::WhiteSpace) => f.write_str(
                "the text has white space in it: something on its way wrapped the URL",
            ),
            Self::Text(TextFault::EncodedTwice) => f.write_str(
                "the text is percent-encoded twice: something on its way encodes the URL again",
            ),
            Self::Key(KeyFault::WhiteSpace) => {
                f.write_str("epic_encryption_key has white space around it: copy it without")
            }
            Self::Key(KeyFault::Quotes) => {
                f.write_str("epic_encryption_key has quotation marks around it: copy it without")
            }
            Self::Key(KeyFault::Label) => f.write_str(
                "epic_encryption_key has a label such as `value:` before it: copy the key alone",
            ),
            Self::Key(KeyFault::RawCharacters) => f.write_str(
                "the EHR uses the characters of the key as they are: set epic_encryption_key to their base64 form and epic_encryption_key_type to base64key",
            ),
            Self::KeyType(key_type) => write!(
                f,
                "set epic_encryption_key_type to {key_type}, or change it in the EHR"
            ),
            Self::Algorithm(algorithm) => write!(
                f,
                "set epic_encryption_algorithm to {algorithm}, or change it in the EHR"
            ),
            Self::InitializationVector(layout) => {
                write!(f, "set initialization_vector to {layout}")
            }
        }
    }
}

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64 => f.write_str(
                "the text is no base64: is it the right parameter, and was it copied whole?",
            ),
            Self::WrongLength { bytes } => write!(
                f,
                "the text has {bytes} bytes once decoded, which is no multiple of 16: it was cut off, or something was added; copy the URL whole"
            ),
            Self::OtherKey => f.write_str(
                "the text is well formed, so the EHR has another key: compare the key check values, or give both sides a new key (`vestibule keygen`)",
            ),
            Self::Key(error) => write!(f, "{error}"),
        }
    }
}
