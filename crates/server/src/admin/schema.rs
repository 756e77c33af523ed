//! `…/telehealth_profile/schema/`: which fields there are.

use axum::Json;
use serde_json::{Map, Value, json};

use super::listing;
use crate::profile::{ProfileDocument, json};

pub(super) async fn schema() -> Json<Value> {
    let mut document = ProfileDocument::default();
    let mut fields: Map<String, Value> = json::write(&document)
        .into_iter()
        .map(|(name, default)| {
            let field = json!({
                "type": kind(&default),
                "nullable": default.is_null(),
                "default": default,
                "write_only": false,
            });
            (name, field)
        })
        .collect();
    for (name, _) in document.secrets_mut() {
        let field = json!({
            "type": "string",
            "nullable": true,
            "default": null,
            "write_only": true,
        });
        fields.insert(name.to_owned(), field);
    }
    Json(json!({
        "allowed_detail_http_methods": ["get", "put", "patch", "delete"],
        "allowed_list_http_methods": ["get", "post"],
        "default_format": "application/json",
        "default_limit": listing::LIMIT,
        "fields": fields,
        "filtering": { "name": "exact", "uuid": "exact" },
    }))
}

/// `null` stands for texts without a default, and for tables that are not there.
fn kind(default: &Value) -> &'static str {
    match default {
        Value::Null | Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}
