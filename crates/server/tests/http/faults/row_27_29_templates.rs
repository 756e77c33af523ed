//! Rows 27 and 29: hostile templates, and hostile names in good ones.

use std::time::{Duration, Instant};

use vestibule_launch::{ErrorName, JoinLink, Role};

use super::assert_invariants;
use crate::support::{Launch, TestServer, encrypt, parameter, parameters};

/// Far less than a hostile template would take that is not stopped.
const GENEROUS: Duration = Duration::from_secs(60);

/// Takes for ever, or says for ever.
const HOSTILE: [&str; 4] = [
    "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}aaaaaaaaaaaaaaaa{% endfor %}{% endfor %}",
    "{{ ('a' * 100000000) | length }}",
    "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
];

#[tokio::test]
async fn row_27_a_hostile_error_page_falls_back_to_the_built_in_one() {
    let mut ran = 0;
    for template in HOSTILE {
        let template = template.replace('\'', "\"");
        let more = format!("launch_error_web_template = '{template}'");
        let Some(server) = TestServer::try_with_profile(&more).await else {
            continue; // refused when it is read
        };
        ran += 1;
        let begun = Instant::now();
        let response = server.return_with("patient", "forged").await;
        assert!(begun.elapsed() < GENEROUS, "{template}");
        assert_invariants(response, 400, ErrorName::StateInvalid).await;
    }
    assert_eq!(ran, 3, "all but the macro");
}

#[tokio::test]
async fn row_27_a_hostile_service_name_fails_its_launch_and_nothing_else() {
    let mut ran = 0;
    for template in HOSTILE {
        let template = template.replace('\'', "\"");
        let refused = format!("service_name_template = '{template}{{{{ unique_encounter_id }}}}'");
        let refused = TestServer::try_with_profile(&refused).await;
        assert!(refused.is_none(), "it fails with every launch: {template}");
        // With this launch only.
        let more = format!(
            "service_name_template = '{{% if unique_encounter_id == \"encounter-4711\" %}}{template}\
             {{% endif %}}{{{{ unique_encounter_id }}}}'"
        );
        let Some(server) = TestServer::try_with_profile(&more).await else {
            continue; // refused when it is read
        };
        ran += 1;
        let state = server.begin_state(Launch::PATIENT).await;
        let begun = Instant::now();
        let response = server.return_with("patient", &state).await;
        assert!(begun.elapsed() < GENEROUS, "{template}");
        assert_invariants(response, 500, ErrorName::Template).await;
        assert_eq!(server.get("/healthz").await.status(), 200);
    }
    assert_eq!(ran, 3, "all but the macro");
}

#[tokio::test]
async fn row_27_a_template_that_reads_files_is_refused() {
    for template in [
        "{% include \"/etc/passwd\" %}",
        "{% import \"x\" as x %}",
        "{% extends \"x\" %}",
    ] {
        let more = format!("launch_error_web_template = '{template}'");
        assert!(
            TestServer::try_with_profile(&more).await.is_none(),
            "{template}"
        );
    }
}

#[tokio::test]
async fn row_29_hostile_names_stay_names() {
    let server = TestServer::start().await;
    for name in [
        "&pin=1234&role=host",
        "#/?conference=evil",
        "<script>alert(1)</script>",
        "a\u{202e}b",
        "100% +1 \u{e9}\u{1f600}",
        "{{7*7}}",
        "\" onload=\"x",
        "?ticket=1",
        "a&amp;b",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let plaintext = format!("csn=1&fname={}", encoded.replace('+', "%20"));
        let launch = Launch {
            plaintext: Some(&plaintext),
            ..Launch::PATIENT
        };
        let link = server.launch(launch).await;
        let names: Vec<_> = parameters(&link)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["conference", "name", "role"], "{link}");
        assert_eq!(parameter(&link, "name"), name.replace('\u{202e}', ""));
        let JoinLink::Classic(read) = JoinLink::parse(&link).unwrap() else {
            panic!("{link}")
        };
        assert_eq!(read.role(), Some(Role::Guest));
        assert!(read.pin().is_none());
    }
}

#[tokio::test]
async fn row_29_names_that_are_too_long_or_hold_control_characters_are_refused() {
    let server = TestServer::start().await;
    for name in [
        "a".repeat(10_000),
        "%00".to_owned(),
        "a%0D%0ASet-Cookie:%20x".to_owned(),
    ] {
        let plaintext = format!("csn=1&fname={name}");
        // It could be encrypted, so it is not the encryption that refuses it.
        assert!(!encrypt(&plaintext).is_empty());
        let launch = Launch {
            plaintext: Some(&plaintext),
            ..Launch::PATIENT
        };
        let state = server.begin_state(launch).await;
        let response = server.return_with("patient", &state).await;
        assert_invariants(response, 400, ErrorName::LaunchParametersInvalid).await;
    }
}
