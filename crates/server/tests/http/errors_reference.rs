//! The table of error names.

use std::{fs, path::Path};

use vestibule_launch::ErrorName;
use vestibule_server::error_reference;
use vestibule_template::{Escaping, Template, contexts::ErrorPageContext, defaults};

const FILE: &str = "../../docs/reference/errors.md";

#[test]
fn errors_reference() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let text = error_reference::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == text,
        "docs/reference/errors.md is out of date; renew it by \
         `UPDATE_DOCS=1 cargo test -p vestibule-server --test http errors_reference`"
    );
}

#[test]
fn the_built_in_page_says_what_the_table_says() {
    let template = Template::parse(defaults::ERROR_PAGE).unwrap();
    for name in ErrorName::ALL {
        let shown = error_reference::shown(*name);
        let context = ErrorPageContext {
            error_name: shown.to_string(),
            telehealth_request_id: "request-1".to_owned(),
            utc_time: "2027-01-15T08:00:00Z".to_owned(),
            detailed_debug_information: None,
            language: None,
        };
        let page = template.render(Escaping::Html, &context).unwrap();
        let sentence = error_reference::entry(*name).page.sentence();
        assert!(page.contains(sentence), "{name}: {sentence}");
    }
}
