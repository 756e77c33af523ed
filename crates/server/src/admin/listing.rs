//! Lists of profiles, a page at a time, as the management API of Pexip Infinity gives
//! them.

use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;
use uuid::Uuid;

use super::{answer, telehealth_profile::PATH};
use crate::profile::Entry;

/// Profiles on a page, unless the request says otherwise.
pub(super) const LIMIT: usize = 20;

/// Most profiles on a page.
const MOST: usize = 1000;

/// What a request asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Profiles on a page; 0 for as many as there may be.
    limit: Option<usize>,
    /// Profiles before the page.
    offset: Option<usize>,
    /// Only those of this name.
    name: Option<String>,
    /// Only the one of this uuid.
    uuid: Option<String>,
}

pub(super) async fn answer(entries: &[Arc<Entry>], asked: &Asked) -> Response {
    let page = Page::of(entries, asked);
    let meta = json!({
        "limit": page.limit,
        "next": page.next(asked),
        "offset": page.offset,
        "previous": page.previous(asked),
        "total_count": page.total,
    });
    let objects = answer::profiles(page.entries).await;
    Json(json!({ "meta": meta, "objects": objects })).into_response()
}

struct Page {
    limit: usize,
    offset: usize,
    total: usize,
    entries: Vec<Arc<Entry>>,
}

impl Page {
    fn of(entries: &[Arc<Entry>], asked: &Asked) -> Self {
        let limit = match asked.limit.unwrap_or(LIMIT) {
            0 => MOST,
            limit => limit.min(MOST),
        };
        let offset = asked.offset.unwrap_or(0);
        let found: Vec<_> = entries.iter().filter(|entry| asked.means(entry)).collect();
        Self {
            limit,
            offset,
            total: found.len(),
            entries: found
                .into_iter()
                .skip(offset)
                .take(limit)
                .cloned()
                .collect(),
        }
    }

    fn next(&self, asked: &Asked) -> Option<String> {
        let offset = self.offset.checked_add(self.limit)?;
        (offset < self.total).then(|| self.link(offset, asked))
    }

    fn previous(&self, asked: &Asked) -> Option<String> {
        (self.offset > 0).then(|| self.link(self.offset.saturating_sub(self.limit), asked))
    }

    fn link(&self, offset: usize, asked: &Asked) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        query.append_pair("offset", &offset.to_string());
        for (name, value) in [("name", &asked.name), ("uuid", &asked.uuid)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        format!("{PATH}?{}", query.finish())
    }
}

impl Asked {
    fn means(&self, entry: &Entry) -> bool {
        let document = &entry.document;
        let name = self.name.as_ref().is_none_or(|name| *name == document.name);
        let uuid = self.uuid.as_ref().is_none_or(|uuid| {
            let uuid = uuid.parse::<Uuid>();
            uuid.is_ok_and(|uuid| uuid == document.uuid)
        });
        name && uuid
    }
}
