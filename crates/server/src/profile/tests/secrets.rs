//! Secrets: the backend application's key, those that were replaced, and those that
//! stand sealed in a file.

use std::{fs, os::unix::fs::PermissionsExt as _};

use vestibule_launch::{UnixTime, crypto::KeyCheckValue};
use vestibule_smart::KeyKind;
use zeroize::Zeroizing;

use super::*;
use crate::{
    profile::sealed::seal_toml,
    sealing::{KEY_BYTES, Sealer},
};

/// 32, 33, 34 … 63.
const OLD_KEY: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&Zeroizing::new([byte; KEY_BYTES]))
}

fn backend(fields: &[(&str, &str)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| format!("epic_backend_oauth2_app_{name} = '''{value}'''\n"));
    let fields: String = fields.collect();
    format!("{fields}{SAMPLE}")
}

#[test]
fn the_backend_application_has_all_of_its_fields_or_none() {
    let pem = vestibule_smart::AssertionKey::generate(KeyKind::P384)
        .unwrap()
        .to_pem();
    let all = [
        ("client_id", "backend"),
        ("private_key", pem.as_str()),
        (
            "token_endpoint_url",
            "https://epic.example.org/oauth2/token",
        ),
    ];
    assert!(parse(SAMPLE).unwrap().backend.is_none());
    let profile = parse(&backend(&all)).unwrap();
    let backend_application = profile.backend.as_ref().unwrap();
    assert_eq!(backend_application.client_id(), "backend");
    assert!(!format!("{profile:?}").contains("backend"));
    for left_out in 0..3 {
        let two: Vec<_> = (0..3)
            .filter(|index| *index != left_out)
            .map(|index| all[index])
            .collect();
        let message = parse(&backend(&two)).unwrap_err().to_string();
        let missing = format!("epic_backend_oauth2_app_{}: is missing", all[left_out].0);
        assert!(message.contains(&missing), "{message}");
        let one = parse(&backend(&all[left_out..=left_out]))
            .unwrap_err()
            .to_string();
        assert_eq!(one.lines().count(), 2, "{one}");
    }
    for wrong in [
        "S3CRET",
        "-----BEGIN PRIVATE KEY-----\nS3CRET\n-----END PRIVATE KEY-----\n",
        &"S3CRET".repeat(2100),
    ] {
        let mut fields = all;
        fields[1].1 = wrong;
        let message = parse(&backend(&fields)).unwrap_err().to_string();
        assert!(
            message.contains("epic_backend_oauth2_app_private_key: "),
            "{message}"
        );
        assert!(!message.contains("S3CRET"), "{message}");
    }
}

#[test]
fn secrets_that_were_replaced_are_valid_until_their_time() {
    let text = format!(
        "{SAMPLE}\n[previous]\nvalid_until = \"2027-01-15T08:00:00Z\"\n\
         epic_encryption_key = \"{OLD_KEY}\"\nepic_patient_app_client_secret = \"old\"\n"
    );
    let profile = parse(&text).unwrap();
    let at = |milliseconds: i64| UnixTime::from_millis(1_800_000_000_000 + milliseconds);
    let valid = |role, now| application(&profile, role).credentials.valid(now).count();
    assert_eq!(valid(EhrRole::Patient, at(-1)), 2);
    assert_eq!(valid(EhrRole::Patient, at(0)), 1);
    assert_eq!(valid(EhrRole::Provider, at(-1)), 1, "it was not replaced");
    for (wrong, field) in [
        (
            text.replace(OLD_KEY, "S3CRET"),
            "previous.epic_encryption_key",
        ),
        (
            text.replace("\"old\"", "\" S3CRET\""),
            "previous.epic_patient_app_client_secret",
        ),
        (text.replace("2027-01-15T08", "S3CRET"), "line"),
    ] {
        let message = parse(&wrong).unwrap_err().to_string();
        assert!(message.contains(field), "{message}");
        assert!(!message.contains("S3CRET"), "{message}");
    }
}

#[test]
fn sealed_secrets_open_for_their_profile_and_field_only() {
    let mut rng = crate::random::system();
    let sealed = seal_toml(SAMPLE, &sealer(1), &mut *rng).unwrap();
    assert_eq!(
        sealed.sealed,
        [
            "epic_encryption_key",
            "epic_patient_app_client_secret",
            "epic_provider_app_client_secret",
        ]
    );
    for secret in ["AAECAwQF", "put the EHR's secret here"] {
        assert!(!sealed.text.contains(secret), "{}", sealed.text);
    }
    // Everything else is as it was, comments and order.
    let others = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| !line.contains("_key = ") && !line.contains("_secret = "));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(others(&sealed.text), others(SAMPLE));
    assert!(
        seal_toml(&sealed.text, &sealer(1), &mut *rng)
            .unwrap()
            .sealed
            .is_empty()
    );

    let path = Path::new("profile.toml");
    let opened = ProfileFile::parse(path, &sealed.text, Some(&sealer(1))).unwrap();
    let value = opened.profile.key_check_value();
    assert_eq!(value, parse(SAMPLE).unwrap().key_check_value());
    assert!(matches!(value, Some(KeyCheckValue { .. })));

    let swapped = {
        let line = |field: &str| {
            let mut lines = sealed.text.lines();
            lines
                .find(|line| line.starts_with(field))
                .unwrap()
                .to_owned()
        };
        let (key, secret) = (
            line("epic_encryption_key ="),
            line("epic_patient_app_client_secret ="),
        );
        let value = |line: &str| line.split_once(" = ").unwrap().1.to_owned();
        sealed.text.replace(&value(&key), &value(&secret))
    };
    let other_uuid = sealed.text.replace("12daaebc-", "22daaebc-");
    for (text, sealer, told) in [
        (
            &swapped,
            Some(sealer(1)),
            "sealed for another profile, field or server",
        ),
        (&other_uuid, Some(sealer(1)), "sealed for another"),
        (&sealed.text, Some(sealer(2)), "sealed for another"),
        (&sealed.text, None, "only the server's own key opens it"),
    ] {
        let error = ProfileFile::parse(path, text, sealer.as_ref()).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("epic_encryption_key: is sealed"),
            "{message}"
        );
        assert!(message.contains(told), "{message}");
    }
}

#[test]
fn a_sealed_secret_may_be_moved_to_those_that_were_replaced() {
    let mut rng = crate::random::system();
    let sealed = seal_toml(SAMPLE, &sealer(1), &mut *rng).unwrap().text;
    let key = sealed
        .lines()
        .find(|line| line.starts_with("epic_encryption_key ="))
        .unwrap();
    let value = key.split_once(" = ").unwrap().1;
    let moved = sealed.replace(value, &format!("\"{OLD_KEY}\""))
        + &format!(
            "\n[previous]\nvalid_until = 2027-01-15T08:00:00Z\nepic_encryption_key = {value}\n"
        );
    let path = Path::new("profile.toml");
    assert!(ProfileFile::parse(path, &moved, Some(&sealer(1))).is_ok());
    let again = seal_toml(&moved, &sealer(1), &mut *rng).unwrap();
    assert_eq!(again.sealed, ["epic_encryption_key"]);
}

#[test]
fn what_cannot_be_sealed_is_told_without_its_text() {
    let mut rng = crate::random::system();
    for text in [
        "S3CRET",
        "epic_encryption_key = 7",
        "epic_encryption_key = 'S3CRET'",
        "kye = 'S3CRET'",
    ] {
        let error = seal_toml(text, &sealer(1), &mut *rng).unwrap_err();
        assert!(!error.to_string().contains("S3CRET"), "{error}");
    }
}

#[test]
fn secrets_in_the_clear_are_warned_of_where_others_can_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.toml");
    let mut rng = crate::random::system();
    let sealed = seal_toml(SAMPLE, &sealer(1), &mut *rng).unwrap().text;
    for (text, mode, warnings) in [
        (SAMPLE, 0o600, 0),
        (SAMPLE, 0o640, 0),
        (SAMPLE, 0o604, 3),
        (&sealed, 0o644, 0),
    ] {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let file = ProfileFile::read(&path, Some(&sealer(1))).unwrap();
        assert_eq!(file.warnings().count(), warnings, "{mode:o}");
    }
}
