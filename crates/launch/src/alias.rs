//! The one-time alias of a launch.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;

use rand::CryptoRng;

use crate::random_text::{is_random_text, random_text};

/// Five bits a character: 130 bits.
const LENGTH: usize = 26;

/// `base_telehealth_alias`: one-time, one per launch, 130 random bits. Who knows
/// it can knock at the conference, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseAlias(String);

impl BaseAlias {
    /// A new alias: 26 digits and lower-case letters, none of which changes its
    /// meaning by case.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(random_text::<LENGTH>(rng).as_str().to_owned())
    }

    /// Reads an alias back, whatever its case.
    ///
    /// # Errors
    /// Where the text cannot have come from [`BaseAlias::generate`].
    pub fn parse(text: &str) -> Result<Self, NotABaseAlias> {
        let text = text.to_ascii_lowercase();
        if is_random_text::<LENGTH>(&text) {
            Ok(Self(text))
        } else {
            Err(NotABaseAlias)
        }
    }

    /// The alias as templates get it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BaseAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseAlias(…)")
    }
}

/// The text is not a base alias made by Vestibule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a base alias: 26 digits and letters without i, l, o and u")]
pub struct NotABaseAlias;

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::ChaCha20Rng};

    use super::*;

    #[test]
    fn an_alias_is_read_back_in_either_case() {
        let alias = BaseAlias::generate(&mut ChaCha20Rng::from_seed([1; 32]));
        assert_eq!(alias.as_str().len(), 26);
        assert_eq!(BaseAlias::parse(alias.as_str()).unwrap(), alias);
        assert_eq!(
            BaseAlias::parse(&alias.as_str().to_uppercase()).unwrap(),
            alias
        );
        for text in [
            "",
            "short",
            &"i".repeat(26),
            &"0".repeat(27),
            &"é".repeat(13),
        ] {
            assert_eq!(BaseAlias::parse(text), Err(NotABaseAlias), "{text}");
        }
    }

    #[test]
    fn no_two_launches_get_the_same_alias() {
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        let aliases: std::collections::HashSet<_> =
            (0..1_000).map(|_| BaseAlias::generate(&mut rng)).collect();
        assert_eq!(aliases.len(), 1_000);
    }

    #[test]
    fn debug_does_not_show_the_alias() {
        let alias = BaseAlias::generate(&mut ChaCha20Rng::from_seed([3; 32]));
        assert!(!format!("{alias:?}").contains(alias.as_str()));
    }
}
