//! JSON, key by key: read tolerantly, written as it stands. By serde it would
//! double the size of the module.

use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::JsValue;

/// An object of these fields, without those that are `None`.
pub(crate) fn object(fields: &[(&str, Option<&str>)]) -> JsValue {
    let object = Object::new();
    for (key, value) in fields {
        if let Some(value) = value {
            Reflect::set(&object, &(*key).into(), &(*value).into()).ok();
        }
    }
    object.into()
}

/// The same as JSON text.
pub(crate) fn text(fields: &[(&str, Option<&str>)]) -> String {
    let text = JSON::stringify(&object(fields)).ok();
    text.and_then(|text| text.as_string()).unwrap_or_default()
}

/// A JSON value.
pub(crate) trait Json: Sized {
    /// The value under this key of an object.
    fn get(&self, key: &str) -> Option<Self>;
    /// The elements, where it is an array.
    fn items(&self) -> Option<Vec<Self>>;
    /// The text, where it is a string.
    fn as_text(&self) -> Option<String>;
    /// The number, where it is one.
    fn as_number(&self) -> Option<f64>;
    /// The truth value, where it is one.
    fn as_truth(&self) -> Option<bool>;

    /// The text under this key of an object.
    fn text(&self, key: &str) -> Option<String> {
        self.get(key)?.as_text()
    }
}

impl Json for JsValue {
    fn get(&self, key: &str) -> Option<Self> {
        if !self.is_object() {
            return None;
        }
        let value = Reflect::get(self, &key.into()).ok()?;
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }

    fn items(&self) -> Option<Vec<Self>> {
        Array::is_array(self).then(|| Array::from(self).to_vec())
    }

    fn as_text(&self) -> Option<String> {
        self.as_string()
    }

    fn as_number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn as_truth(&self) -> Option<bool> {
        self.as_bool()
    }
}

#[cfg(test)]
impl Json for serde_json::Value {
    fn get(&self, key: &str) -> Option<Self> {
        self.as_object()?
            .get(key)
            .filter(|value| !value.is_null())
            .cloned()
    }

    fn items(&self) -> Option<Vec<Self>> {
        self.as_array().cloned()
    }

    fn as_text(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    fn as_number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn as_truth(&self) -> Option<bool> {
        self.as_bool()
    }
}
