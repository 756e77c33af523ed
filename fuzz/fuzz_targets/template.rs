//! Any text is a template or an error with its place, and rendering one ends with an
//! error or with text that is no longer than the limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_template::{Escaping, Kind, Template, limits::MAX_OUTPUT_BYTES};

fuzz_target!(|source: &str| {
    let template = match Template::parse(source) {
        Ok(template) => template,
        Err(error) => {
            assert!(error.line.is_some() && error.column.is_some(), "{error:?}");
            return;
        }
    };
    match Template::parse_as(Kind::JoinLink, source) {
        Ok(link) => {
            let mandatory = Kind::JoinLink.mandatory();
            assert!(mandatory.iter().any(|variable| link.mentions(variable)));
        }
        Err(error) => assert!(error.line.is_some() && error.column.is_some(), "{error:?}"),
    }
    let context = serde_json::json!({
        "error_name": "launch_used",
        "utc_time": "2027-01-15T08:00:00Z",
        "display_name": "<Beverley> & \"P\" \u{202e}Spinder",
        "pin": "12345678",
        "launch_information": { "fname": "Beverley", "lname": "Spinder" },
        "list": [1, 2.5, null, "x", [true]],
    });
    for escaping in [Escaping::None, Escaping::Html, Escaping::JoinLink] {
        let first = template.render(escaping, &context);
        let second = template.render(escaping, &context);
        assert_eq!(first, second);
        if let Ok(text) = first {
            assert!(text.len() <= MAX_OUTPUT_BYTES);
        }
    }
});
