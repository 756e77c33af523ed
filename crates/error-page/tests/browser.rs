//! The error page module in a real browser.
#![cfg(target_arch = "wasm32")]

use js_sys::JSON;
use vestibule_error_page::{ErrorPage, render};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const ID: &str = "614221f4-3a5c-4d1f-8df6-3ae27188df54";

fn page(json: &str) -> ErrorPage {
    JSON::parse(json).expect("it is JSON").unchecked_into()
}

fn answer(error_name: &str, template: &str) -> ErrorPage {
    page(&format!(
        r#"{{"error_name":"{error_name}","telehealth_request_id":"{ID}",
        "utc_time":"2026-11-21T07:00:00Z","detailed_debug_information":"<script>x</script>",
        "template":"{template}"}}"#
    ))
}

fn rendered(error_name: &str, template: &str) -> String {
    rendered_in(None, error_name, template)
}

fn rendered_in(language: Option<&str>, error_name: &str, template: &str) -> String {
    render(&answer(error_name, template), language.map(str::to_owned))
        .map_err(JsValue::from)
        .expect("it renders")
}

#[wasm_bindgen_test]
fn the_profiles_template_is_rendered_with_the_documented_variables() {
    let html = rendered(
        "BorvoGetTelehealthDirectLaunchTokenError",
        "{% if error_name == 'BorvoGetTelehealthDirectLaunchTokenError' %}old{% endif %} {{telehealth_request_id}} {{utc_time}}",
    );
    assert_eq!(html, format!("old {ID} 2026-11-21T07:00:00Z"));
}

#[wasm_bindgen_test]
fn values_are_escaped() {
    let html = rendered("internal_error", "{{detailed_debug_information}}");
    assert_eq!(html, "&lt;script&gt;x&lt;/script&gt;");
}

#[wasm_bindgen_test]
fn a_page_without_details_says_none() {
    let page = page(
        r#"{"error_name":"x","telehealth_request_id":"y","utc_time":"z",
        "template":"{% if not detailed_debug_information %}none{% endif %}"}"#,
    );
    let html = render(&page, None).map_err(JsValue::from);
    assert_eq!(html.expect("it renders"), "none");
}

#[wasm_bindgen_test]
fn the_template_knows_the_language_of_the_page_and_else_of_the_browser() {
    assert_eq!(rendered_in(Some("vi"), "x", "{{language}}"), "vi");
    let browser = js_sys::Reflect::get(&js_sys::global(), &"navigator".into())
        .and_then(|navigator| js_sys::Reflect::get(&navigator, &"language".into()))
        .expect("the browser has a language");
    assert_eq!(Some(rendered("x", "{{language}}")), browser.as_string());
}

#[wasm_bindgen_test]
fn letters_are_changed_by_the_browser_as_the_server_changes_them() {
    for (template, expected) in [
        ("{{ 'straße ΟΔΟΣ'|upper }}", "STRASSE ΟΔΟΣ"),
        ("{{ 'ÉTÉ ΟΔΟΣ'|lower }}", "été οδος"),
        ("{{ 'ßTRASSE ΣΑΣ'|capitalize }}", "Sstrasse σας"),
        ("{{ 'mary oʼbrien ΣΑΣ ǆ'.title() }}", "Mary OʼBrien Σας ǅ"),
    ] {
        assert_eq!(rendered("x", template), expected, "{template}");
    }
}

#[wasm_bindgen_test]
fn a_broken_or_missing_template_is_refused() {
    for template in ["", "{% if %}", "{{ 1 // 0 }}", "{{ 'x'|pex_md5 }}"] {
        let page = answer("internal_error", template);
        assert!(render(&page, None).is_err(), "{template}");
    }
}

#[wasm_bindgen_test]
fn what_is_no_error_page_is_refused() {
    assert!(render(JsValue::NULL.unchecked_ref(), None).is_err());
    for json in [
        "{}",
        "[]",
        "7",
        r#"{"error_name":"x","telehealth_request_id":"y","utc_time":"z"}"#,
        r#"{"error_name":7,"telehealth_request_id":"y","utc_time":"z","template":"t"}"#,
    ] {
        assert!(render(&page(json), None).is_err(), "{json}");
    }
}
