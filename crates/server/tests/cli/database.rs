//! Commands that use the server's database, where that is PostgreSQL.

use std::net::TcpListener;

use vestibule_test_postgres::database;

use crate::support::{Home, Profile, UUID};

const VARIABLE: &str = "VESTIBULE_DATABASE_URL";

#[test]
fn profiles_are_imported_listed_and_removed() {
    let home = Home::empty();
    home.write("org.toml", &Profile::usual().0);
    home.write("url", &database());
    home.configure("[database]\nurl_file = \"url\"\n");
    home.run(&["profile", "import", "org.toml"]).good();
    assert!(home.run(&["profile", "list"]).good().contains(UUID));
    assert!(!home.join("data/vestibule.db").exists());
    // The same profiles by the same URL in the environment, and none in a file.
    let url = home.read("url");
    home.configure("");
    let listed = home.run_with_env(&["profile", "list"], &[(VARIABLE, &url)]);
    assert!(listed.good().contains(UUID));
    assert!(!home.run(&["profile", "list"]).stdout.contains(UUID));
    home.configure("[database]\nurl_file = \"url\"\n");
    home.run(&["profile", "remove", "--yes", UUID]).good();
    assert!(!home.run(&["profile", "list"]).stdout.contains(UUID));
}

#[test]
fn doctor_tells_version_and_state_of_the_database() {
    let home = Home::with(&Profile::usual());
    let url = database();
    let examine = || {
        let ran = home.run_with_env(&["doctor"], &[(VARIABLE, &url)]);
        let mut lines = ran.stdout.lines().map(|line| line.trim().to_owned());
        let found = lines.find(|line| line.contains(" database  "));
        found.unwrap_or_else(|| panic!("{ran:?}"))
    };
    let first = examine();
    assert!(first.starts_with("warn"), "{first}");
    assert!(first.contains("PostgreSQL"), "{first}");
    let then = examine();
    assert!(then.starts_with("ok"), "{then}");
    assert!(then.contains("up to date"), "{then}");
    let ran = home.run_with_env(&["doctor"], &[(VARIABLE, &url)]);
    let clock = "ok    database clock    the same as this machine's";
    assert!(ran.stdout.contains(clock), "{ran:?}");
}

#[test]
fn a_database_that_is_away_is_told_without_the_password() {
    let home = Home::with(&Profile::usual());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("postgres://vestibule:canary@127.0.0.1:{port}/launches");
    for arguments in [
        &["doctor"][..],
        &["profile", "list"],
        &["serve", "--config", "vestibule.toml"],
    ] {
        let ran = home.run_with_env(arguments, &[(VARIABLE, &url)]);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(told.contains(&format!("127.0.0.1:{port}")), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
}
