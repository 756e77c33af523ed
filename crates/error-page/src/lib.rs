//! The error page in the browser: renders the profile's template. A module of
//! its own, because the template engine is large and a successful launch needs
//! none of it.

use vestibule_template::{Escaping, Letters, Surroundings, Template, contexts::ErrorPageContext};
use wasm_bindgen::prelude::*;

/// Smaller than the standard library's by 2.5 KB of what is downloaded.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** An error page as the launch API answers it. */
export interface ErrorPage {
  error_name: string;
  telehealth_request_id: string;
  /** RFC 3339, UTC. */
  utc_time: string;
  detailed_debug_information?: string | null;
  template: string;
}
"#;

// What is no text counts as missing.
#[wasm_bindgen]
extern "C" {
    /// An error page (an object as the launch API answers it).
    #[wasm_bindgen(typescript_type = "ErrorPage")]
    pub type ErrorPage;

    #[wasm_bindgen(method, getter, catch)]
    fn error_name(this: &ErrorPage) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, getter, catch)]
    fn telehealth_request_id(this: &ErrorPage) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, getter, catch)]
    fn utc_time(this: &ErrorPage) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, getter, catch)]
    fn detailed_debug_information(this: &ErrorPage) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, getter, catch)]
    fn template(this: &ErrorPage) -> Result<Option<String>, JsValue>;

    /// A text of the browser's.
    type Text;

    #[wasm_bindgen(method, js_name = toLowerCase)]
    fn to_lower_case(this: &Text) -> String;

    #[wasm_bindgen(method, js_name = toUpperCase)]
    fn to_upper_case(this: &Text) -> String;

    /// The language of the browser; a worker or an old browser may have none.
    #[wasm_bindgen(thread_local_v2, js_namespace = navigator, js_name = language)]
    static LANGUAGE: Option<String>;
}

/// Panics are told to the console, with their place in the source.
#[wasm_bindgen(start)]
pub fn install_panic_hook() {
    console_error_panic_hook::set_once();
}

/// Renders an error page to HTML. `language` is the page's, as a tag of BCP 47; the
/// browser's where it is missing.
///
/// # Errors
/// An `Error` where `page` is no error page, or where its template is empty or fails.
#[wasm_bindgen]
pub fn render(page: &ErrorPage, language: Option<String>) -> Result<String, JsError> {
    let (source, context) =
        read(page, language).ok_or_else(|| JsError::new("this is no error page"))?;
    let template = Template::parse(&source)?;
    let surroundings = Surroundings {
        letters: Letters {
            lower: |text| browser_text(text).to_lower_case(),
            upper: |text| browser_text(text).to_upper_case(),
        },
        ..Surroundings::default()
    };
    Ok(template.render_with(Escaping::Html, &context, &surroundings)?)
}

/// The template, and what it is rendered with.
fn read(page: &ErrorPage, language: Option<String>) -> Option<(String, ErrorPageContext)> {
    let context = ErrorPageContext {
        error_name: page.error_name().ok()??,
        telehealth_request_id: page.telehealth_request_id().ok()??,
        utc_time: page.utc_time().ok()??,
        language: language.or_else(|| LANGUAGE.with(Clone::clone)),
        detailed_debug_information: page.detailed_debug_information().ok()?,
    };
    let template = page.template().ok()??;
    (!template.is_empty()).then_some((template, context))
}

fn browser_text(text: &str) -> Text {
    JsValue::from_str(text).unchecked_into()
}
