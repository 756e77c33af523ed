//! The private key by which this client proves who it is.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA384, RsaKeyPair,
    },
};
use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

use crate::{Jwk, KeyId, jwks::Parameters, pem};

/// The longest PEM text that is read, in bytes.
const MAX_PEM_BYTES: usize = 16 * 1024;

/// A private key that signs client assertions, RSA or P-384, and its id. Cheap
/// to clone. The cryptography library zeroizes the key when the last clone goes,
/// and draws by itself what a signature and a new key need of randomness.
#[derive(Clone)]
pub struct AssertionKey {
    pair: Arc<KeyPair>,
    jwk: Jwk,
}

/// What kind of key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with 2048 bits, which signs by RS384.
    Rsa2048,
    /// RSA with 3072 bits, which signs by RS384.
    Rsa3072,
    /// The curve P-384, which signs by ES384.
    P384,
}

/// How a key signs (RFC 7518 sections 3.3 and 3.4): the two algorithms that
/// SMART App Launch 2.2 demands of every server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// RSA with SHA-384, PKCS#1 1.5.
    Rs384,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

/// Why a text is not a private key for assertions. Says nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionKeyInvalid {
    /// Longer than 16 KiB.
    #[error("the private key is longer than 16 KiB")]
    TooLong,
    /// No private key in PEM.
    #[error(
        "not a private key in PEM: it begins with the line `-----BEGIN PRIVATE KEY-----`, ends with `-----END PRIVATE KEY-----`, and the line ends between them count"
    )]
    NotPem,
    /// Protected by a passphrase.
    #[error("the private key is protected by a passphrase; remove it with `openssl pkey`")]
    Encrypted,
    /// A public key or a certificate.
    #[error("this is a public key or a certificate; the private key is needed")]
    Public,
    /// More than one private key.
    #[error("there is more than one private key; give one")]
    Several,
    /// A key of another kind, too small, or damaged.
    #[error("the private key is neither RSA with 2048 to 8192 bits nor P-384, or it is damaged")]
    Unsupported,
}

/// The cryptography library could not make a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key could be made: the system lacks memory or randomness")]
pub struct KeyNotMade;

impl AssertionKey {
    /// Reads a key in PEM: PKCS#8, PKCS#1 or SEC 1, without passphrase. Its id
    /// is its thumbprint (RFC 7638).
    pub fn from_pem(pem: &str) -> Result<Self, AssertionKeyInvalid> {
        if pem.len() > MAX_PEM_BYTES {
            return Err(AssertionKeyInvalid::TooLong);
        }
        if pem.contains("ENCRYPTED") {
            return Err(AssertionKeyInvalid::Encrypted);
        }
        let mut found = None;
        let mut public = false;
        for section in pem::sections(pem).map_err(|_| AssertionKeyInvalid::NotPem)? {
            let pair = match section.label {
                "PRIVATE KEY" => KeyPair::from_pkcs8(&section.der),
                "RSA PRIVATE KEY" => KeyPair::from_pkcs1(&section.der),
                "EC PRIVATE KEY" => KeyPair::from_sec1(&section.der),
                "PUBLIC KEY" | "CERTIFICATE" => {
                    public = true;
                    continue;
                }
                _ => continue,
            };
            if found.replace(pair).is_some() {
                return Err(AssertionKeyInvalid::Several);
            }
        }
        match found {
            Some(pair) => pair
                .filter(|pair| pair.sign(b"whether the key works").is_some())
                .map(Self::new)
                .ok_or(AssertionKeyInvalid::Unsupported),
            None if public => Err(AssertionKeyInvalid::Public),
            None => Err(AssertionKeyInvalid::NotPem),
        }
    }

    /// Makes a new key. Its id is its thumbprint (RFC 7638).
    pub fn generate(kind: KeyKind) -> Result<Self, KeyNotMade> {
        let pair = match kind {
            KeyKind::Rsa2048 => RsaKeyPair::generate(KeySize::Rsa2048).map(KeyPair::Rsa),
            KeyKind::Rsa3072 => RsaKeyPair::generate(KeySize::Rsa3072).map(KeyPair::Rsa),
            KeyKind::P384 => {
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map(KeyPair::P384)
            }
        };
        pair.map(Self::new).map_err(|_| KeyNotMade)
    }

    /// The same key under another id.
    #[must_use]
    pub fn with_kid(self, kid: KeyId) -> Self {
        let jwk = Jwk::new(self.pair.parameters(), kid, self.pair.algorithm().as_str());
        Self { jwk, ..self }
    }

    /// The private key in PEM, PKCS#8. Secret: for a file that only its owner reads.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let der = self.pair.to_pkcs8();
        let base64 = Zeroizing::new(Base64::encode_string(&der));
        // Room for all of it: growing would leave copies behind.
        let mut pem = Zeroizing::new(String::with_capacity(base64.len() * 66 / 64 + 64));
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = more;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        pem
    }

    /// The key's name in the key set and in assertions.
    pub fn kid(&self) -> &KeyId {
        self.jwk.kid()
    }

    /// How the key signs.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.pair.algorithm()
    }

    /// The public key, for a [`Jwks`](crate::Jwks).
    pub fn public_jwk(&self) -> Jwk {
        self.jwk.clone()
    }

    /// A signature in the form of JWS.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair
            .sign(message)
            .expect("a key that has signed before signs again")
    }

    fn new(pair: KeyPair) -> Self {
        let parameters = pair.parameters();
        let kid = parameters.thumbprint();
        Self {
            jwk: Jwk::new(parameters, kid, pair.algorithm().as_str()),
            pair: Arc::new(pair),
        }
    }
}

/// Shows the public part only.
impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionKey")
            .field("kid", self.kid())
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

impl SigningAlgorithm {
    /// The name in JOSE headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs384 => "RS384",
            Self::Es384 => "ES384",
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

enum KeyPair {
    Rsa(RsaKeyPair),
    P384(EcdsaKeyPair),
}

impl KeyPair {
    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        RsaKeyPair::from_pkcs8(der).map(Self::Rsa).ok().or_else(|| {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der)
                .map(Self::P384)
                .ok()
        })
    }

    fn from_pkcs1(der: &[u8]) -> Option<Self> {
        RsaKeyPair::from_der(der).map(Self::Rsa).ok()
    }

    fn from_sec1(der: &[u8]) -> Option<Self> {
        EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, der)
            .map(Self::P384)
            .ok()
    }

    fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        const HELD: &str = "the library writes the keys that it holds";
        Zeroizing::new(match self {
            Self::Rsa(pair) => pair.as_der().expect(HELD).as_ref().to_vec(),
            Self::P384(pair) => pair.to_pkcs8v1().expect(HELD).as_ref().to_vec(),
        })
    }

    fn algorithm(&self) -> SigningAlgorithm {
        match self {
            Self::Rsa(_) => SigningAlgorithm::Rs384,
            Self::P384(_) => SigningAlgorithm::Es384,
        }
    }

    fn parameters(&self) -> Parameters {
        match self {
            Self::Rsa(pair) => {
                let key = pair.public_key();
                Parameters::rsa(
                    key.modulus().big_endian_without_leading_zero(),
                    key.exponent().big_endian_without_leading_zero(),
                )
            }
            Self::P384(pair) => Parameters::p384(pair.public_key().as_ref()),
        }
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA384, &random, message, &mut signature)
                    .ok()
                    .map(|()| signature)
            }
            Self::P384(pair) => pair
                .sign(&random, message)
                .ok()
                .map(|signature| signature.as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64ct::Base64UrlUnpadded;

    use super::*;

    /// The example key of SMART App Launch 2.2, "Example App Launch for
    /// Asymmetric Client Auth".
    const D: &str = "WcrTiYk8jbI-Sd1sKNpqGmELWGG08bf_y9SSlnC4cpAl5GRdHHN9gKYlPvMFqiJ5";
    const X: &str = "wcE8O55ro6aOuTf5Ty1k_IG4mTcuLiVercHouge1G5Ri-leevhev4uJzlHpi3U8r";
    const Y: &str = "mLRgz8Giu6XA_AqG8bywqbygShmd8jowflrdx0KQtM5X4s4aqDeCRfcpexykp3aI";
    const KID: &str = "afb27c284f2d93959c18fa0320e32060";

    /// `d` as SEC 1 (RFC 5915 section 3): version 1, the key, the curve P-384.
    fn sec1(d: &str) -> String {
        let d = Base64UrlUnpadded::decode_vec(d).unwrap();
        let curve = [0xa0, 7, 6, 5, 0x2b, 0x81, 4, 0, 0x22];
        let der = [&[0x30, 0x3e, 2, 1, 1, 4, 0x30], &d[..], &curve].concat();
        pem("EC PRIVATE KEY", &der)
    }

    fn pem(label: &str, der: &[u8]) -> String {
        let base64 = Base64::encode_string(der);
        format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
    }

    fn invalid(pem: &str) -> AssertionKeyInvalid {
        AssertionKey::from_pem(pem).unwrap_err()
    }

    #[test]
    fn agrees_with_the_published_smart_example_key() {
        let key = AssertionKey::from_pem(&sec1(D))
            .unwrap()
            .with_kid(KID.parse().unwrap());
        assert_eq!(
            serde_json::to_value(key.public_jwk()).unwrap(),
            serde_json::json!({
                "kty": "EC", "crv": "P-384", "x": X, "y": Y, "kid": KID, "alg": "ES384", "use": "sig"
            })
        );
    }

    #[test]
    fn a_key_comes_back_from_its_pem_with_the_same_id() {
        for kind in [KeyKind::Rsa2048, KeyKind::P384] {
            let key = AssertionKey::generate(kind).unwrap();
            let pem = key.to_pem();
            assert!(pem.lines().all(|line| line.len() <= 64));
            let back = AssertionKey::from_pem(&pem).unwrap();
            assert_eq!(back.public_jwk(), key.public_jwk());
            assert_eq!(back.kid().as_str().len(), 43);
            assert_eq!(back.to_pem(), pem);
        }
    }

    #[test]
    fn every_new_key_is_another() {
        let [one, two] = [(), ()].map(|()| AssertionKey::generate(KeyKind::P384).unwrap());
        assert_ne!(one.kid(), two.kid());
    }

    #[test]
    fn what_is_no_key_is_told_by_what_it_is() {
        assert_eq!(invalid(""), AssertionKeyInvalid::NotPem);
        assert_eq!(invalid("secret"), AssertionKeyInvalid::NotPem);
        assert_eq!(invalid(&sec1(D)[..60]), AssertionKeyInvalid::NotPem);
        assert_eq!(
            invalid(&sec1(D).replace("MD4", "M!4")),
            AssertionKeyInvalid::NotPem
        );
        assert_eq!(
            invalid(&"x".repeat(MAX_PEM_BYTES + 1)),
            AssertionKeyInvalid::TooLong
        );
        assert_eq!(
            invalid(&pem("CERTIFICATE", b"x")),
            AssertionKeyInvalid::Public
        );
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            assert_eq!(invalid(&pem(label, b"x")), AssertionKeyInvalid::Unsupported);
        }
        assert_eq!(
            invalid(&sec1(D).replace("EC PRIVATE", "PRIVATE")),
            AssertionKeyInvalid::Unsupported
        );
        let too_large = Base64UrlUnpadded::encode_string(&[0xff; 48]);
        assert_eq!(invalid(&sec1(&too_large)), AssertionKeyInvalid::Unsupported);
        let zero = Base64UrlUnpadded::encode_string(&[0; 48]);
        assert_eq!(invalid(&sec1(&zero)), AssertionKeyInvalid::Unsupported);
    }

    #[test]
    fn debug_and_errors_show_nothing_of_the_key() {
        let key = AssertionKey::from_pem(&sec1(D)).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains("Es384") && !shown.contains(&D[..8]));
        let base64 = Base64::encode_string(&Base64UrlUnpadded::decode_vec(D).unwrap());
        assert!(!shown.contains(&base64[..8]));
        let error = invalid(&sec1(D).replace("-----END", "END"));
        assert!(!format!("{error:?} {error}").contains(&base64[8..16]));
    }
}
