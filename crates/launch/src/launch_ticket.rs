//! The one-time ticket that stands in a join link instead of PIN and name.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;

use rand::CryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::random_text::{is_random_text, random_text};

/// Five bits a character: 160 bits.
const LENGTH: usize = 32;

/// `launch_ticket`: redeemed once, by POST, for what a classic join link would
/// have carried. 160 random bits in characters that need no escape in a URL.
/// Wiped from memory when dropped, never shown by `Debug`.
#[derive(Clone)]
pub struct LaunchTicket(Zeroizing<String>);

impl LaunchTicket {
    /// A new ticket.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(random_text::<LENGTH>(rng))
    }

    /// Reads a ticket.
    ///
    /// # Errors
    /// Where the text cannot have come from [`LaunchTicket::generate`]. The error
    /// does not repeat it.
    pub fn parse(text: &str) -> Result<Self, NotALaunchTicket> {
        if is_random_text::<LENGTH>(text) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(NotALaunchTicket)
        }
    }

    /// The ticket itself, for the join link and for the body that redeems it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the ticket: what the server stores and looks up. A hash without
    /// salt or stretching is enough, because the ticket cannot be guessed.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// Takes equally long whatever the tickets are.
impl PartialEq for LaunchTicket {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for LaunchTicket {}

impl fmt::Debug for LaunchTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LaunchTicket(…)")
    }
}

/// The text is not a launch ticket made by Vestibule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a launch ticket: 32 digits and lower-case letters without i, l, o and u")]
pub struct NotALaunchTicket;

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::ChaCha20Rng};

    use super::*;

    #[test]
    fn a_ticket_is_read_back_exactly_as_it_was() {
        let ticket = LaunchTicket::generate(&mut ChaCha20Rng::from_seed([1; 32]));
        assert_eq!(LaunchTicket::parse(ticket.expose()).unwrap(), ticket);
        let upper_case = ticket.expose().to_uppercase();
        for text in ["", "0", &upper_case, &"-".repeat(32), &"0".repeat(33)] {
            assert_eq!(LaunchTicket::parse(text), Err(NotALaunchTicket), "{text}");
        }
    }

    #[test]
    fn the_hash_is_sha_256_of_the_ticket() {
        let ticket = LaunchTicket::parse(&"0".repeat(32)).unwrap();
        // printf '%032d' 0 | openssl dgst -sha256
        assert_eq!(
            ticket.hash()[..8],
            [0x84, 0xe0, 0xc0, 0xea, 0xfa, 0xa9, 0x5a, 0x34]
        );
    }

    #[test]
    fn debug_does_not_show_the_ticket() {
        let ticket = LaunchTicket::generate(&mut ChaCha20Rng::from_seed([2; 32]));
        assert!(!format!("{ticket:?}").contains(ticket.expose()));
    }
}
