//! `vestibule profile keypair`. OpenSSL is the judge of the keys.

use std::{fs, os::unix::fs::MetadataExt as _, process::Command};

use crate::support::{Home, Profile, UUID};

fn openssl_text(home: &Home, file: &str) -> String {
    let output = Command::new("openssl")
        .args(["pkey", "-noout", "-text", "-in", file])
        .current_dir(home.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_key_pair_is_made_for_its_owner_and_its_public_half_is_shown() {
    let home = Home::with(&Profile::usual());
    for (arguments, file, algorithm, kind) in [
        (vec![], "backend-key.pem", "ES384", "secp384r1"),
        (
            vec!["rs384", "--out", "rsa.pem"],
            "rsa.pem",
            "RS384",
            "3072 bit",
        ),
    ] {
        let ran = home.run(&[vec!["profile", "keypair"], arguments].concat());
        assert!(ran.line("private key").ends_with(file));
        assert!(ran.line("algorithm").ends_with(algorithm));
        let url = format!("https://visit.example.org/api/telehealth/v1/jwks/{UUID}");
        assert!(ran.line("JWKS URL").ends_with(&url), "{ran:?}");
        let kid = ran
            .line("key id")
            .split_whitespace()
            .last()
            .unwrap()
            .to_owned();
        let (_, jwk) = ran.stdout.split_once("public key\n").unwrap();
        let jwk: serde_json::Value = serde_json::from_str(jwk).unwrap();
        assert_eq!(jwk["kid"], kid);
        assert_eq!(jwk["alg"], algorithm);
        assert!(jwk.get("d").is_none(), "nothing private is shown");
        ran.good();
        assert_eq!(fs::metadata(home.join(file)).unwrap().mode() & 0o777, 0o600);
        let text = openssl_text(&home, file);
        assert!(text.contains(kind), "{text}");
    }
    let before = home.read("rsa.pem");
    let ran = home.run(&["profile", "keypair", "--out", "rsa.pem"]);
    assert!(ran.complaint().contains("give another name"));
    assert_eq!(home.read("rsa.pem"), before);
}

#[test]
fn a_key_pair_makes_a_profile_with_direct_join_links() {
    let home = Home::with(&Profile::usual());
    home.run(&["profile", "keypair"]).good();
    let pem = home.read("backend-key.pem");
    let profile = Profile::usual()
        .and("epic_backend_oauth2_app_client_id = \"backend-app\"")
        .and("epic_backend_oauth2_app_token_endpoint_url = \"https://epic.example.org/oauth2/token\"")
        .and(&format!("epic_backend_oauth2_app_private_key = '''\n{pem}'''"));
    home.write("profiles/org.toml", &profile.0);
    home.run(&["profile", "check"]).good();
}

#[test]
fn no_profile_is_needed() {
    let home = Home::empty();
    let ran = home.run(&["profile", "keypair"]);
    assert!(ran.line("JWKS URL").contains("--profile"));
    ran.good();
    let ran = home.run(&["profile", "keypair", "--profile", UUID, "--out", "b.pem"]);
    assert!(ran.complaint().contains(UUID));
    assert!(!home.join("b.pem").exists());
}
