//! What is set differently on the other side is named.

use super::*;

const PLAINTEXT: &str = "csn=4711&fname=Beverley&lname=Spinder";
const KEY_32: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KEY_16: &str = "AAECAwQFBgcICQoLDA0ODw==";

fn settings(key: &str, key_type: KeyType, algorithm: Algorithm) -> Settings {
    Settings {
        key: key.into(),
        key_type,
        algorithm,
        initialization_vector: InitializationVector::Zero,
        plus_sign: PlusSign::Literal,
    }
}

fn aes_256() -> Settings {
    settings(KEY_32, KeyType::Base64Key, Algorithm::Aes256Cbc)
}

fn encrypt(settings: &Settings) -> String {
    let key = settings.key.expose_secret();
    let key = LaunchKey::new(settings.algorithm, settings.key_type, key).unwrap();
    LaunchCipher::new(key, settings.initialization_vector)
        .encrypt(PLAINTEXT, &mut *crate::random::system())
}

fn changes(text: &str, settings: &Settings) -> Vec<Change> {
    match diagnose(text, settings) {
        Diagnosis::OpensWith(changes, parameters) => {
            assert_eq!(parameters.get("csn"), Some("4711"));
            changes
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_as_it_should_be_opens() {
    let text = encrypt(&aes_256());
    let Diagnosis::Opens(parameters) = diagnose(&text, &aes_256()) else {
        panic!("it does not open");
    };
    assert_eq!(parameters.get("fname"), Some("Beverley"));
}

#[test]
fn a_setting_that_differs_is_named() {
    let sent = settings(KEY_16, KeyType::Password, Algorithm::Aes128Cbc);
    let profile = settings(KEY_16, KeyType::Base64Key, Algorithm::Aes128Cbc);
    assert_eq!(
        changes(&encrypt(&sent), &profile),
        [Change::KeyType(KeyType::Password)]
    );
    let profile = settings(KEY_16, KeyType::Base64Key, Algorithm::Aes256Cbc);
    let sent = settings(KEY_16, KeyType::Base64Key, Algorithm::Aes128Cbc);
    assert_eq!(
        changes(&encrypt(&sent), &profile),
        [Change::Algorithm(Algorithm::Aes128Cbc)]
    );
    for layout in [
        InitializationVector::PrefixBinary,
        InitializationVector::PrefixAscii16,
    ] {
        let mut sent = aes_256();
        sent.initialization_vector = layout;
        assert_eq!(
            changes(&encrypt(&sent), &aes_256()),
            [Change::InitializationVector(layout)]
        );
    }
}

#[test]
fn a_key_that_was_copied_badly_is_recognised() {
    let text = encrypt(&aes_256());
    for (key, fault) in [
        (format!(" {KEY_32}\n"), KeyFault::WhiteSpace),
        (format!("\"{KEY_32}\""), KeyFault::Quotes),
        (format!("value: {KEY_32}"), KeyFault::Label),
    ] {
        let profile = settings(&key, KeyType::Base64Key, Algorithm::Aes256Cbc);
        assert_eq!(changes(&text, &profile), [Change::Key(fault)]);
    }
    let raw = Base64::encode_string(b"sixteen letters!");
    let sent = settings(&raw, KeyType::Base64Key, Algorithm::Aes128Cbc);
    let profile = settings("sixteen letters!", KeyType::Password, Algorithm::Aes128Cbc);
    assert_eq!(
        changes(&encrypt(&sent), &profile),
        [
            Change::Key(KeyFault::RawCharacters),
            Change::KeyType(KeyType::Base64Key)
        ]
    );
}

#[test]
fn a_text_that_was_altered_on_its_way_is_recognised() {
    // One with both characters in which the alphabets differ.
    let mut profile = aes_256();
    profile.initialization_vector = InitializationVector::PrefixBinary;
    let text = std::iter::repeat_with(|| encrypt(&profile))
        .take(1000)
        .find(|text| text.contains('+') && text.contains('/'))
        .unwrap();
    let url_alphabet = text.replace('+', "-").replace('/', "_");
    assert_eq!(
        changes(&url_alphabet, &profile),
        [Change::Text(TextFault::Base64Url)]
    );
    let (first, second) = text.split_at(20);
    assert_eq!(
        changes(&format!("{first}\r\n{second}"), &profile),
        [Change::Text(TextFault::WhiteSpace)]
    );
    let twice: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(
        changes(&twice, &profile),
        [Change::Text(TextFault::EncodedTwice)]
    );
}

#[test]
fn what_nothing_opens_is_described() {
    let mut text = encrypt(&aes_256());
    let other = "/////////////////////////////////////////w8=";
    let other = settings(other, KeyType::Base64Key, Algorithm::Aes256Cbc);
    let shut = |text: &str, settings: &Settings| match diagnose(text, settings) {
        Diagnosis::Shut(shut) => shut,
        other => panic!("{other:?}"),
    };
    assert_eq!(shut(&text, &other), Shut::OtherKey);
    assert_eq!(shut("!", &other), Shut::NotBase64);
    text.truncate(40);
    assert_eq!(shut(&text, &aes_256()), Shut::WrongLength { bytes: 30 });
    let short = settings("AAAA", KeyType::Base64Key, Algorithm::Aes256Cbc);
    assert_eq!(
        shut(&text, &short),
        Shut::Key(LaunchKeyError::WrongLength {
            needed: 32,
            found: 3
        })
    );
}

#[test]
fn nothing_that_is_told_holds_key_or_names() {
    let text = encrypt(&aes_256());
    let shown = format!("{:?} {:?}", aes_256(), diagnose(&text, &aes_256()));
    assert!(
        !shown.contains("AAECAwQF") && !shown.contains("Beverley"),
        "{shown}"
    );
}
