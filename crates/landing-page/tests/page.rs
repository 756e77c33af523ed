//! The landing page with a hospital's configuration in it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use proptest::prelude::*;
use vestibule_landing_page::{
    ApplyError, Configuration, LogoImage, Page, apply, content_security_policy, error_frame_policy,
    permissions_policy,
};

const PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<title>Video visit</title>\n\
    <link rel=\"icon\" href=\"icon.svg\">\n<link rel=stylesheet href=css/landing.css>\n\
    <script type=\"module\" src=\"boot.js\" integrity=\"sha384-x\"></script>\n</head>\n<body>\n\
    <img data-brand=\"logo\" alt=\"\" hidden>\n<p data-brand=\"name\" data-text=\"title\">Video visit</p>\n\
    <form action=\"/api/telehealth/v1/launch/plain\" method=\"post\"></form>\n\
    <a href=\"#main\">x</a><p data-brand=\"help\" hidden></p>\n</body>\n</html>\n";

fn read(text: &str) -> Configuration {
    toml::from_str(text).unwrap()
}

fn made(text: &str) -> Page {
    apply(PAGE, &read(text), None).unwrap()
}

/// What the scripts read, as a browser gives it to them.
fn told(page: &Page) -> serde_json::Value {
    let (_, rest) = page
        .html
        .split_once("<meta name=\"vestibule\" content=\"")
        .unwrap();
    let (content, _) = rest.split_once("\">").unwrap();
    serde_json::from_str(&unescaped(content)).unwrap()
}

/// A text of the page as a browser reads it.
fn unescaped(text: &str) -> String {
    ["&quot;\"", "&#39;'", "&lt;<", "&gt;>", "&amp;&"]
        .iter()
        .fold(text.to_owned(), |text, pair| {
            let (escape, character) = pair.split_at(pair.len() - 1);
            text.replace(escape, character)
        })
}

#[test]
fn without_a_configuration_only_the_addresses_of_files_change() {
    let page = made("");
    assert_eq!(page.style_hash, None);
    assert_eq!(told(&page), serde_json::json!({}));
    let expected = PAGE
        .replace("href=\"icon.svg\"", "href=\"/webapp/icon.svg\"")
        .replace(
            "rel=stylesheet href=css/landing.css",
            "rel=\"stylesheet\" href=\"/webapp/css/landing.css\"",
        )
        .replace(
            "src=\"boot.js\" integrity=\"sha384-x\"",
            "integrity=\"sha384-x\" src=\"/webapp/boot.js\"",
        )
        .replace("<script", "<meta name=\"vestibule\" content=\"{}\"><script");
    assert_eq!(page.html, expected);
}

#[test]
fn name_and_help_line_stand_where_the_page_has_a_place_for_them() {
    let page = made("hospital = \"Healthcare Org\"\nhelp_line = \"+1 555 0100\"");
    assert!(page.html.contains("<title>Healthcare Org</title>"));
    assert!(
        page.html
            .contains("<p data-brand=\"name\">Healthcare Org</p>")
    );
    assert!(page.html.contains("<p data-brand=\"help\">+1 555 0100</p>"));
    assert_eq!(told(&page), serde_json::json!({}), "no script reads them");
    assert!(
        page.html
            .contains("<img data-brand=\"logo\" alt=\"\" hidden>"),
        "no logo"
    );
}

#[test]
fn a_logo_is_part_of_the_page() {
    let logo = LogoImage::new("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".into()).unwrap();
    let page = apply(PAGE, &Configuration::default(), Some(&logo)).unwrap();
    let shown = "<img data-brand=\"logo\" alt=\"\" src=\"data:image/svg+xml;base64,";
    assert!(page.html.contains(shown), "{}", page.html);
}

#[test]
fn the_scripts_are_told_what_is_not_as_usual() {
    let page = made(
        "hand_over = \"connect\"\nconnect = { base = \"https://meet.example.org/webapp3\", form = \"webapp3\" }\n\
         device_check = \"before\"\nnode = \"https://node.example.org\"\n\
         launch_api = \"https://visit.example.org\"\nlanguage = \"vi\"\npaths = [\"/visit/\"]\n",
    );
    assert_eq!(
        told(&page),
        serde_json::json!({
            "node": "https://node.example.org",
            "launchApi": "https://visit.example.org",
            "handOver": "connect",
            "connect": {"base": "https://meet.example.org/webapp3", "form": "webapp3"},
            "deviceCheck": "before",
            "language": "vi",
        })
    );
    assert!(page.html.contains("src=\"/visit/boot.js\""));
    let action = "action=\"https://visit.example.org/api/telehealth/v1/launch/plain\"";
    assert!(page.html.contains(action), "{}", page.html);
}

#[test]
fn the_policy_allows_what_the_configuration_names_and_nothing_else() {
    let configuration = read(
        "accent = \"#0b5c6b\"\nnode = \"https://node.example.org\"\n\
         launch_api = \"https://visit.example.org\"\nhand_over = \"connect\"\ndevice_check = \"offer\"\n\
         connect = { base = \"https://meet.example.org/webapp3\", form = \"webapp3\" }",
    );
    let page = apply(PAGE, &configuration, None).unwrap();
    let hash = page.style_hash.clone().unwrap();
    let policy = content_security_policy(&page, &configuration, &["https://portal.example.org"]);
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' {hash}; \
             img-src 'self' data:; \
             connect-src 'self' https://node.example.org https://visit.example.org; \
             frame-src 'self'; base-uri 'none'; \
             form-action 'self' https://visit.example.org https://meet.example.org; \
             require-trusted-types-for 'script'; trusted-types vestibule; \
             frame-ancestors https://portal.example.org"
        )
    );
    assert_eq!(
        permissions_policy(&configuration),
        "camera=(self), microphone=(self)"
    );
    assert_eq!(
        permissions_policy(&Configuration::default()),
        "camera=(), microphone=()"
    );
    assert!(error_frame_policy(&[]).ends_with("frame-ancestors 'self'"));
}

#[test]
fn the_policy_allows_the_scripts_that_stand_in_the_page_by_their_hashes() {
    let inline = PAGE.replace("</head>", "<script>alert('1 < 2')</script></head>");
    let configuration = Configuration::default();
    let page = apply(&inline, &configuration, None).unwrap();
    // printf "alert('1 < 2')" | openssl dgst -sha256 -binary | base64
    let hash = "'sha256-p9FRgtqmyMffBCL3IfjmoJI36tzdFTUODYLl+3a6bxc='";
    assert_eq!(page.script_hashes, [hash]);
    let policy = content_security_policy(&page, &configuration, &[]);
    let expected = format!("; script-src 'self' {hash} 'wasm-unsafe-eval'; style-src 'self'; ");
    assert!(policy.contains(&expected), "{policy}");
    let policy = content_security_policy(&made(""), &configuration, &[]);
    assert!(
        policy.contains("; script-src 'self' 'wasm-unsafe-eval'; "),
        "{policy}"
    );
}

#[test]
fn a_page_that_is_not_ours_is_refused() {
    let configuration = read("hospital = \"H\"");
    let apply = |page: &str| apply(page, &configuration, None).unwrap_err();
    assert_eq!(apply("<title>Visit</title>"), ApplyError::NoHead);
    let nested = PAGE.replace(">Video visit</p>", "><b>Video visit</b></p>");
    assert_eq!(apply(&nested), ApplyError::NotText);
}

#[test]
fn the_page_that_is_built_can_be_configured() {
    let index = include_str!("../../../www/index.html");
    let configuration =
        read("hospital = \"Healthcare Org\"\naccent = \"#7a1f5c\"\nhelp_line = \"1\"");
    let page = apply(index, &configuration, None).unwrap();
    assert!(page.html.contains("<title>Healthcare Org</title>"));
    for relative in [" src=\"boot", " href=\"css/", " href=\"icon"] {
        assert!(!page.html.contains(relative), "{relative}");
    }
}

proptest! {
    /// Whatever the name is, the page has the same tags as with a harmless one.
    #[test]
    fn a_hostile_name_stays_a_name(name in "[ -~<>&\"'é漢]{0,40}x") {
        let configuration = Configuration {
            hospital: Some(name.clone()),
            help_line: Some(name.clone()),
            ..Configuration::default()
        };
        let page = apply(PAGE, &configuration, None).unwrap();
        let harmless = made("hospital = \"x\"\nhelp_line = \"x\"");
        for mark in ['<', '>', '"'] {
            prop_assert_eq!(
                page.html.matches(mark).count(),
                harmless.html.matches(mark).count()
            );
        }
        for (start, end) in [
            ("<title>", "</title>"),
            ("<p data-brand=\"name\">", "</p>"),
            ("<p data-brand=\"help\">", "</p>"),
        ] {
            let (_, rest) = page.html.split_once(start).unwrap();
            let (text, _) = rest.split_once(end).unwrap();
            prop_assert_eq!(&unescaped(text), &name);
        }
    }
}
