//! The error page in the browser: renders the profile's template. A module of
//! its own, because the template engine is large and a successful launch needs
//! none of it.

use vestibule_launch::launch_api::ErrorPage;
use vestibule_template::{Escaping, Template, TemplateError, contexts::ErrorPageContext, defaults};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The language of the browser; a worker or an old browser may have none.
    #[wasm_bindgen(thread_local_v2, js_namespace = navigator, js_name = language)]
    static LANGUAGE: Option<String>;
}

/// Panics are told to the console, with their place in the source.
#[wasm_bindgen(start)]
pub fn install_panic_hook() {
    console_error_panic_hook::set_once();
}

/// Renders an error page (an object as the launch API answers it) to HTML. A
/// template that is empty or fails gives way to the built-in one.
///
/// # Errors
/// An `Error` where `page` is no error page.
#[wasm_bindgen]
pub fn render(page: JsValue) -> Result<String, JsError> {
    let page: ErrorPage = serde_wasm_bindgen::from_value(page)?;
    let context = ErrorPageContext {
        error_name: page.error_name.as_str().to_owned(),
        telehealth_request_id: page.telehealth_request_id.to_string(),
        utc_time: page.utc_time,
        language: LANGUAGE.with(Clone::clone),
        detailed_debug_information: page.detailed_debug_information,
    };
    if !page.template.is_empty()
        && let Ok(html) = render_template(&page.template, &context)
    {
        return Ok(html);
    }
    Ok(render_template(defaults::ERROR_PAGE, &context)?)
}

fn render_template(source: &str, context: &ErrorPageContext) -> Result<String, TemplateError> {
    Template::parse(source)?.render(Escaping::Html, context)
}
