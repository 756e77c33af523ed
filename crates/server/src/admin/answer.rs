//! Answers of the admin API: profiles as JSON, and errors as the management API of
//! Pexip Infinity words them.

use std::sync::Arc;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::telehealth_profile::PATH;
use crate::profile::{
    ChangeError, Entry, Kept, ProfileConflict, RegistryError,
    database::DatabaseError,
    json::{self, JsonFaults, JsonObject},
};

/// A profile as it is answered. Takes tens of milliseconds once for each profile.
pub(super) fn profile(entry: &Entry) -> JsonObject {
    let mut object = json::write(&entry.document);
    let kept_in = match &entry.kept {
        Kept::Database(_) => "database".to_owned(),
        Kept::File(path) => format!("file {}", path.display()),
    };
    let key_check_value = entry.profile.key_check_value();
    let warnings = entry.profile.warnings().iter().map(ToString::to_string);
    let secrets: Vec<_> = entry.document.secrets().into_keys().collect();
    for (name, value) in [
        ("id", json!(entry.number.0)),
        ("resource_uri", json!(uri(entry))),
        (
            "epic_encryption_key_check_value",
            json!(key_check_value.map(|value| value.to_string())),
        ),
        ("kept_in", json!(kept_in)),
        ("secrets", json!(secrets)),
        ("warnings", warnings.collect()),
    ] {
        object.insert(name.to_owned(), value);
    }
    object
}

/// The path of a profile.
pub(super) fn uri(entry: &Entry) -> String {
    format!("{PATH}{}/", entry.number.0)
}

/// Several profiles, made where they may take their time.
pub(super) async fn profiles(entries: Vec<Arc<Entry>>) -> Vec<JsonObject> {
    let made =
        tokio::task::spawn_blocking(move || entries.iter().map(|entry| profile(entry)).collect());
    match made.await {
        Ok(made) => made,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// One profile, with what was left out of a request.
pub(super) async fn one(status: StatusCode, entry: Arc<Entry>, unknown: &[String]) -> Response {
    let mut object = profiles(vec![entry]).await.remove(0);
    object.insert("unknown_fields".to_owned(), json!(unknown));
    (status, Json(object)).into_response()
}

/// An error in words.
pub(super) fn error(status: StatusCode, text: impl Into<String>) -> Response {
    (status, Json(json!({ "error": text.into() }))).into_response()
}

/// What is wrong, by field.
pub(super) fn faults(faults: &JsonFaults) -> Response {
    let body = json!({ "telehealth_profile": faults.0 });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn fault(field: &str, problem: &impl ToString) -> Response {
    let by_field: Value = json!({ field: [problem.to_string()] });
    let body = json!({ "telehealth_profile": by_field });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

impl IntoResponse for ChangeError {
    fn into_response(self) -> Response {
        match &self {
            Self::Faults(found) => faults(&found.into()),
            Self::Conflict(conflict @ ProfileConflict::Uuid(_)) => fault("uuid", conflict),
            Self::Conflict(conflict @ ProfileConflict::Key(..)) => fault("__all__", conflict),
            Self::Routing(routing) => fault(routing.field, &routing.problem),
            Self::OtherUuid => fault("uuid", &self),
            Self::InFile(_) | Self::Meanwhile | Self::VisitsRun(_) => {
                error(StatusCode::CONFLICT, self.to_string())
            }
            Self::Missing(_) => not_found(),
            Self::Registry(registry) => unavailable(registry),
        }
    }
}

/// There is nothing under this path.
pub(super) fn not_found() -> Response {
    error(
        StatusCode::NOT_FOUND,
        format!("there is nothing here; what there is is listed under {PATH}"),
    )
}

/// The profiles cannot be read; the log says why.
pub(super) fn unavailable(cause: &RegistryError) -> Response {
    tracing::error!(error = %cause, "admin API");
    let RegistryError::Database(DatabaseError::Store(_)) = cause else {
        return error(StatusCode::INTERNAL_SERVER_ERROR, cause.to_string());
    };
    let text = "the server cannot get at its database; try again soon";
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, text);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}
