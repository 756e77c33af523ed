//! JSON, key by key: read tolerantly, put together field by field. What is only handed on
//! stays in JavaScript: texts of its own would be most of the module.

use alloc::string::String;

use wasm_bindgen::{Nullable, prelude::*};

/// A JSON value, or a text of JavaScript.
pub(crate) trait Json: Clone {
    /// A text.
    fn from_text(text: &str) -> Self;
    /// An object without fields.
    fn object() -> Self;

    /// The value under this key of an object. None is told from null nowhere.
    fn get(&self, key: &str) -> Option<Self>;
    /// The text under this key of an object, where there is one that is not empty.
    fn text(&self, key: &str) -> Option<Self>;
    /// Which of these words the text under this key is, from 0 on, or -1; `|` stands
    /// between the words.
    fn which(&self, key: &str, words: &str) -> i32;
    /// Whether the value under this key is this text.
    fn holds(&self, key: &str, text: &Self) -> bool;
    /// The number under this key, also where it is written as a text or a truth value;
    /// 0 where there is none.
    fn number(&self, key: &str) -> u32;
    /// An element of an array.
    fn item(&self, index: u32) -> Option<Self>;
    /// The values of an object's fields, as an array.
    fn values(&self) -> Self;
    /// The text, where it is one.
    fn as_text(&self) -> Option<String>;

    /// Puts a field into an object, or a new value into a field.
    fn put_value(&mut self, key: &str, value: &Self);
    /// As [`Json::put_value`], with a value that is text.
    fn put_text(&mut self, key: &str, text: &str);
    /// As [`Json::put_value`], with a value that is a number.
    fn put_number(&mut self, key: &str, number: u32);
    /// Takes a field out of an object.
    fn remove(&mut self, key: &str);

    /// The text under this key, as a string.
    fn string(&self, key: &str) -> Option<String> {
        self.text(key)?.as_text()
    }
}

#[wasm_bindgen(module = "/src/json.js")]
extern "C" {
    fn object() -> JsValue;
    fn get(value: &JsValue, key: &str) -> Nullable<JsValue>;
    fn text(value: &JsValue, key: &str) -> Nullable<JsValue>;
    fn which(value: &JsValue, key: &str, words: &str) -> i32;
    fn holds(value: &JsValue, key: &str, text: &JsValue) -> bool;
    fn number(value: &JsValue, key: &str) -> f64;
    fn item(value: &JsValue, index: u32) -> Nullable<JsValue>;
    fn values(value: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = put)]
    fn put_text(value: &JsValue, key: &str, field: &str);
    #[wasm_bindgen(js_name = put)]
    fn put_number(value: &JsValue, key: &str, field: u32);
    #[wasm_bindgen(js_name = put)]
    fn put_value(value: &JsValue, key: &str, field: &JsValue);
    fn remove(value: &JsValue, key: &str);
}

impl Json for JsValue {
    fn from_text(text: &str) -> Self {
        Self::from_str(text)
    }

    fn object() -> Self {
        object()
    }

    fn get(&self, key: &str) -> Option<Self> {
        get(self, key).value()
    }

    fn text(&self, key: &str) -> Option<Self> {
        text(self, key).value()
    }

    fn which(&self, key: &str, words: &str) -> i32 {
        which(self, key, words)
    }

    fn holds(&self, key: &str, text: &Self) -> bool {
        holds(self, key, text)
    }

    fn number(&self, key: &str) -> u32 {
        // `as` saturates.
        number(self, key) as u32
    }

    fn item(&self, index: u32) -> Option<Self> {
        item(self, index).value()
    }

    fn values(&self) -> Self {
        values(self)
    }

    fn as_text(&self) -> Option<String> {
        self.as_string()
    }

    fn put_text(&mut self, key: &str, text: &str) {
        put_text(self, key, text);
    }

    fn put_value(&mut self, key: &str, value: &Self) {
        put_value(self, key, value);
    }

    fn put_number(&mut self, key: &str, number: u32) {
        put_number(self, key, number);
    }

    fn remove(&mut self, key: &str) {
        remove(self, key);
    }
}

#[cfg(test)]
impl Json for serde_json::Value {
    fn from_text(text: &str) -> Self {
        text.into()
    }

    fn object() -> Self {
        serde_json::json!({})
    }

    fn get(&self, key: &str) -> Option<Self> {
        // As in JavaScript, where the elements of an array have keys as well.
        let value = match self {
            Self::Array(items) => items.get(key.parse::<usize>().ok()?),
            _ => self.as_object()?.get(key),
        }?;
        (!value.is_null()).then(|| value.clone())
    }

    fn text(&self, key: &str) -> Option<Self> {
        let value = Json::get(self, key)?;
        (!value.as_str()?.is_empty()).then_some(value)
    }

    fn which(&self, key: &str, words: &str) -> i32 {
        let value = Json::get(self, key).unwrap_or_default();
        let place = words.split('|').position(|word| value == word);
        place.map_or(-1, |place| place as i32)
    }

    fn holds(&self, key: &str, text: &Self) -> bool {
        Json::get(self, key).as_ref() == Some(text)
    }

    fn number(&self, key: &str) -> u32 {
        let number = match Json::get(self, key) {
            Some(Self::Number(number)) => number.as_f64(),
            Some(Self::String(text)) => text.parse().ok(),
            Some(Self::Bool(truth)) => Some(f64::from(truth)),
            _ => None,
        };
        number.unwrap_or_default() as u32
    }

    fn item(&self, index: u32) -> Option<Self> {
        self.as_array()?.get(index as usize).cloned()
    }

    fn values(&self) -> Self {
        self.as_object()
            .map(|fields| fields.values().cloned().collect())
            .unwrap_or_default()
    }

    fn as_text(&self) -> Option<String> {
        self.as_str().map(String::from)
    }

    fn put_text(&mut self, key: &str, text: &str) {
        self[key] = text.into();
    }

    fn put_value(&mut self, key: &str, value: &Self) {
        self[key] = value.clone();
    }

    fn put_number(&mut self, key: &str, number: u32) {
        self[key] = number.into();
    }

    fn remove(&mut self, key: &str) {
        if let Some(fields) = self.as_object_mut() {
            fields.remove(key);
        }
    }
}
