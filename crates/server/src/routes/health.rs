//! `GET /healthz`: the process runs.

/// Answers as long as the process does; it says nothing of the store or the EHR.
pub(super) async fn health() -> &'static str {
    "ok\n"
}
