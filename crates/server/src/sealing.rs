//! What leaves the server's memory sealed: the OAuth2 state, and everything
//! personal in the store. XChaCha20-Poly1305 under a key in the data folder; the
//! associated data says what was sealed for whom, so that nothing sealed for one
//! purpose, profile or launch opens as another.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use rand::CryptoRng;
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use vestibule_launch::{EhrRole, RequestId};
use vestibule_store::{EncounterKey, Fingerprint, LimitKey};
use zeroize::Zeroizing;

mod key_file;
mod state_key;

pub use key_file::{KeyFileError, read_or_create};
pub use state_key::{STATE_KEY_VARIABLE, StateKeyError, environment, state_key};

const NONCE_BYTES: usize = 24;

/// Bytes of the key from which all others are derived.
pub const KEY_BYTES: usize = 32;

/// Seals and opens, and makes the keys under which sealed things are stored.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    hash_key: Zeroizing<[u8; KEY_BYTES]>,
}

/// What something is sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What a launch needs when the EHR returns; the id is the request id.
    Launch = 1,
    /// What an appointment's participants share; the id is the encounter key.
    Appointment = 2,
    /// What a ticket is redeemed for; the id is the request id.
    Ticket = 3,
    /// What a launch holds of the EHR; the id is the request id.
    Session = 5,
    /// A telehealth profile or one of its secrets; the id is the secret's field, or
    /// empty.
    Profile = 7,
    /// What is to be told to the EHR; the id is the request id.
    WriteBack = 8,
    /// What is remembered of a participant; the id is the participant's.
    Participant = 9,
    /// What a launch is taken up again with; the id is the request id.
    Resumption = 10,
    /// A visit in plain HTML, in the browser's cookie; no profile, and no id.
    Plain = 11,
    /// A join link that was given out a moment ago; the id is the request id.
    JoinLink = 12,
    /// What an administrator's sign-in by OpenID Connect needs at its return, in the
    /// browser's cookie; no profile, and no id.
    AdminSignIn = 20,
}

/// In the place of a [`Purpose`] in a state's associated data.
const STATE: u8 = 4;

/// It was not sealed here, or for something else, or has been tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened: sealed under another state.key, for something else, or tampered with")]
pub struct NotSealedHere;

impl Sealer {
    /// Derives its keys from `key`.
    pub fn new(key: &Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let sealing_key = keyed_hash(key, &[b"vestibule sealing"]);
        Self {
            cipher: XChaCha20Poly1305::new((&*sealing_key).into()),
            hash_key: keyed_hash(key, &[b"vestibule lookup"]),
        }
    }

    /// Seals a value. `id` must be the same when it is opened.
    pub fn seal<T: Serialize>(
        &self,
        purpose: Purpose,
        profile: Uuid,
        id: &[u8],
        value: &T,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<u8> {
        let plaintext =
            Zeroizing::new(serde_json::to_vec(value).expect("what is sealed has a JSON form"));
        self.seal_bytes(&associated(purpose as u8, profile, id), &plaintext, rng)
    }

    /// Opens what [`Sealer::seal`] sealed for the same purpose, profile and id.
    ///
    /// # Errors
    /// Where it was not.
    pub fn open<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        profile: Uuid,
        id: &[u8],
        sealed: &[u8],
    ) -> Result<T, NotSealedHere> {
        let plaintext = self.open_bytes(&associated(purpose as u8, profile, id), sealed)?;
        serde_json::from_slice(&plaintext).map_err(|_| NotSealedHere)
    }

    /// The OAuth2 `state` of a launch: 75 characters, opaque, bound to profile and
    /// role, different each time. Its 122 random bits are the request id's; nobody
    /// without the key can make one, whatever they know.
    pub fn seal_state(
        &self,
        request_id: RequestId,
        profile: Uuid,
        role: EhrRole,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> String {
        let associated = associated(STATE, profile, role.as_str().as_bytes());
        let sealed = self.seal_bytes(&associated, request_id.as_bytes(), rng);
        Base64UrlUnpadded::encode_string(&sealed)
    }

    /// The launch of a state that [`Sealer::seal_state`] made for this profile and role.
    ///
    /// # Errors
    /// Where it did not.
    pub fn open_state(
        &self,
        state: &str,
        profile: Uuid,
        role: EhrRole,
    ) -> Result<RequestId, NotSealedHere> {
        let sealed = Base64UrlUnpadded::decode_vec(state).map_err(|_| NotSealedHere)?;
        let associated = associated(STATE, profile, role.as_str().as_bytes());
        let opened = self.open_bytes(&associated, &sealed)?;
        let bytes = <[u8; 16]>::try_from(opened.as_slice()).map_err(|_| NotSealedHere)?;
        Ok(RequestId::from_bytes(bytes))
    }

    /// The key under which an encounter's appointment is stored.
    pub fn encounter_key(&self, profile: Uuid, encounter: &str) -> EncounterKey {
        let parts = [
            b"encounter",
            profile.as_bytes().as_slice(),
            encounter.as_bytes(),
        ];
        EncounterKey::from_bytes(*keyed_hash(&self.hash_key, &parts))
    }

    /// The fingerprint of an EHR's one-time launch token.
    pub fn fingerprint(
        &self,
        profile: Uuid,
        role: EhrRole,
        iss: &str,
        launch: &str,
    ) -> Fingerprint {
        let parts = [
            b"launch".as_slice(),
            profile.as_bytes(),
            role.as_str().as_bytes(),
            iss.as_bytes(),
            launch.as_bytes(),
        ];
        Fingerprint::from_bytes(*keyed_hash(&self.hash_key, &parts))
    }

    /// Under which something is counted: `what`, of whom the parts name.
    pub(crate) fn limit_key(&self, what: &str, parts: &[&[u8]]) -> LimitKey {
        let parts = [&[b"limit", what.as_bytes()], parts].concat();
        LimitKey::from_bytes(*keyed_hash(&self.hash_key, &parts))
    }

    /// By what a browser proves that a launch began in it.
    pub fn browser_proof(&self, profile: Uuid, request_id: RequestId) -> Zeroizing<[u8; 32]> {
        let parts = [
            b"browser".as_slice(),
            profile.as_bytes(),
            request_id.as_bytes(),
        ];
        keyed_hash(&self.hash_key, &parts)
    }

    /// Whether `proof` is [`Sealer::browser_proof`], compared in constant time.
    pub fn is_browser_proof(&self, profile: Uuid, request_id: RequestId, proof: &[u8]) -> bool {
        self.browser_proof(profile, request_id)
            .as_slice()
            .ct_eq(proof)
            .into()
    }

    fn seal_bytes(
        &self,
        associated: &[u8],
        plaintext: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let payload = Payload {
            msg: plaintext,
            aad: associated,
        };
        let ciphertext = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("what is sealed is far shorter than the cipher's limit");
        [nonce.as_slice(), &ciphertext].concat()
    }

    fn open_bytes(
        &self,
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotSealedHere> {
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(NotSealedHere)?;
        let payload = Payload {
            msg: ciphertext,
            aad: associated,
        };
        self.cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| NotSealedHere)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

/// Purpose and profile have fixed lengths, so no two inputs give the same bytes.
fn associated(purpose: u8, profile: Uuid, id: &[u8]) -> Vec<u8> {
    [&[purpose], profile.as_bytes().as_slice(), id].concat()
}

/// HMAC-SHA-256 over the parts, each with its length before it.
fn keyed_hash(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&Zeroizing::new([byte; KEY_BYTES]))
    }

    #[test]
    fn a_state_opens_for_its_own_profile_and_role_only() {
        let mut rng = crate::random::system();
        let sealer = sealer(1);
        let id = RequestId::generate(&mut rng);
        let state = sealer.seal_state(id, PROFILE, EhrRole::Patient, &mut rng);
        assert_eq!(state.len(), 75);
        assert_eq!(sealer.open_state(&state, PROFILE, EhrRole::Patient), Ok(id));
        assert!(
            sealer
                .open_state(&state, PROFILE, EhrRole::Provider)
                .is_err()
        );
        assert!(sealer.open_state(&state, OTHER, EhrRole::Patient).is_err());
        assert!(
            super::tests::sealer(2)
                .open_state(&state, PROFILE, EhrRole::Patient)
                .is_err()
        );
        assert_ne!(
            state,
            sealer.seal_state(id, PROFILE, EhrRole::Patient, &mut rng)
        );
    }

    #[test]
    fn no_altered_state_opens() {
        let mut rng = crate::random::system();
        let sealer = sealer(1);
        let id = RequestId::generate(&mut rng);
        let state = sealer.seal_state(id, PROFILE, EhrRole::Patient, &mut rng);
        for index in 0..state.len() {
            let mut altered = state.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(
                sealer
                    .open_state(&altered, PROFILE, EhrRole::Patient)
                    .is_err()
            );
        }
        for text in ["", "A", "====", &state[1..], "\u{e9}", &"A".repeat(75)] {
            assert!(sealer.open_state(text, PROFILE, EhrRole::Patient).is_err());
        }
    }

    #[test]
    fn sealed_values_open_for_their_purpose_profile_and_id_only() {
        let mut rng = crate::random::system();
        let sealer = sealer(1);
        let value = "Beverley".to_owned();
        let sealed = sealer.seal(Purpose::Launch, PROFILE, b"1", &value, &mut rng);
        let open = |purpose, profile, id| sealer.open::<String>(purpose, profile, id, &sealed);
        assert_eq!(open(Purpose::Launch, PROFILE, b"1"), Ok(value));
        assert!(open(Purpose::Ticket, PROFILE, b"1").is_err());
        assert!(open(Purpose::Launch, OTHER, b"1").is_err());
        assert!(open(Purpose::Launch, PROFILE, b"2").is_err());
        assert!(!String::from_utf8_lossy(&sealed).contains("Beverley"));
    }

    #[test]
    fn encounters_and_launch_tokens_have_keys_of_their_own() {
        let sealer = sealer(1);
        let key = sealer.encounter_key(PROFILE, "4711");
        assert_eq!(key, sealer.encounter_key(PROFILE, "4711"));
        assert_ne!(key, sealer.encounter_key(PROFILE, "4712"));
        assert_ne!(key, sealer.encounter_key(OTHER, "4711"));
        assert_ne!(key, super::tests::sealer(2).encounter_key(PROFILE, "4711"));
        let fingerprint = |iss, launch| sealer.fingerprint(PROFILE, EhrRole::Patient, iss, launch);
        assert_eq!(fingerprint("a", "bc"), fingerprint("a", "bc"));
        assert_ne!(fingerprint("a", "bc"), fingerprint("ab", "c"));
    }

    #[test]
    fn what_is_counted_has_keys_of_its_own_that_nobody_else_can_make() {
        let sealer = sealer(1);
        let key = sealer.limit_key("a", &[b"bc", b""]);
        assert_eq!(key, sealer.limit_key("a", &[b"bc", b""]));
        assert_ne!(key, sealer.limit_key("ab", &[b"c", b""]));
        assert_ne!(key, sealer.limit_key("a", &[b"b", b"c"]));
        assert_ne!(key, sealer.limit_key("a", &[b"bc"]));
        assert_ne!(key, super::tests::sealer(2).limit_key("a", &[b"bc", b""]));
    }

    #[test]
    fn a_browser_proves_its_own_launch_only() {
        let mut rng = crate::random::system();
        let sealer = sealer(1);
        let id = RequestId::generate(&mut rng);
        let proof = sealer.browser_proof(PROFILE, id);
        assert!(sealer.is_browser_proof(PROFILE, id, &*proof));
        assert!(!sealer.is_browser_proof(OTHER, id, &*proof));
        assert!(!sealer.is_browser_proof(PROFILE, RequestId::generate(&mut rng), &*proof));
        assert!(!sealer.is_browser_proof(PROFILE, id, &proof[..31]));
        assert!(!super::tests::sealer(2).is_browser_proof(PROFILE, id, &*proof));
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", sealer(1)), "Sealer(…)");
    }
}
