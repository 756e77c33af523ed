//! What the profiles and the sandbox must agree on, and nobody else may know.

use anyhow::Result;
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use rand::CryptoRng;
use vestibule_smart::{AssertionKey, KeyKind};

/// All of it, in the form in which it stands in the files.
pub(in super::super) struct Secrets {
    pub(super) uuid: String,
    pub(super) encryption_key: String,
    pub(super) patient_client_secret: String,
    pub(super) provider_client_secret: String,
    /// In PEM. The sandbox gets the public key from the server.
    pub(super) backend_private_key: String,
    pub(super) write_back_password: String,
    pub(super) zoom_uuid: String,
    pub(super) zoom_org_id: String,
    pub(super) zoom_api_secret: String,
    pub(super) zoom_notification_password: String,
}

impl Secrets {
    /// Fresh ones.
    pub(in super::super) fn generate(rng: &mut impl CryptoRng) -> Result<Self> {
        Ok(Self {
            uuid: uuid(rng),
            encryption_key: BASE64_STANDARD.encode(random::<32>(rng)),
            patient_client_secret: text(rng),
            provider_client_secret: text(rng),
            backend_private_key: AssertionKey::generate(KeyKind::P384)?.to_pem().to_string(),
            write_back_password: text(rng),
            zoom_uuid: uuid(rng),
            zoom_org_id: BASE64_URL_SAFE_NO_PAD.encode(random::<16>(rng)),
            zoom_api_secret: text(rng),
            zoom_notification_password: text(rng),
        })
    }
}

fn uuid(rng: &mut impl CryptoRng) -> String {
    let uuid = uuid::Builder::from_random_bytes(random(rng)).into_uuid();
    uuid.to_string()
}

fn text(rng: &mut impl CryptoRng) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random::<32>(rng))
}

fn random<const N: usize>(rng: &mut impl CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}
