//! The error page module in a real browser.
#![cfg(target_arch = "wasm32")]

use js_sys::JSON;
use vestibule_error_page::render;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const ID: &str = "614221f4-3a5c-4d1f-8df6-3ae27188df54";

fn rendered(error_name: &str, template: &str) -> String {
    let page = format!(
        r#"{{"error_name":"{error_name}","telehealth_request_id":"{ID}",
        "utc_time":"2026-11-21T07:00:00Z","detailed_debug_information":"<script>x</script>",
        "template":"{template}"}}"#
    );
    let page = JSON::parse(&page).expect("it is JSON");
    render(page).map_err(JsValue::from).expect("it renders")
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
fn a_broken_or_missing_template_gives_way_to_the_built_in_page() {
    for template in ["", "{% if %}", "{{ 1 // 0 }}", "{{ 'x'|pex_md5 }}"] {
        let html = rendered("internal_error", template);
        assert!(html.contains(ID) && html.contains("<main"), "{html}");
    }
}

#[wasm_bindgen_test]
fn what_is_no_error_page_is_refused() {
    assert!(render(JsValue::NULL).is_err());
}
