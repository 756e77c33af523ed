//! Keys between here and OpenSSL: it reads and checks the keys that are made
//! here and verifies their signatures; its own keys are read here in every
//! format, and the public halves agree.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use rand::{SeedableRng as _, rngs::ChaCha20Rng};
use secrecy::ExposeSecret as _;
use vestibule_launch::UnixTime;
use vestibule_smart::{AssertionKey, AssertionKeyInvalid, KeyKind, SigningAlgorithm};

#[test]
fn openssl_reads_and_checks_the_keys_that_are_made_here() {
    for (kind, description) in [
        (KeyKind::Rsa2048, "Private-Key: (2048 bit"),
        (KeyKind::Rsa3072, "Private-Key: (3072 bit"),
        (KeyKind::P384, "Private-Key: (384 bit"),
    ] {
        let key = AssertionKey::generate(kind).unwrap();
        let pem = key.to_pem();
        let shown = openssl(&["pkey", "-check", "-noout", "-text"], pem.as_bytes());
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("Key is valid"), "{kind:?}");
        assert!(shown.contains(description), "{kind:?}");
        // OpenSSL writes the same PKCS#8.
        assert_eq!(openssl(&["pkey"], pem.as_bytes()), pem.as_bytes());
        let again = AssertionKey::from_pem(&pem).unwrap();
        assert_eq!(again.public_jwk(), key.public_jwk());
    }
}

#[test]
fn openssl_verifies_an_rs384_assertion() {
    let key = AssertionKey::generate(KeyKind::Rsa2048).unwrap();
    let endpoint = "https://ehr.example/token".parse().unwrap();
    let now = UnixTime::from_millis(1_800_000_000_000);
    let assertion = key.assertion("c", &endpoint, now, &mut ChaCha20Rng::from_seed([1; 32]));
    let (signed, signature) = assertion.expose_secret().rsplit_once('.').unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let public = openssl(&["pkey", "-pubout"], key.to_pem().as_bytes());
    let public = file("public.pem", &public);
    let signature = file(
        "signature",
        &Base64UrlUnpadded::decode_vec(signature).unwrap(),
    );
    let verdict = openssl(
        &[
            "dgst",
            "-sha384",
            "-verify",
            text(&public),
            "-signature",
            text(&signature),
        ],
        signed.as_bytes(),
    );
    assert_eq!(verdict, b"Verified OK\n");
}

#[test]
fn every_format_in_which_openssl_writes_a_key_is_read() {
    let rsa = openssl(&["genpkey", "-quiet", "-algorithm", "RSA"], b"");
    let curve = openssl(
        &[
            "genpkey",
            "-quiet",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-384",
        ],
        b"",
    );
    for (pkcs8, label, algorithm) in [
        (&rsa, "RSA PRIVATE KEY", SigningAlgorithm::Rs384),
        (&curve, "EC PRIVATE KEY", SigningAlgorithm::Es384),
    ] {
        let traditional = openssl(&["pkey", "-traditional"], pkcs8);
        let traditional = String::from_utf8(traditional).unwrap();
        assert!(traditional.contains(label));
        let pkcs8 = std::str::from_utf8(pkcs8).unwrap();
        let key = AssertionKey::from_pem(pkcs8).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let windows = traditional.replace('\n', "\r\n");
        let commented = format!("Bag Attributes\n  name: x\n{traditional}\n");
        for other in [&traditional, &windows, &commented] {
            let other = AssertionKey::from_pem(other).unwrap();
            assert_eq!(other.public_jwk(), key.public_jwk());
        }
        assert_eq!(key.to_pem().as_str(), pkcs8);
    }
    // `openssl ecparam` writes the curve before the key.
    let with_parameters = openssl(&["ecparam", "-genkey", "-name", "secp384r1"], b"");
    let with_parameters = String::from_utf8(with_parameters).unwrap();
    assert!(with_parameters.contains("EC PARAMETERS"));
    AssertionKey::from_pem(&with_parameters).unwrap();
}

#[test]
fn keys_that_cannot_sign_assertions_are_told_apart() {
    let invalid = |pem: &[u8]| {
        let pem = std::str::from_utf8(pem).unwrap();
        AssertionKey::from_pem(pem).unwrap_err()
    };
    let rsa = openssl(&["genpkey", "-quiet", "-algorithm", "RSA"], b"");
    assert_eq!(
        invalid(&openssl(&["pkey", "-pubout"], &rsa)),
        AssertionKeyInvalid::Public
    );
    for format in [&["pkey"][..], &["pkey", "-traditional"]] {
        let options = ["-aes256", "-passout", "pass:secret"];
        let encrypted = openssl(&[format, &options].concat(), &rsa);
        assert_eq!(invalid(&encrypted), AssertionKeyInvalid::Encrypted);
    }
    assert_eq!(
        invalid(&[&rsa[..], &rsa[..]].concat()),
        AssertionKeyInvalid::Several
    );
    for other in [
        &["genpkey", "-quiet", "-algorithm", "ED25519"][..],
        &[
            "genpkey",
            "-quiet",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:1024",
        ],
        &[
            "genpkey",
            "-quiet",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ],
    ] {
        assert_eq!(
            invalid(&openssl(other, b"")),
            AssertionKeyInvalid::Unsupported,
            "{other:?}"
        );
    }
    let one_line = String::from_utf8(rsa).unwrap().replace('\n', "");
    assert_eq!(invalid(one_line.as_bytes()), AssertionKeyInvalid::NotPem);
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl starts; run `cargo xtask test`, which installs it");
    // Where nothing is read, the pipe may be closed already.
    let _ = child
        .stdin
        .take()
        .expect("standard input is piped")
        .write_all(input);
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?} failed");
    output.stdout
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}
