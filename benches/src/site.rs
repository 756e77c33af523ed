//! The site that is measured: each contender's page below an address of its own, and a
//! node that notes when `request_token` arrives.

use std::{
    collections::BTreeMap,
    fs,
    future::pending,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    extract::{Path as Segments, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

/// An alias for which there is no conference.
pub(crate) const UNKNOWN_ALIAS: &str = "nobody";

/// The template that a failure is shown with: one that every contender can render.
const TEMPLATE: &str = include_str!("../startup/error-page.html");

/// A running site.
pub(crate) struct Site {
    /// `http://…`, without a slash at the end.
    pub(crate) address: String,
    /// When each `request_token` arrived, in milliseconds since 1970.
    pub(crate) arrivals: mpsc::UnboundedReceiver<f64>,
}

#[derive(Clone)]
struct Served {
    files: Arc<BTreeMap<String, File>>,
    arrived: mpsc::UnboundedSender<f64>,
}

struct File {
    content_type: &'static str,
    compressed: Vec<u8>,
}

impl Site {
    /// Serves the files of each folder below its name, compressed by brotli.
    pub(crate) async fn open(contenders: &[(&str, PathBuf)]) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (name, folder) in contenders {
            for file in files_below(folder)? {
                let path = file.strip_prefix(folder)?.to_string_lossy().into_owned();
                let Some(content_type) = content_type(&path) else {
                    continue;
                };
                let content = fs::read(&file)?;
                let compressed = compress(&content)?;
                let path = format!("{name}/{}", path.trim_end_matches("index.html"));
                let file = File {
                    content_type,
                    compressed,
                };
                files.insert(path, file);
            }
        }
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let served = Served {
            files: Arc::new(files),
            arrived,
        };
        let conference = "/api/client/v2/conferences/{alias}";
        let router = Router::new()
            .route(&format!("{conference}/request_token"), post(request_token))
            .route(&format!("{conference}/events"), get(pending::<()>))
            .route("/api/telehealth/v1/launch/error", post(error_page))
            // Each run has a folder of its own, so that nothing comes from a cache.
            .route("/{run}/{*path}", get(file))
            .with_state(served);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, arrivals })
    }
}

async fn file(
    State(served): State<Served>,
    Segments((_, path)): Segments<(String, String)>,
) -> Response {
    let Some(file) = served.files.get(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, file.content_type),
        (header::CONTENT_ENCODING, "br"),
        (header::CACHE_CONTROL, "max-age=60"),
    ];
    (headers, file.compressed.clone()).into_response()
}

async fn request_token(
    State(served): State<Served>,
    Segments(alias): Segments<String>,
) -> Response {
    served.arrived.send(now()).ok();
    if alias == UNKNOWN_ALIAS {
        let answer = json!({"status": "failed", "result": "Neither conference nor gateway found"});
        return (StatusCode::NOT_FOUND, Json(answer)).into_response();
    }
    Json(json!({"status": "success", "result": {
        "token": "token", "expires": "120", "participant_uuid": "1", "display_name": "Kim",
        "role": "GUEST", "current_service_type": "conference", "service_type": "conference",
        "version": {"version_id": "36", "pseudo_version": "0"},
    }}))
    .into_response()
}

async fn error_page() -> Json<Value> {
    Json(json!({
        "error_name": "ConferenceNotFound",
        "telehealth_request_id": "8d8ac610-566d-4ef0-9c22-186b2a5ed793",
        "utc_time": "2026-03-14T09:26:53Z",
        "template": TEMPLATE,
    }))
}

fn now() -> f64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "compared with the browser's clock, which is the machine's"
    )]
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

fn compress(content: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    brotli::CompressorWriter::new(&mut compressed, 64 * 1024, 11, 22).write_all(content)?;
    Ok(compressed)
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}
