//! Launch encryption against independent judges: published and cross-checked
//! vectors, and the `openssl` command.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use proptest::prelude::*;
use rand::{SeedableRng, rngs::ChaCha20Rng};
use serde_json::Value;
use vestibule_launch::crypto::{
    Algorithm, BadCiphertext, InitializationVector, KeyCheckValue, KeyType, LONGEST_CIPHERTEXT,
    LaunchCipher, LaunchKey,
};

/// The sample in Pexip's documentation of its Epic integration of a 32-byte key.
const KEY_256: &str = "fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0=";
const KEY_256_HEX: &str = "7d35b62b094967a244a514be4653767ebb8a3e082005ef98f6dc4b224dd0a40d";
const ZERO_IV_HEX: &str = "00000000000000000000000000000000";

fn password(password: &str) -> LaunchKey {
    LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, password)
        .expect("a password suits AES-128-CBC")
}

fn base64_key(key: &str) -> LaunchKey {
    let algorithm = match key.len() {
        24 => Algorithm::Aes128Cbc,
        _ => Algorithm::Aes256Cbc,
    };
    LaunchKey::new(algorithm, KeyType::Base64Key, key).expect("the key suits its algorithm")
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([9; 32])
}

/// What `openssl` answers to `input`.
fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the openssl command is needed to check launch encryption: install it");
    let mut stdin = child.stdin.take().expect("its input is piped");
    stdin.write_all(input).expect("openssl reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

/// `openssl enc` from or to base64.
fn openssl_enc(direction: &str, name: &str, key: &str, iv: &str, input: &[u8]) -> Vec<u8> {
    let arguments = ["enc", direction, name, "-K", key, "-iv", iv, "-a", "-A"];
    openssl(&arguments, input)
}

fn vectors() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/vectors/epic-crypto.json"
    );
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("the vectors of launch encryption are missing: {error}"));
    serde_json::from_str(&text).expect("the vectors are JSON")
}

#[test]
fn every_published_ciphertext_is_decrypted_and_made_again() {
    let file = vectors();
    let mut checked = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let field = |name: &str| vector.get(name).and_then(Value::as_str);
        let (ciphertext, layout) = match (field("b64"), field("s"), field("iv")) {
            (Some(text), None, None) => (text, InitializationVector::Zero),
            (Some(text), None, Some(_)) => (text, InitializationVector::PrefixBinary),
            (None, Some(text), Some(_)) => (text, InitializationVector::PrefixAscii16),
            _ => continue,
        };
        let key = match field("password").or(field("secret")) {
            Some(secret) => password(secret),
            None if field("key").unwrap().len() == 64 => base64_key(KEY_256),
            None => base64_key("c2l4dGVlbi1ieXRlLWtleQ=="),
        };
        let plaintext = field("plaintext").unwrap_or_else(|| file["plaintext"].as_str().unwrap());
        let cipher = LaunchCipher::new(key, layout);
        let decrypted = cipher.decrypt(ciphertext).unwrap();
        assert_eq!(decrypted.as_str(), plaintext, "{}", vector["variant"]);
        if layout == InitializationVector::Zero {
            assert_eq!(cipher.encrypt(plaintext, &mut rng()), ciphertext);
        }
        checked += 1;
    }
    assert_eq!(checked, 7);
}

#[test]
fn openssl_decrypts_what_we_encrypt_and_we_decrypt_what_openssl_encrypts() {
    let long = "x".repeat(4_000);
    let texts = [
        "",
        "csn=1",
        "0123456789abcde",
        "0123456789abcdef",
        "name=Zoë 陳",
        &long,
    ];
    for (key, name, key_hex) in [
        (
            password("Secret123!"),
            "-aes-128-cbc",
            "7247cbe507a98fc931a010c20e635e0e",
        ),
        (base64_key(KEY_256), "-aes-256-cbc", KEY_256_HEX),
    ] {
        let cipher = LaunchCipher::new(key, InitializationVector::Zero);
        for text in texts {
            let run = |direction: &str, input: &str| {
                let output = openssl_enc(direction, name, key_hex, ZERO_IV_HEX, input.as_bytes());
                String::from_utf8(output).unwrap()
            };
            assert_eq!(cipher.decrypt(&run("-e", text)).unwrap().as_str(), text);
            assert_eq!(run("-d", &cipher.encrypt(text, &mut rng())), text);
        }
    }
}

#[test]
fn openssl_decrypts_after_a_prefixed_initialisation_vector() {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let text = "csn=12345&fname=Ada";
    let run = |iv: &str, base64: &str| {
        openssl_enc("-d", "-aes-256-cbc", KEY_256_HEX, iv, base64.as_bytes())
    };
    let cipher = LaunchCipher::new(base64_key(KEY_256), InitializationVector::PrefixAscii16);
    let sent = cipher.encrypt(text, &mut rng());
    let (iv, base64) = sent.split_at(16);
    assert_eq!(run(&hex(iv.as_bytes()), base64), text.as_bytes());

    let cipher = LaunchCipher::new(base64_key(KEY_256), InitializationVector::PrefixBinary);
    let sent = cipher.encrypt(text, &mut rng());
    // With the vector as first block, a zero vector decrypts that block to noise and
    // the rest to the text.
    assert_eq!(&run(ZERO_IV_HEX, &sent)[16..], text.as_bytes());
}

#[test]
fn a_prefixed_initialisation_vector_is_mended_before_it_is_split_off() {
    let iv = "a+b/c=d+e/f=g+h/";
    let iv_hex: String = iv.bytes().map(|byte| format!("{byte:02x}")).collect();
    let text = "csn=12345&fname=Ada";
    let base64 = openssl_enc("-e", "-aes-256-cbc", KEY_256_HEX, &iv_hex, text.as_bytes());
    let sent = format!("{iv}{}", String::from_utf8(base64).unwrap());
    let cipher = LaunchCipher::new(base64_key(KEY_256), InitializationVector::PrefixAscii16);
    for arrived in [
        sent.clone(),
        sent.replace('+', " "),
        sent.replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D"),
    ] {
        assert_eq!(
            cipher.decrypt(&arrived).unwrap().as_str(),
            text,
            "{arrived}"
        );
    }
}

#[test]
fn key_check_values_are_what_openssl_computes() {
    for (key, key_hex) in [
        (password("Secret123!"), "7247cbe507a98fc931a010c20e635e0e"),
        (base64_key(KEY_256), KEY_256_HEX),
    ] {
        let hexpass = format!("hexpass:{key_hex}");
        let arguments = [
            "kdf",
            "-keylen",
            "4",
            "-kdfopt",
            "digest:SHA256",
            "-kdfopt",
            &hexpass,
            "-kdfopt",
            "salt:vestibule key check value v1",
            "-kdfopt",
            "iter:100000",
            "PBKDF2",
        ];
        let output = String::from_utf8(openssl(&arguments, b"")).unwrap();
        let bytes = output.trim().replace(':', "");
        let expected = format!("{}-{}", &bytes[..4], &bytes[4..]);
        assert_eq!(KeyCheckValue::of(&key).to_string(), expected);
    }
}

#[test]
fn the_documented_key_check_values_are_right() {
    let page = include_str!("../../../docs/reference/key-check-value.md");
    for key in [password("Secret123!"), base64_key(KEY_256)] {
        let value = KeyCheckValue::of(&key).to_string();
        assert!(page.contains(&value), "{value} is not on the page");
    }
}

#[test]
fn the_same_key_has_the_same_check_value_however_it_was_configured() {
    let derived = base64_key("ckfL5Qepj8kxoBDCDmNeDg==");
    assert_eq!(
        KeyCheckValue::of(&password("Secret123!")),
        KeyCheckValue::of(&derived)
    );
    assert_ne!(
        KeyCheckValue::of(&password("Secret123?")),
        KeyCheckValue::of(&derived)
    );
}

#[test]
fn whatever_is_wrong_is_the_same_error() {
    for layout in [
        InitializationVector::Zero,
        InitializationVector::PrefixBinary,
        InitializationVector::PrefixAscii16,
    ] {
        let cipher = LaunchCipher::new(password("Secret123!"), layout);
        let not_utf8 = {
            let key = "7247cbe507a98fc931a010c20e635e0e";
            let output = openssl_enc("-e", "-aes-128-cbc", key, ZERO_IV_HEX, b"csn=\xff");
            String::from_utf8(output).unwrap()
        };
        let other_key = LaunchCipher::new(password("another"), layout);
        let good = cipher.encrypt("csn=12345", &mut rng());
        for bad in [
            "",
            "A",
            "!",
            "AAAA",
            "é",
            "0123456789abcdef",
            "0123456789abcde\u{e9}AAAA",
            &good[..good.len() - 4],
            &not_utf8,
            &other_key.encrypt("csn=12345", &mut rng()),
            &"A".repeat(LONGEST_CIPHERTEXT + 1),
        ] {
            assert_eq!(cipher.decrypt(bad), Err(BadCiphertext), "{bad}");
        }
    }
    assert!(!format!("{BadCiphertext} {BadCiphertext:?}").contains("padding"));
}

fn layout() -> impl Strategy<Value = InitializationVector> {
    prop_oneof![
        Just(InitializationVector::Zero),
        Just(InitializationVector::PrefixBinary),
        Just(InitializationVector::PrefixAscii16),
    ]
}

fn key() -> impl Strategy<Value = LaunchKey> {
    prop_oneof![
        "[!-~]{1,40}".prop_map(|secret| password(&secret)),
        Just(base64_key(KEY_256)),
    ]
}

proptest! {
    #[test]
    fn what_is_encrypted_is_decrypted_in_every_layout(
        key in key(), layout in layout(), text in ".{0,300}", seed in any::<[u8; 32]>(),
    ) {
        let cipher = LaunchCipher::new(key, layout);
        let sent = cipher.encrypt(&text, &mut ChaCha20Rng::from_seed(seed));
        let received = cipher.decrypt(&sent);
        prop_assert_eq!(received.as_ref().map(|text| text.as_str()), Ok(text.as_str()));
        // What mail programs and form decoders do to it on the way.
        let mangled = sent.trim_end_matches('=').replace('+', " ").replace('/', "%2F");
        prop_assert_eq!(cipher.decrypt(&mangled), received.clone());
        let escaped_twice = sent.replace('+', "%2b").replace('/', "%2f").replace('=', "%3D");
        prop_assert_eq!(cipher.decrypt(&escaped_twice), received);
    }

    #[test]
    fn whatever_is_decrypted_does_no_harm(key in key(), layout in layout(), text in any::<String>()) {
        let _ = LaunchCipher::new(key, layout).decrypt(&text);
    }

    #[test]
    fn an_altered_ciphertext_is_the_same_error_or_another_text(
        key in key(), layout in layout(), text in "csn=[0-9]{1,60}", at in any::<prop::sample::Index>(), byte in 1_u8..,
    ) {
        let cipher = LaunchCipher::new(key, layout);
        let mut sent = cipher.encrypt(&text, &mut rng()).into_bytes();
        let at = at.index(sent.len());
        sent[at] ^= byte;
        if let Ok(sent) = String::from_utf8(sent) {
            match cipher.decrypt(&sent) {
                Err(error) => prop_assert_eq!(error, BadCiphertext),
                // Without authentication an alteration may go through. One means the same: a
                // plus sign that became a space.
                Ok(read) => prop_assert!(read.as_str() != text || sent.contains(' ')),
            }
        }
    }

    #[test]
    fn debug_shows_no_key(secret in "[A-Z]{20,40}", layout in layout()) {
        let cipher = LaunchCipher::new(password(&secret), layout);
        let shown = format!("{cipher:?}");
        prop_assert!(!shown.contains(&secret));
    }
}
