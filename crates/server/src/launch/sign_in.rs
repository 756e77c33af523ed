//! How the browser gets to the EHR's sign-in.

use std::fmt;

use url::Url;
use vestibule_smart::{AuthorizeRequest, Metadata};

/// Longest URL that every EHR and everything on the way to it takes, in bytes.
const LONGEST_URL: usize = 2_000;

/// The authorization request, as the browser is to send it. It carries the EHR's launch
/// token: `Debug` shows where it goes and no more.
pub enum SignInRequest {
    /// The browser is redirected there.
    Redirect(Url),
    /// The browser posts a form.
    Form {
        /// Where it goes.
        action: Url,
        /// What is in it.
        fields: Vec<(&'static str, String)>,
    },
}

impl SignInRequest {
    /// A redirect; a form where the URL would be too long, or the profile wants one,
    /// and the EHR takes it.
    pub(super) fn new(request: &AuthorizeRequest<'_>, metadata: &Metadata, by_post: bool) -> Self {
        let url = request.url(metadata);
        if !metadata.authorize_post() || !(by_post || url.as_str().len() > LONGEST_URL) {
            return Self::Redirect(url);
        }
        let form = request.form(metadata);
        let fields = form.fields.into_iter();
        Self::Form {
            action: form.action.clone(),
            fields: fields
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
        }
    }
}

impl fmt::Debug for SignInRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, url) = match self {
            Self::Redirect(url) => ("Redirect", url),
            Self::Form { action, .. } => ("Form", action),
        };
        f.debug_tuple(kind).field(&url.host_str()).finish()
    }
}
