//! `/api/admin/configuration/v1/telehealth_profile/`: list, get, post, put, patch,
//! delete.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::Value;
use vestibule_store::{AuditAction, AuditSubject, NewAuditEntry, ProfileNumber};

use super::{Admin, Administrator, answer, listing, schema};
use crate::profile::{
    Entry, ProfileDocument, changed_fields,
    json::{self, JsonObject, Written},
};

/// The path of all profiles.
pub(crate) const PATH: &str = "/api/admin/configuration/v1/telehealth_profile/";

pub(super) fn router() -> Router<Arc<Admin>> {
    let mut router = Router::new();
    for slash in ["/", ""] {
        let path = PATH.trim_end_matches('/');
        router = router
            .route(&format!("{path}{slash}"), get(list).post(post))
            .route(&format!("{path}/schema{slash}"), get(schema::schema))
            .route(
                &format!("{path}/{{id}}{slash}"),
                get(one).put(put).patch(patch).delete(delete),
            );
    }
    router
}

async fn list(
    State(admin): State<Arc<Admin>>,
    query: Result<Query<listing::Asked>, QueryRejection>,
) -> Response {
    match query {
        Ok(Query(asked)) => {
            admin.look().await;
            listing::answer(&admin.registry.entries(), &asked).await
        }
        Err(_) => answer::error(
            StatusCode::BAD_REQUEST,
            "a list can be asked for by limit, offset, name and uuid, each given once; \
             limit and offset are whole numbers",
        ),
    }
}

async fn one(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Response {
    match admin.find(&id).await {
        Some(entry) => answer::one(StatusCode::OK, entry, &[]).await,
        None => answer::not_found(),
    }
}

async fn post(
    State(admin): State<Arc<Admin>>,
    administrator: Administrator,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let written = match object(&headers, body).map(json::read) {
        Ok(Ok(written)) => written,
        Ok(Err(faults)) => return answer::faults(&faults),
        Err(response) => return response,
    };
    let Written {
        mut document,
        unknown,
        ..
    } = written;
    if document.uuid.is_nil() {
        let bytes = admin.tools.random.with(|rng| {
            let mut bytes = [0; 16];
            rng.fill_bytes(&mut bytes);
            bytes
        });
        document.uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
    }
    admin.look().await;
    let fields = changed_fields(&ProfileDocument::default(), &document);
    let created = entry(
        &administrator,
        AuditAction::ProfileCreated,
        &document,
        &fields,
    );
    let stored = admin.registry.create_recorded(&document, Some(created));
    match stored.await {
        Ok(entry) => {
            tell(&administrator, "created", &fields, &entry).await;
            let location = HeaderValue::from_str(&answer::uri(&entry));
            let mut response = answer::one(StatusCode::CREATED, entry, &unknown).await;
            if let Ok(location) = location {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn put(
    State(admin): State<Arc<Admin>>,
    administrator: Administrator,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(entry) = admin.find(&id).await else {
        return answer::not_found();
    };
    match object(&headers, body).map(json::read) {
        Ok(Ok(mut written)) => {
            if written.document.uuid.is_nil() {
                written.document.uuid = entry.document.uuid;
            }
            change(&admin, &administrator, &entry, written).await
        }
        Ok(Err(faults)) => answer::faults(&faults),
        Err(response) => response,
    }
}

async fn patch(
    State(admin): State<Arc<Admin>>,
    administrator: Administrator,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(entry) = admin.find(&id).await else {
        return answer::not_found();
    };
    match object(&headers, body).map(|object| json::read_patch(object, &entry.document)) {
        Ok(Ok(written)) => change(&admin, &administrator, &entry, written).await,
        Ok(Err(faults)) => answer::faults(&faults),
        Err(response) => response,
    }
}

async fn change(
    admin: &Admin,
    administrator: &Administrator,
    entry: &Entry,
    written: Written,
) -> Response {
    let Written {
        mut document,
        removed,
        unknown,
    } = written;
    let now = admin.tools.now();
    crate::profile::complete(&mut document, &entry.document, &removed, now);
    let fields = changed_fields(&entry.document, &document);
    let recorded = self::entry(
        administrator,
        AuditAction::ProfileChanged,
        &document,
        &fields,
    );
    let registry = &admin.registry;
    let stored = registry.replace_recorded(entry, &document, Some(recorded));
    match stored.await {
        Ok(changed) => {
            tell(administrator, "changed", &fields, &changed).await;
            answer::one(StatusCode::OK, changed, &unknown).await
        }
        Err(error) => error.into_response(),
    }
}

#[derive(Deserialize)]
struct Force {
    #[serde(default)]
    force: bool,
}

async fn delete(
    State(admin): State<Arc<Admin>>,
    administrator: Administrator,
    Path(id): Path<String>,
    query: Result<Query<Force>, QueryRejection>,
) -> Response {
    let Ok(Query(Force { force })) = query else {
        return answer::error(StatusCode::BAD_REQUEST, "force must be true or false");
    };
    let Some(entry) = admin.find(&id).await else {
        return answer::not_found();
    };
    let (profile, user) = (entry.document.uuid, &administrator.name);
    let details = if force { "although visits may run" } else { "" };
    let subject = Some(AuditSubject::profile(profile));
    let removed = administrator.entry(AuditAction::ProfileRemoved, subject, details);
    let done = admin.registry.remove_recorded(&entry, force, Some(removed));
    match done.await {
        Ok(()) => {
            tracing::info!(%profile, user, force, "admin API: profile removed");
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => error.into_response(),
    }
}

impl Admin {
    /// Sees what others have changed. Where that fails, the profiles from before are
    /// shown, and storing fails with the same error.
    async fn look(&self) {
        if let Err(error) = self.registry.refresh().await {
            tracing::error!(%error, "admin API: the profiles may be those from before");
        }
    }

    async fn find(&self, id: &str) -> Option<Arc<Entry>> {
        let number = id.parse().ok()?;
        self.look().await;
        self.registry.find(ProfileNumber(number))
    }
}

/// Who changed which fields.
fn entry(
    administrator: &Administrator,
    action: AuditAction,
    document: &ProfileDocument,
    fields: &[String],
) -> NewAuditEntry {
    let subject = Some(AuditSubject::profile(document.uuid));
    administrator.entry(action, subject, &fields.join(", "))
}

/// The same for the server's log.
async fn tell(
    administrator: &Administrator,
    what: &'static str,
    fields: &[String],
    entry: &Arc<Entry>,
) {
    let (profile, user) = (entry.document.uuid, &administrator.name);
    let shown = answer::profiles(vec![Arc::clone(entry)]).await.remove(0);
    let key_check_value = shown["epic_encryption_key_check_value"].as_str();
    let names = fields.join(",");
    tracing::info!(
        %profile, user, fields = names, key_check_value, "admin API: profile {what}"
    );
}

/// The JSON object of a request. A browser sends no JSON across sites unless asked
/// whether it may, so no other site can make an administrator's browser change anything.
#[expect(clippy::result_large_err, reason = "an answer, made once")]
fn object(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<JsonObject, Response> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        let text = "send the profile as application/json";
        return Err(answer::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let body = body.map_err(|rejection| {
        answer::error(
            rejection.status(),
            "the request is longer than 256 KiB, or broke off",
        )
    })?;
    match serde_json::from_slice(&body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(answer::error(
            StatusCode::BAD_REQUEST,
            "send one profile as a JSON object",
        )),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let text = format!("not JSON: line {line}, column {column}");
            Err(answer::error(StatusCode::BAD_REQUEST, text))
        }
    }
}
