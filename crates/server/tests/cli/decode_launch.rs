//! `vestibule decode-launch`. OpenSSL makes what EHRs with other settings would make.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use base64ct::{Base64, Encoding as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::support::{Home, KEY, Profile, Ran, UUID};

const PLAINTEXT: &str = "csn=1853&fname=Beverley&lname=Spinder";

/// 0, 1, 2 … 31 and 0, 1, 2 … 15 in hexadecimal.
const KEY_32_HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const KEY_16_HEX: &str = "000102030405060708090a0b0c0d0e0f";
const ZERO: &str = "00000000000000000000000000000000";

/// Encrypts with OpenSSL. Gives base64.
fn openssl(cipher: &str, key: &str, iv: &str, plaintext: &str) -> String {
    let mut child = Command::new("openssl")
        .args(["enc", cipher, "-K", key, "-iv", iv, "-base64", "-A"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(plaintext.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn encrypted() -> String {
    openssl("-aes-256-cbc", KEY_32_HEX, ZERO, PLAINTEXT)
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A launch URL with this in its encrypted parameter, as it stands there.
fn url(raw: &str) -> String {
    let iss = encode("https://epic.example.org/oauth/api/FHIR/R4");
    format!(
        "https://visit.example.org/api/telehealth/v1/patient/oauth2smartlaunch/{UUID}\
         ?iss={iss}&launch=abc&data={raw}"
    )
}

fn decode(profile: &Profile, url: &str) -> Ran {
    Home::with(profile).run(&["decode-launch", url])
}

#[test]
fn names_are_shown_only_where_they_are_asked_for() {
    let home = Home::with(&Profile::usual());
    let url = url(&encode(&encrypted()));
    let ran = home.run(&["decode-launch", &url]);
    ran.line("inside        fname = 8 characters  -> launch_information.fname");
    assert!(
        !ran.stdout.contains("Beverley") && !ran.stdout.contains("1853"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains(KEY));
    ran.good();
    let ran = home.run(&["decode-launch", "--show-values", &url]);
    ran.line("inside        fname = Beverley");
    ran.good();
    let ran = home.run_with_input(&["decode-launch", "-"], &format!("{url}\n"));
    ran.line("role          patient, by the path");
    ran.good();
}

#[test]
fn what_is_mended_on_the_way_is_noted_and_no_problem() {
    let encrypted = encrypted();
    assert!(encrypted.contains('+'), "the plaintext was chosen so");
    let profile = Profile::usual();
    for (raw, note) in [
        (encrypted.replace('/', "%2F"), "it should be %2B"),
        (encode(&encode(&encrypted)), "encoded twice"),
        (encode(encrypted.trim_end_matches('=')), "= at the end"),
    ] {
        if raw == encode(&encrypted) {
            continue;
        }
        let ran = decode(&profile, &url(&raw));
        assert!(ran.line("note").contains(note), "{ran:?}");
        ran.line("inside        csn");
        ran.good();
    }
}

#[test]
fn what_is_at_fault_is_told_with_what_to_change() {
    let profile = Profile::usual();
    let url_alphabet = encrypted().replace('+', "-").replace('/', "_");
    let iv = "0f0e0d0c0b0a09080706050403020100";
    let ciphertext = openssl("-aes-256-cbc", KEY_32_HEX, iv, PLAINTEXT);
    let ciphertext = Base64::decode_vec(&ciphertext).unwrap();
    let vector: Vec<u8> = (0..16).rev().collect();
    let prefixed = Base64::encode_string(&[vector, ciphertext].concat());
    let ascii = openssl(
        "-aes-256-cbc",
        KEY_32_HEX,
        &hex(b"abcdefghijklmnop"),
        PLAINTEXT,
    );
    for (profile, text, problem) in [
        (
            profile
                .with(KEY, "AAECAwQFBgcICQoLDA0ODw==")
                .with("256", "128"),
            // The profile has the first half of the EHR's key.
            encrypted(),
            "another key",
        ),
        (profile.clone(), url_alphabet, "URL alphabet of base64"),
        (
            profile.clone(),
            format!("abcdefghijklmnop{ascii}"),
            "set initialization_vector to prefix-ascii16",
        ),
        (
            profile.and("initialization_vector = \"prefix-ascii16\""),
            encrypted(),
            "set initialization_vector to zero",
        ),
        (
            profile.clone(),
            encrypted()[..40].to_owned(),
            "no multiple of 16",
        ),
        (profile.clone(), "!".repeat(32), "no base64"),
        (
            profile.clone(),
            openssl("-aes-256-cbc", KEY_32_HEX, ZERO, "csn=1853&csn=1854"),
            "csn is there more than once",
        ),
        (
            profile.clone(),
            openssl(
                "-aes-256-cbc",
                KEY_32_HEX,
                ZERO,
                "SessionID=1853&fname=Beverley",
            ),
            "have no csn",
        ),
        (
            profile.clone(),
            prefixed,
            "set initialization_vector to prefix-binary",
        ),
    ] {
        let ran = decode(&profile, &url(&encode(&text)));
        let line = ran.line("problem");
        assert!(line.contains(problem), "{problem} in {ran:?}");
        assert!(!ran.stdout.contains("Beverley"));
        ran.bad();
    }
}

#[test]
fn a_password_in_the_place_of_a_key_is_recognised() {
    // The first 16 bytes of what CryptDeriveKey makes of the password `password`.
    let derived = "a3bc508753274827cf2515600eaea32c";
    let text = openssl("-aes-128-cbc", derived, ZERO, PLAINTEXT);
    let password = Profile::usual()
        .with(KEY, "password")
        .with("\"base64key\"", "\"password\"")
        .with("256", "128");
    let ran = decode(&password, &url(&encode(&text)));
    assert!(
        !ran.stdout.contains("key check value"),
        "a password could be tried by it"
    );
    ran.good();
    // The same profile, whose key type was set wrong.
    let wrong = password.with("\"password\"\n", "\"base64key\"\n");
    let wrong = wrong.with(
        "= \"base64key\"\nepic_encryption_key_type",
        "= \"password\"\nepic_encryption_key_type",
    );
    let ran = decode(&wrong, &url(&encode(&text)));
    assert!(
        ran.stdout
            .contains("set epic_encryption_key_type to password"),
        "{ran:?}"
    );
    ran.bad();
    // And one whose algorithm was.
    let text = openssl("-aes-128-cbc", KEY_16_HEX, ZERO, PLAINTEXT);
    let wrong = Profile::usual().with(KEY, "AAECAwQFBgcICQoLDA0ODw==");
    let ran = decode(&wrong, &url(&encode(&text)));
    assert!(
        ran.stdout
            .contains("set epic_encryption_algorithm to AES-128-CBC"),
        "{ran:?}"
    );
    ran.bad();
}

#[test]
fn the_previous_key_and_those_of_other_profiles_are_tried() {
    let new = "/////////////////////////////////////////w8=";
    let replaced = Profile::usual().with(KEY, new);
    let url = url(&encode(&encrypted()));
    let until = |year: u32| {
        replaced.and(&format!(
            "[previous]\nvalid_until = {year}-01-15T08:00:00Z\nepic_encryption_key = \"{KEY}\""
        ))
    };
    let ran = decode(&until(2999), &url);
    assert!(
        ran.line("note")
            .contains("the EHR still has the previous key"),
        "{ran:?}"
    );
    ran.good();
    let ran = decode(&until(2020), &url);
    assert!(
        ran.line("problem").contains("give it the new one"),
        "{ran:?}"
    );
    ran.bad();

    let home = Home::with(&replaced);
    let other = Profile::usual()
        .with(UUID, "00000000-0000-4000-8000-000000000001")
        .with("Healthcare Org", "Other Org");
    home.write("profiles/other.toml", &other.0);
    let ran = home.run(&["decode-launch", &url]);
    assert!(
        ran.line("problem").contains("key of another profile"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("Other Org"));
    ran.bad();
}

#[test]
fn much_is_told_of_a_url_without_a_profile() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(&encode(&encrypted()));
    let ran = crate::support::vestibule(folder.path(), &["decode-launch", &url]);
    ran.line("kind          a launch from the EHR, with sign-in");
    ran.line("encrypted     data, ");
    assert!(ran.line("note").contains("--profile"));
    ran.good();
    let ran = crate::support::vestibule(folder.path(), &["decode-launch", "example.org/x?data=1"]);
    assert!(ran.complaint().contains("no URL"));
}

#[test]
fn a_url_that_the_profile_would_not_take_is_told() {
    let whole = url(&encode(&encrypted()));
    let profile = Profile::usual();
    for (url, problem) in [
        (
            whole.replace(UUID, "00000000-0000-4000-8000-000000000001"),
            "names the profile 0000",
        ),
        (
            whole.replace("example%2Eorg%2Foauth", "example%2Ecom%2Foauth"),
            "iss is not allowed",
        ),
        (
            whole.split('&').next().unwrap().to_owned(),
            "quotation marks",
        ),
        (whole.replace("data=", "arg="), "encrypted_parameter_name"),
        (
            whole.replace("launch=abc", "launch=abc&launch=abc"),
            "launch is there more than once",
        ),
    ] {
        let home = Home::with(&profile);
        let ran = home.run(&["decode-launch", "--profile", "profiles/org.toml", &url]);
        assert!(ran.stdout.contains(problem), "{problem} in {ran:?}");
        ran.bad();
    }
}

#[test]
fn a_key_with_something_around_it_is_recognised_though_the_profile_is_faulty() {
    let faulty = Profile::usual().with(KEY, &format!("value: {KEY}"));
    let ran = decode(&faulty, &url(&encode(&encrypted())));
    assert!(ran.stdout.contains("copy the key alone"), "{ran:?}");
    assert!(!ran.stdout.contains(KEY));
    ran.bad();
}

#[test]
fn the_encrypted_parameter_alone_is_enough() {
    let home = Home::with(&Profile::usual());
    let ran = home.run(&["decode-launch", "--profile", UUID, &encode(&encrypted())]);
    ran.line("kind          an encrypted parameter alone");
    ran.line("inside        csn");
    ran.good();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn zooms_previous_secrets_are_tried_too() {
    let patients = "patient_org_id = \"patients-key\"\npatient_api_secret = \"of the patients\"";
    let current = Profile::zoom().and(patients);
    let home = Home::with(&current);
    let url = |role: &str| {
        let arguments = ["launch-link", "--zoom", "--role", role];
        home.run(&arguments).good().trim().to_owned()
    };
    let (provider, patient) = (url("provider"), url("patient"));
    let replaced = current
        .with("abcdaj333j4j4jkl4k444", "a newer secret")
        .with("of the patients", "a newer one of theirs")
        .and(
            "[previous]\nvalid_until = 2999-01-15T08:00:00Z\n[previous.zoom]\n\
             api_secret = \"abcdaj333j4j4jkl4k444\"\npatient_api_secret = \"of the patients\"",
        );
    for (url, field) in [(provider, "api_secret"), (patient, "patient_api_secret")] {
        let ran = decode(&replaced, &url);
        assert!(
            ran.stdout.contains(&format!("previous.zoom.{field}")),
            "{ran:?}"
        );
        ran.good();
    }
}
