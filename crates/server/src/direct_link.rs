//! Direct join links: what Epic's "Send Video Visit Link" puts into messages to
//! patients, guests and providers. A link carries the encrypted launch parameters and
//! no sign-in, so the EHR is asked, as the backend application, whether it is good now.
//! It may be opened as often as the EHR says so.
//!
//! The path of a link says for whom it is. Whoever gets one can write another path, and
//! can alter what is encrypted, so a link is good for a provider only where the EHR says
//! so in its answer, or at the very beginning of the encrypted text: see
//! [`ProviderLinks`].
//!
//! Neither the path of the links nor the EHR's call is public. The path is ours; of the
//! call a profile can set everything, see [`DirectLinksDocument`].

use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;
use vestibule_launch::{LaunchContext, LaunchParameters, UnixTime, crypto::InitializationVector};

use crate::dialect::{DialectError, EpicCipher};

mod document;
mod link_check;
mod page;

pub use document::{DirectLinksDocument, LinkValue, ProviderLinksDocument};
pub use link_check::{LinkAnswer, LinkCheck, LinkRefused};

/// The direct join links of one profile.
pub struct DirectLinks {
    /// Name of the encrypted parameter, as in launches.
    pub encrypted_parameter_name: String,
    /// Opens it, as in launches.
    pub cipher: EpicCipher,
    /// Asks the EHR whether a link is good.
    pub check: LinkCheck,
    /// How a provider's link is known.
    pub provider: ProviderLinks,
}

/// How the EHR says that a link is a provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderLinks {
    /// The encrypted parameter that says it, unless the answer does: the first one.
    pub parameter: String,
    /// The field of the EHR's answer that says it. Where there is one it alone decides.
    pub answer: Option<String>,
    /// What they say.
    pub value: String,
}

impl ProviderLinks {
    /// What a provider's encrypted text begins with, where it counts: name and value.
    pub fn first_parameter(&self) -> Option<(&str, &str)> {
        let counts = self.answer.is_none();
        counts.then_some((self.parameter.as_str(), self.value.as_str()))
    }

    /// Whether an encrypted text says it: in its very first characters, unescaped. In
    /// AES-CBC each block but the first can be altered by way of the one before it, and
    /// the first by way of an initialisation vector that comes with the text.
    fn say(&self, plaintext: &str, initialization_vector: InitializationVector) -> bool {
        let value = || {
            plaintext
                .strip_prefix(&self.parameter)?
                .strip_prefix('=')?
                .strip_prefix(&self.value)
        };
        initialization_vector == InitializationVector::Zero
            && value().is_some_and(|rest| rest.starts_with('&'))
    }
}

/// What a link says.
pub struct OpenedLink {
    /// Which appointment, and whose.
    pub context: LaunchContext,
    /// Whether its encrypted text says that it is a provider's.
    pub for_provider: bool,
}

impl DirectLinks {
    /// The encrypted parameter of a link, or of the form that its page sends. Whatever
    /// else is there was added on the way, by mail programs for example.
    ///
    /// # Errors
    /// Where it is missing or there twice.
    pub fn read(&self, parameters: &str) -> Result<SecretString, DialectError> {
        let mut found = form_urlencoded::parse(parameters.as_bytes())
            .filter(|(name, _)| *name == self.encrypted_parameter_name)
            .map(|(_, value)| value.into_owned());
        match (found.next(), found.next()) {
            (Some(encrypted), None) if !encrypted.is_empty() => Ok(encrypted.into()),
            _ => Err(DialectError::ParametersInvalid),
        }
    }

    /// What the link says.
    ///
    /// # Errors
    /// [`DialectError::ParametersInvalid`], whatever is wrong.
    pub fn open(
        &self,
        encrypted: &SecretString,
        now: UnixTime,
    ) -> Result<OpenedLink, DialectError> {
        let opened: Vec<_> = self
            .cipher
            .ciphers
            .valid(now)
            .map(|cipher| {
                let plaintext = cipher.decrypt(encrypted.expose_secret()).ok()?;
                let parameters = LaunchParameters::parse(&plaintext, self.cipher.plus_sign).ok()?;
                let map = &self.cipher.parameter_map;
                Some(OpenedLink {
                    context: LaunchContext::from_parameters(&parameters, map).ok()?,
                    for_provider: self
                        .provider
                        .say(&plaintext, cipher.initialization_vector()),
                })
            })
            .collect();
        opened
            .into_iter()
            .flatten()
            .next()
            .ok_or(DialectError::ParametersInvalid)
    }

    /// The page that a link opens: a form that sends the link again, when somebody
    /// presses its button. `language` is a primary language tag.
    pub fn page(&self, encrypted: &SecretString, language: Option<&str>) -> String {
        page::page(
            language,
            &self.encrypted_parameter_name,
            encrypted.expose_secret(),
        )
    }
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding as _};
    use vestibule_launch::{
        ParameterMap, PlusSign,
        crypto::{Algorithm, KeyType, LaunchCipher, LaunchKey},
    };

    use super::*;
    use crate::{profile::Overlap, random};

    const BLOCK: usize = 16;
    const GUEST: &str =
        "role=guest&csn=4711&fname=Beverley-Ann&lname=Spinder&note=role=provider&x=1";

    fn cipher(layout: InitializationVector) -> LaunchCipher {
        let key = LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, "password").unwrap();
        LaunchCipher::new(key, layout)
    }

    fn links(layout: InitializationVector) -> DirectLinks {
        let document: DirectLinksDocument =
            toml::from_str("url = \"https://ehr.example.org/check\"").unwrap();
        DirectLinks {
            encrypted_parameter_name: "data".to_owned(),
            cipher: EpicCipher {
                key_type: KeyType::Password,
                ciphers: Overlap::only(cipher(layout)),
                plus_sign: PlusSign::Literal,
                parameter_map: ParameterMap::default(),
            },
            check: document.check(None).unwrap(),
            provider: document.check_provider(InitializationVector::Zero).unwrap(),
        }
    }

    fn is_provider_s(links: &DirectLinks, bytes: &[u8]) -> bool {
        let opened = links.open(
            &Base64::encode_string(bytes).into(),
            UnixTime::from_millis(0),
        );
        opened.is_ok_and(|opened| opened.for_provider)
    }

    fn encrypted(layout: InitializationVector, text: &str) -> Vec<u8> {
        let text = cipher(layout).encrypt(text, &mut *random::system());
        Base64::decode_vec(&text).unwrap()
    }

    #[test]
    fn a_provider_s_link_says_so_first_and_unescaped() {
        let zero = InitializationVector::Zero;
        let links = links(zero);
        for (text, expected) in [
            ("role=provider&csn=4711", true),
            ("role=provider2&csn=4711", false),
            ("role=%70rovider&csn=4711", false),
            ("ROLE=provider&csn=4711", false),
            ("csn=4711&role=provider", false),
            ("csn=4711&role=provider&x=1", false),
            (GUEST, false),
        ] {
            let said = is_provider_s(&links, &encrypted(zero, text));
            assert_eq!(said, expected, "{text}");
        }
    }

    #[test]
    fn nothing_that_is_done_to_a_guest_s_link_makes_it_a_provider_s() {
        let wanted = b"role=provider&x=";
        let original = encrypted(InitializationVector::Zero, GUEST);
        let links = links(InitializationVector::Zero);
        let blocks: Vec<&[u8]> = original.chunks(BLOCK).collect();
        // What a known text lets an attacker write into the block after.
        let difference = |index: usize| -> Vec<u8> {
            let known = &GUEST.as_bytes()[index * BLOCK..(index + 1) * BLOCK];
            known.iter().zip(wanted).map(|(a, b)| a ^ b).collect()
        };
        let mut tried = 0;
        let mut attempt = |bytes: &[u8]| {
            tried += 1;
            assert!(!is_provider_s(&links, bytes));
        };
        for index in 0..GUEST.len() / BLOCK {
            let mut altered = original.clone();
            if index > 0 {
                let before = &mut altered[(index - 1) * BLOCK..index * BLOCK];
                before
                    .iter_mut()
                    .zip(difference(index))
                    .for_each(|(a, b)| *a ^= b);
                attempt(&altered);
                // The text from there on, and with what would have been the vector.
                attempt(&altered[index * BLOCK..]);
                attempt(&altered[(index - 1) * BLOCK..]);
            }
            // Every block first, before all others.
            attempt(&[blocks[index], original.as_slice()].concat());
        }
        for bit in 0..original.len() * 8 {
            let mut altered = original.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            attempt(&altered);
        }
        assert!(tried > original.len() * 8);
    }

    #[test]
    fn a_vector_that_comes_with_the_link_makes_no_provider() {
        let layout = InitializationVector::PrefixBinary;
        let links = links(layout);
        let mut forged = encrypted(layout, "role=xxxxxxxx&csn=4711");
        for (byte, (a, b)) in forged
            .iter_mut()
            .zip(b"role=xxxxxxxx".iter().zip(b"role=provider"))
        {
            *byte ^= a ^ b;
        }
        let opened = cipher(layout)
            .decrypt(&Base64::encode_string(&forged))
            .unwrap();
        assert_eq!(
            *opened, "role=provider&csn=4711",
            "the forgery is a good one"
        );
        assert!(!is_provider_s(&links, &forged));
        let document = DirectLinksDocument::default();
        for layout in [layout, InitializationVector::PrefixAscii16] {
            let refused = document.check_provider(layout).unwrap_err();
            assert_eq!(refused.0, "direct_links.provider.answer");
            let answer = "provider = { answer = \"Kind\" }";
            let with_answer: DirectLinksDocument = toml::from_str(answer).unwrap();
            assert!(with_answer.check_provider(layout).is_ok());
        }
    }
}
