//! `vestibule profile remove`.

use vestibule_store::{Audit as _, AuditAction, AuditFilter, Page, SqliteStore};

use crate::support::{Browser, Home, Profile, SITE, SimulatedEhr, UUID, in_terminal};

#[test]
fn a_profile_goes_with_its_file_and_the_rest_is_listed() {
    let home = Home::with(&Profile::usual());
    let asked = home.run(&["profile", "remove", UUID]);
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    asked.bad();
    assert!(home.join("profiles/org.toml").exists());

    let ran = home.run(&["profile", "remove", UUID, "--yes"]);
    for part in [
        "Call Routing Rule",
        "license",
        "Themes",
        "Web App customization",
        "local policy",
        "FDI",
        "patient-app",
        "provider-app",
        "/api/telehealth/v1/patient/oauth2authorized/",
        "SIGHUP",
    ] {
        assert!(ran.stdout.contains(part), "{part} in {ran:?}");
    }
    ran.good();
    assert!(!home.join("profiles/org.toml").exists());
    let again = home.run(&["profile", "remove", UUID, "--yes"]);
    assert!(again.complaint().contains("profile list"));
}

#[test]
fn who_is_asked_may_say_no() {
    let home = Home::with(&Profile::usual());
    let ran = in_terminal(
        home.path(),
        &["profile", "remove", UUID],
        &[("[y/N] ", "n")],
    );
    assert!(ran.bad().contains("Remove the profile"));
    assert!(home.join("profiles/org.toml").exists());
    in_terminal(
        home.path(),
        &["profile", "remove", UUID],
        &[("[y/N] ", "y")],
    )
    .good();
    assert!(!home.join("profiles/org.toml").exists());
}

#[test]
fn a_profile_goes_from_the_database() {
    let home = Home::empty();
    home.write("org.toml", &Profile::usual().0);
    home.run(&["profile", "import", "org.toml"]).good();
    let ran = home.run(&["profile", "remove", UUID, "--yes"]);
    ran.line("removed from the database");
    ran.good();
    assert_eq!(home.run(&["profile", "list"]).good(), "");
}

#[tokio::test]
async fn what_commands_change_in_the_database_is_in_the_audit_log() {
    let home = Home::empty();
    home.write("org.toml", &Profile::usual().0);
    home.run(&["profile", "import", "org.toml"]).good();
    let changed = Profile::usual().with("Healthcare Org", "Another Org").0;
    home.write("org.toml", &changed);
    home.run(&["profile", "import", "org.toml", "--replace"])
        .good();
    home.run(&["profile", "remove", UUID, "--yes"]).good();
    let store = SqliteStore::open(&home.join("data/vestibule.db")).await;
    let page = Page {
        after: None,
        limit: 10,
    };
    let (store, all) = (store.unwrap(), AuditFilter::default());
    let entries = store.list_audit(&all, page).await.unwrap();
    let told: Vec<_> = entries.iter().rev().map(|it| it.entry.action).collect();
    let expected = [
        AuditAction::ProfileCreated,
        AuditAction::ProfileChanged,
        AuditAction::ProfileRemoved,
    ];
    assert_eq!(told, expected);
    for entry in entries.iter().map(|it| &it.entry) {
        assert_eq!(entry.source, "command line");
        assert!(entry.identity.is_some(), "{entry:?}");
        assert_eq!(entry.subject.as_ref().unwrap().id, UUID);
        assert!(!entry.details.contains("Another"), "{entry:?}");
    }
    assert!(entries[1].entry.details.contains("name"), "{entries:?}");
}

#[test]
fn one_that_does_not_open_any_more_can_be_removed() {
    let home = Home::empty();
    home.write("org.toml", &Profile::usual().0);
    home.run(&["profile", "import", "org.toml"]).good();
    std::fs::write(home.join("data/state.key"), [7; 32]).unwrap();
    let ran = home.run(&["profile", "check"]);
    assert!(ran.stderr.contains("profile remove"), "{ran:?}");
    home.run(&["profile", "remove", UUID, "--yes"]).good();
    assert_eq!(home.run(&["profile", "list"]).good(), "");
}

#[test]
fn while_a_visit_runs_somebody_has_to_insist() {
    let ehr = SimulatedEhr::start(SITE, "");
    let home = Home::with(&Profile::of(SITE, &ehr.url));
    let server = home.serve();
    let browser = Browser::of(&server.url);
    let launch_url = browser.press(&ehr.url, "clinician");
    let join_link = browser.follow(launch_url.as_str());
    let _token = browser.join(&join_link);
    // The node tells of it in its own time.
    server.until_logged("participant_connected");
    let refused = home.run(&["profile", "remove", UUID, "--yes"]);
    assert!(refused.complaint().contains("--while-visits-run"));
    assert!(home.join("profiles/org.toml").exists());
    home.run(&["profile", "remove", UUID, "--yes", "--while-visits-run"])
        .good();
    assert!(!home.join("profiles/org.toml").exists());
}
