//! `vestibule profile seal`.

use std::{fs, os::unix::fs::MetadataExt as _};

use crate::support::{Home, KEY, Profile};

#[test]
fn sealed_secrets_open_for_their_server_only() {
    let home = Home::with(&Profile::usual().and("# the end"));
    home.permit("profiles/org.toml", 0o644);
    let ran = home.run(&["profile", "seal", "profiles/org.toml"]);
    ran.line("profiles/org.toml: sealed epic_encryption_key");
    ran.line("profiles/org.toml: sealed epic_patient_app_client_secret");
    ran.good();
    let sealed = home.read("profiles/org.toml");
    assert!(
        !sealed.contains(KEY) && !sealed.contains("patient secret"),
        "{sealed}"
    );
    assert!(sealed.ends_with("# the end\n"), "comments stay");
    assert_eq!(
        fs::metadata(home.join("profiles/org.toml")).unwrap().mode() & 0o777,
        0o644
    );
    assert_eq!(fs::read_dir(home.join("profiles")).unwrap().count(), 1);

    let checked = home.run(&["profile", "check"]).good();
    assert!(checked.contains("good"), "{checked}");
    assert!(!checked.contains("warning"), "{checked}");
    let again = home.run(&["profile", "seal", "profiles/org.toml"]).good();
    assert!(again.contains("no secret stands in the clear"), "{again}");
    assert_eq!(home.read("profiles/org.toml"), sealed);

    let other = Home::empty();
    other.write("profiles/org.toml", &sealed);
    let own = home.run(&["profile", "seal", "profiles/org.toml"]);
    own.good();
    other.run(&["profile", "seal", "profiles/org.toml"]).good();
    let ran = other.run(&["profile", "check"]);
    ran.line("profiles/org.toml: epic_encryption_key: is sealed for another");
    ran.bad();
}

#[test]
fn the_key_may_come_from_the_environment() {
    let home = Home::with(&Profile::usual());
    let key = [("VESTIBULE_STATE_KEY", KEY)];
    home.run_with_env(&["profile", "seal", "profiles/org.toml"], &key)
        .good();
    assert!(!home.join("data/state.key").exists());
    home.run_with_env(&["profile", "check"], &key).good();
    home.run(&["profile", "check"]).bad();
}

#[test]
fn what_is_no_profile_is_left_as_it_is() {
    let home = Home::empty();
    home.write("profiles/org.toml", "naem = \"S3CRET\"\n");
    let complaint = home
        .run(&["profile", "seal", "profiles/org.toml"])
        .complaint();
    assert!(complaint.contains("profile check"), "{complaint}");
    assert!(!complaint.contains("S3CRET"), "{complaint}");
    assert_eq!(home.read("profiles/org.toml"), "naem = \"S3CRET\"\n");
}
