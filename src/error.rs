//! A failed launch as a JavaScript error.

use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

use crate::json::Json;

/// An `Error` with `name` `LaunchError`, and `code` (one of the error names of the
/// documentation), `requestId` and `utcTime`, of what the error page shows.
pub(crate) fn launch_error(page: &JsValue) -> JsValue {
    let text = |key| JsValue::from(page.text(key).unwrap_or_default());
    let code = page.text("error_name").unwrap_or_default();
    let error = Error::new(&code);
    error.set_name("LaunchError");
    for (key, value) in [
        ("code", code.into()),
        ("requestId", text("telehealth_request_id")),
        ("utcTime", text("utc_time")),
    ] {
        Reflect::set(&error, &key.into(), &value).ok();
    }
    error.into()
}
