//! oidc-provider as a process, and the clients that it knows.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
};

use serde_json::{Value, json};
use vestibule_smart::{AssertionKey, Client, ClientCredentials, KeyKind};

pub(crate) const REDIRECT_URI: &str =
    "https://vestibule.example/api/telehealth/v1/patient/oauth2authorized/1";
/// What must be encoded in a Basic header, and more.
const SECRET: &str = "s/e:c%r e+t&=?";

const SERVER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/oidc_provider/server.mjs"
);
/// Node.js as npm brings it, where it does: oidc-provider needs a newer one than some
/// systems have.
const NPMS_NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/.bin/node");
const ADVICE: &str =
    "oidc-provider did not start; run `cargo xtask test`, which installs Node.js and its packages";

/// A running oidc-provider. One is enough for all tests of the process.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    keys: [AssertionKey; 2],
    /// The server ends when its input does, with the process of the tests.
    _process: (Child, ChildStdin),
}

impl Provider {
    pub(crate) fn running() -> &'static Self {
        static PROVIDER: OnceLock<Provider> = OnceLock::new();
        PROVIDER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let keys = [KeyKind::Rsa2048, KeyKind::P384]
            .map(|kind| AssertionKey::generate(kind).expect("a key can be made"));
        let mut stderr = tempfile::tempfile().expect("a temporary file can be made");
        let is_there = Path::new(NPMS_NODE).exists();
        let child = Command::new(if is_there { NPMS_NODE } else { "node" })
            .arg(SERVER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.try_clone().expect("a file can be shared"))
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{ADVICE}: {error}"));
        let mut stdin = child.stdin.take().expect("standard input is piped");
        let stdout = child.stdout.take().expect("standard output is piped");
        // A server that has ended already says why below.
        let _ = writeln!(stdin, "{}", clients(&keys));
        let mut issuer = String::new();
        BufReader::new(stdout)
            .read_line(&mut issuer)
            .expect("the server writes text");
        assert!(!issuer.is_empty(), "{ADVICE}: {}", written(&mut stderr));
        Self {
            issuer: issuer.trim().to_owned(),
            keys,
            _process: (child, stdin),
        }
    }

    pub(crate) fn fhir_base(&self) -> String {
        format!("{}/fhir", self.issuer)
    }

    pub(crate) fn basic(&self) -> Client {
        self.with_secret(SECRET)
    }

    pub(crate) fn with_secret(&self, secret: &str) -> Client {
        Client::from(ClientCredentials::Basic {
            client_id: "basic:client".to_owned(),
            client_secret: secret.into(),
        })
    }

    pub(crate) fn public(&self) -> Client {
        Client::from(ClientCredentials::Public {
            client_id: "public".to_owned(),
        })
    }

    /// The clients with private keys: RS384, then ES384.
    pub(crate) fn with_keys(&self) -> [Client; 2] {
        self.keys.clone().map(|key| Client::PrivateKey {
            client_id: key.algorithm().to_string(),
            key,
        })
    }
}

fn clients(keys: &[AssertionKey; 2]) -> Value {
    let grants = ["authorization_code", "refresh_token"];
    let mut clients = vec![
        json!({
            "client_id": "basic:client",
            "client_secret": SECRET,
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": grants,
            "redirect_uris": [REDIRECT_URI],
        }),
        json!({
            "client_id": "public",
            "token_endpoint_auth_method": "none",
            "grant_types": grants,
            "redirect_uris": [REDIRECT_URI],
        }),
    ];
    clients.extend(keys.iter().map(|key| {
        json!({
            "client_id": key.algorithm().as_str(),
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": key.algorithm().as_str(),
            "jwks": {"keys": [key.public_jwk()]},
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "redirect_uris": [REDIRECT_URI],
        })
    }));
    clients.into()
}

fn written(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().expect("a file can be read again");
    file.read_to_string(&mut text)
        .expect("the server writes text");
    text
}
