//! `vestibule admin password`.

use vestibule_server::admin::PasswordHash;

use crate::support::{Home, in_terminal};

#[test]
fn a_password_from_standard_input_becomes_a_hash_that_the_server_takes() {
    let home = Home::empty();
    let ran = home.run_with_input(&["admin", "password"], "correct horse battery\n");
    let printed = ran.good();
    let text = printed.trim_end();
    let hash: PasswordHash = text.to_owned().try_into().unwrap();
    assert!(hash.matches(b"correct horse battery"));
    home.configure(&format!(
        "[admin]\nlisten = \"127.0.0.1:0\"\nusername = \"admin\"\npassword_hash = \"{text}\"\n"
    ));
    home.run(&["profile", "check"]).good();
}

#[test]
fn whoever_types_a_password_does_not_see_it_and_types_it_twice() {
    let home = Home::empty();
    let same = ("The same again: ", "correct horse battery");
    let typed = [("Password: ", "correct horse battery"), same];
    let ran = in_terminal(home.path(), &["admin", "password"], &typed);
    assert!(ran.stdout.contains("$argon2id$"), "{ran:?}");
    assert!(!ran.stdout.contains("horse"), "{ran:?}");
    ran.good();
    let other = ("The same again: ", "another horse battery");
    let typed = [("Password: ", "correct horse battery"), other];
    let ran = in_terminal(home.path(), &["admin", "password"], &typed);
    assert!(ran.bad().contains("two different passwords"));
}

#[test]
fn a_password_that_is_too_short_gets_none() {
    let ran = Home::empty().run_with_input(&["admin", "password"], "short\n");
    let complaint = ran.complaint();
    assert!(complaint.contains("less than 12 characters"), "{complaint}");
    assert!(!complaint.contains("short\n"));
}
