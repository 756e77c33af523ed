//! What a profile says about the encryption of its launches.

use core::fmt;

use serde::{Deserialize, Serialize};

/// `epic_encryption_algorithm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// For Epic releases before August 2019.
    #[default]
    #[serde(rename = "AES-128-CBC")]
    Aes128Cbc,
    /// For Epic releases from August 2019 on.
    #[serde(rename = "AES-256-CBC")]
    Aes256Cbc,
}

impl Algorithm {
    /// Bytes of a key.
    pub fn key_length(self) -> usize {
        match self {
            Self::Aes128Cbc => 16,
            Self::Aes256Cbc => 32,
        }
    }

    /// The name used in configuration: `AES-128-CBC` or `AES-256-CBC`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aes128Cbc => "AES-128-CBC",
            Self::Aes256Cbc => "AES-256-CBC",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `epic_encryption_key_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// A text from which the key is derived; for AES-128-CBC only.
    #[default]
    Password,
    /// The key itself in base64.
    Base64Key,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password => "password",
            Self::Base64Key => "base64key",
        })
    }
}

/// Where the initialisation vector of a launch is. Pexip and Zoom document none,
/// and every public implementation of the 128-bit mode uses zeros; the prefixed
/// layouts are for installations that differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitializationVector {
    /// Sixteen zero bytes, not transmitted.
    #[default]
    Zero,
    /// The first 16 bytes once base64 is decoded.
    PrefixBinary,
    /// The first 16 characters, before the base64 begins.
    #[serde(rename = "prefix-ascii16")]
    PrefixAscii16,
}

impl fmt::Display for InitializationVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "zero",
            Self::PrefixBinary => "prefix-binary",
            Self::PrefixAscii16 => "prefix-ascii16",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_configuration_are_the_documented_ones() {
        let names = serde_json::to_value((
            [Algorithm::Aes128Cbc, Algorithm::Aes256Cbc],
            [KeyType::Password, KeyType::Base64Key],
            [
                InitializationVector::Zero,
                InitializationVector::PrefixBinary,
                InitializationVector::PrefixAscii16,
            ],
        ))
        .unwrap();
        let documented = serde_json::json!([
            ["AES-128-CBC", "AES-256-CBC"],
            ["password", "base64key"],
            ["zero", "prefix-binary", "prefix-ascii16"],
        ]);
        assert_eq!(names, documented);
    }

    #[test]
    fn a_name_is_the_same_wherever_it_is_shown() {
        for algorithm in [Algorithm::Aes128Cbc, Algorithm::Aes256Cbc] {
            let name = serde_json::to_value(algorithm).unwrap();
            assert_eq!(name, algorithm.to_string());
        }
        for key_type in [KeyType::Password, KeyType::Base64Key] {
            let name = serde_json::to_value(key_type).unwrap();
            assert_eq!(name, key_type.to_string());
        }
        for layout in [
            InitializationVector::Zero,
            InitializationVector::PrefixBinary,
            InitializationVector::PrefixAscii16,
        ] {
            let name = serde_json::to_value(layout).unwrap();
            assert_eq!(name, layout.to_string());
        }
    }
}
