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
use uuid::Uuid;
use vestibule_store::{AuditAction, AuditSubject, ProfileNumber};

use super::{Admin, Administrator, answer, listing, schema};
use crate::profile::{
    Entry, ProfileDocument,
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
    match admin.registry.create(&document).await {
        Ok(entry) => {
            let created = AuditAction::ProfileCreated;
            let nothing = ProfileDocument::default();
            audit(&admin, &administrator, created, &nothing, &entry).await;
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
    match admin.registry.replace(entry, &document).await {
        Ok(changed) => {
            let action = AuditAction::ProfileChanged;
            audit(admin, administrator, action, &entry.document, &changed).await;
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
    match admin.registry.remove(&entry, force).await {
        Ok(()) => {
            let (profile, user) = (entry.document.uuid, &administrator.name);
            tracing::info!(%profile, user, force, "admin API: profile removed");
            let details = if force { "although visits may run" } else { "" };
            let action = AuditAction::ProfileRemoved;
            record(&admin, &administrator, action, profile, details).await;
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

/// Who changed which fields. Values may be secrets, or a patient's name in a template:
/// they stay out.
async fn audit(
    admin: &Admin,
    administrator: &Administrator,
    action: AuditAction,
    old: &ProfileDocument,
    entry: &Arc<Entry>,
) {
    let fields = changed(old, &entry.document);
    let (profile, user) = (entry.document.uuid, &administrator.name);
    let shown = answer::profiles(vec![Arc::clone(entry)]).await.remove(0);
    let key_check_value = shown["epic_encryption_key_check_value"].as_str();
    let what = match action {
        AuditAction::ProfileCreated => "created",
        _ => "changed",
    };
    let names = fields.join(",");
    tracing::info!(
        %profile, user, fields = names, key_check_value, "admin API: profile {what}"
    );
    record(admin, administrator, action, profile, &fields.join(", ")).await;
}

/// The change is made; where it cannot be recorded, the log has it.
async fn record(
    admin: &Admin,
    administrator: &Administrator,
    action: AuditAction,
    profile: Uuid,
    details: &str,
) {
    let subject = Some(AuditSubject::profile(profile));
    let recorded = administrator.record(admin, action, subject, details).await;
    if let Err(error) = recorded {
        tracing::error!(%error, "the change of a profile is missing in the audit log");
    }
}

/// The names of the fields that differ.
fn changed(old: &ProfileDocument, new: &ProfileDocument) -> Vec<String> {
    use secrecy::ExposeSecret as _;
    let (before, after) = (json::write(old), json::write(new));
    let plain = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value));
    let mut fields: Vec<String> = plain.map(|(name, _)| name.clone()).collect();
    let (before, after) = (old.secrets(), new.secrets());
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    for name in names {
        let exposed = |secret: Option<&secrecy::SecretString>| {
            secret.map(|secret| secret.expose_secret().to_owned())
        };
        if exposed(before.get(name)) != exposed(after.get(name)) {
            fields.push((*name).to_owned());
        }
    }
    fields
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
