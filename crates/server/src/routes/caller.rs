//! Who asks: what a launch's routes need to know of a request beside its parameters.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};

use crate::{
    language, limits::Limited, profile::Profile, source_address::SourceAddress, state::AppState,
};

/// The sender of a request.
pub(super) struct Caller {
    /// Where it comes from.
    pub(super) source: SourceAddress,
    /// The language of pages for it, where they speak it.
    pub(super) language: Option<&'static str>,
    /// The headers.
    pub(super) headers: HeaderMap,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let rules = &state.launch_rules;
        let proxies = &rules.trusted_proxies;
        if proxies.ignores(&parts.extensions, &parts.headers) {
            rules.tell_of_a_proxy();
        }
        Ok(Self {
            source: proxies.source(&parts.extensions, &parts.headers),
            language: language::preferred(&parts.headers),
            headers: parts.headers.clone(),
        })
    }
}

impl Caller {
    /// Counts a launch.
    pub(super) async fn count_launch(
        &self,
        state: &AppState,
        profile: Option<&Profile>,
    ) -> Result<(), Limited> {
        let limits = &state.launch_rules.limits;
        let profile = profile.map(|profile| profile.uuid);
        limits.launch(&state.tools, self.source, profile).await
    }

    /// Counts a launch once more, because something was wrong with it that may have been
    /// tried out.
    pub(super) async fn count_wrong(&self, state: &AppState, profile: Option<&Profile>) {
        let limits = &state.launch_rules.limits;
        let profile = profile.map(|profile| profile.uuid);
        limits.wrong(&state.tools, self.source, profile).await;
    }
}
