//! `GET /smart-style.json`

use axum::{Json, response::IntoResponse};
use serde_json::json;

/// The look of the EHR, for applications that want to match it (SMART App
/// Launch 2.2, `smart_style_url`).
pub(super) async fn get() -> impl IntoResponse {
    Json(json!({
        "color_background": "#f4f7f7",
        "color_error": "#a3212b",
        "color_highlight": "#1f5f66",
        "color_modal_backdrop": "",
        "color_success": "#23703f",
        "color_text": "#17292b",
        "dim_border_radius": "8px",
        "dim_font_size": "16px",
        "dim_spacing_size": "16px",
        "font_family_body": "system-ui, sans-serif",
        "font_family_heading": "system-ui, sans-serif",
    }))
}
