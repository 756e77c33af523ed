//! `vestibule launch-link`: what it makes is what an EHR makes.

use crate::support::{Browser, Home, KEY, Profile, SITE, SimulatedEhr, UUID};

/// A backend application, with a key that stands here for everybody to see.
const BACKEND: &str = "epic_backend_oauth2_app_client_id = \"backend-app\"
epic_backend_oauth2_app_token_endpoint_url = \"https://epic.example.org/oauth2/token\"
";

const NAMES: [&str; 6] = ["--fname", "Beverley", "--mname", "P", "--lname", "Spinder"];

fn link(home: &Home, arguments: &[&str]) -> String {
    let arguments = [&["launch-link"], arguments].concat();
    home.run(&arguments).good().trim_end().to_owned()
}

#[test]
fn a_link_opens_again_whatever_the_encryption_is() {
    let usual = Profile::usual();
    let key_16 = "AAECAwQFBgcICQoLDA0ODw==";
    let password = usual
        .with("AES-256-CBC", "AES-128-CBC")
        .with("\"base64key\"", "\"password\"");
    for profile in [
        usual.clone(),
        usual.with("AES-256-CBC", "AES-128-CBC").with(KEY, key_16),
        password.with(KEY, "correct horse battery"),
        usual.and("initialization_vector = \"prefix-binary\""),
        usual.and("initialization_vector = \"prefix-ascii16\""),
        usual.and("encrypted_parameter_name = \"arg\"\nplus_sign = \"space\""),
        usual.and("[parameter_map]\nunique_encounter_id = \"SessionID\"\nfname = \"FirstName\""),
    ] {
        let home = Home::with(&profile);
        let made = home.run(&[&["launch-link", "--role", "patient"][..], &NAMES].concat());
        assert!(made.stderr.contains("made up"), "{made:?}");
        let url = made.good();
        let ran = home.run_with_input(&["decode-launch", "-", "--show-values"], &url);
        assert!(ran.stdout.contains("= Beverley"), "{ran:?}\n{}", profile.0);
        ran.line("inside        ");
        ran.good();
    }
}

#[test]
fn it_leads_where_the_profile_says_or_the_command() {
    let home = Home::with(&Profile::usual());
    let url = link(&home, &["--role", "provider", "--csn", "1853"]);
    let path = format!(
        "/api/telehealth/v1/provider/oauth2smartlaunch/{UUID}?iss=https%3A%2F%2Fepic.example.org%2Foauth%2Fapi%2FFHIR%2FR4&launch="
    );
    assert!(url.starts_with(&format!("{SITE}{path}")), "{url}");
    let elsewhere = ["--role", "provider", "--server", "http://127.0.0.1:7080/"];
    let url = link(&home, &elsewhere);
    assert!(url.starts_with("http://127.0.0.1:7080/api/"), "{url}");
    for wrong in [
        "mailto:visit@example.org",
        "ftp://visit.example.org",
        "visit.example.org",
        "https://visit.example.org/?site=1",
        "https://visit.example.org/#/",
        "https://user@visit.example.org/",
    ] {
        let ran = home.run(&["launch-link", "--role", "provider", "--server", wrong]);
        assert!(ran.stderr.contains("https://visit.example.org"), "{ran:?}");
        assert!(
            ran.stdout.is_empty() && ran.stderr.contains("--server"),
            "{wrong}"
        );
    }
    std::fs::remove_file(home.join("vestibule.toml")).unwrap();
    let by_file = ["--role", "patient", "--profile", "profiles/org.toml"];
    assert!(link(&home, &by_file).starts_with(SITE));
    let given = [&by_file[..], &["--iss", "https://a/b", "--launch", "l+1"]].concat();
    assert!(link(&home, &given).contains("?iss=https%3A%2F%2Fa%2Fb&launch=l%2B1&"));
}

#[test]
fn direct_join_links_and_zooms_urls_can_be_made_too() {
    let home = Home::with(&Profile::usual());
    let refused = home.run(&["launch-link", "--role", "patient", "--direct"]);
    assert!(refused.complaint().contains("epic_backend_oauth2_app_"));
    home.run(&["profile", "keypair"]).good();
    let pem = home.read("backend-key.pem");
    let key = format!("epic_backend_oauth2_app_private_key = '''\n{pem}'''");
    home.write(
        "profiles/org.toml",
        &Profile::usual().and(BACKEND).and(&key).0,
    );
    let url = link(&home, &["--role", "patient", "--direct"]);
    let path = format!("/api/telehealth/v1/patient/directlaunch/{UUID}?data=");
    assert!(url.contains(&path), "{url}");
    let ran = home.run(&["decode-launch", &url]);
    ran.line("kind          a direct join link");
    ran.good();
    let url = link(&home, &["--role", "provider", "--direct"]);
    let ran = home.run(&["decode-launch", &url, "--show-values"]);
    ran.line("inside        role = provider");
    ran.good();

    let home = Home::with(&Profile::zoom());
    let refused = home.run(&["launch-link", "--role", "patient"]);
    assert!(refused.complaint().contains("--zoom"));
    for (role, user_type) in [("provider", "1"), ("patient", "2")] {
        let url = link(&home, &["--role", role, "--zoom", "--fname", "Ada"]);
        assert!(
            url.starts_with(&format!("{SITE}/telehealth?org_id=api-key&data=")),
            "{url}"
        );
        let ran = home.run(&["decode-launch", &url, "--show-values"]);
        ran.line(&format!("role          {role}, by usertype"));
        ran.line(&format!("inside        usertype = {user_type}"));
        ran.line("inside        firstname = Ada");
        ran.good();
    }
}

#[test]
fn a_link_leads_into_the_visit() {
    let ehr = SimulatedEhr::start(SITE, "");
    let home = Home::with(&Profile::of(SITE, &ehr.url));
    let server = home.serve();
    let browser = Browser::of(&server.url);
    // A launch token that the EHR knows; the rest of its own URL is left aside.
    let pressed = browser.press(&ehr.url, "patient");
    let given = |name: &str| {
        let mut pairs = pressed.query_pairs();
        pairs
            .find(|(found, _)| found == name)
            .unwrap()
            .1
            .into_owned()
    };
    let (iss, launch) = (given("iss"), given("launch"));
    let arguments = ["--role", "patient", "--iss", &iss, "--launch", &launch];
    let url = link(
        &home,
        &[&arguments[..], &["--fname", "Someone", "--lname", "Else"]].concat(),
    );
    let join_link = browser.follow(&url);
    assert!(join_link.contains("name=Someone%20Else"), "{join_link}");
}

/// What an EHR makes up may begin with a hyphen: base64url does, once in 64 times.
#[test]
fn identifiers_that_begin_with_a_hyphen_are_taken() {
    let home = Home::with(&Profile::usual());
    let given = [
        ["--role", "provider"],
        ["--launch", "-Qx3"],
        ["--csn", "-1853"],
        ["--user", "-user"],
        ["--conference", "-conference"],
    ];
    let url = link(&home, given.as_flattened());
    assert!(url.contains("-Qx3"), "{url}");
    let ran = home.run(&["decode-launch", &url, "--show-values"]);
    for value in ["-1853", "-user", "-conference"] {
        assert!(ran.stdout.contains(&format!("= {value} ")), "{ran:?}");
    }
    ran.good();
}

#[test]
fn a_profile_has_to_be_named_where_there_are_several() {
    let home = Home::with(&Profile::usual());
    let other = Profile::usual().with(UUID, "00000000-0000-4000-8000-000000000001");
    home.write("profiles/other.toml", &other.0);
    let complaint = home.run(&["launch-link", "--role", "patient"]).complaint();
    assert!(
        complaint.contains("--profile") && complaint.contains(UUID),
        "{complaint}"
    );
    let ran = home.run(&["launch-link", "--role", "patient", "--profile", UUID]);
    assert!(ran.good().contains(UUID));
    let ran = home.run(&["launch-link", "--role", "patient", "--profile", "nowhere"]);
    assert!(ran.complaint().contains("neither a uuid nor a file"));
}
