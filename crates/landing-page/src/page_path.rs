//! Under which paths the landing page stands, and which addresses below them are its.

use serde::{Deserialize, Serialize};

/// A folder of the server, such as `/webapp/`, with a slash at either end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PagePath(String);

/// Why a text is no such path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PagePathError {
    /// It has not the form of one.
    #[error(
        "write a path with a slash at either end, such as \"/webapp/\", of letters, digits, \
         hyphens and underscores"
    )]
    Form,
    /// The server answers something else there.
    #[error("\"/{folder}/\" is taken by the server itself: {reason}; choose another path")]
    Taken {
        /// The first name of the path.
        folder: &'static str,
        /// What is there.
        reason: &'static str,
    },
}

/// The folders, directly below the server's root, in which it answers something else.
const TAKEN: [(&str, &str); 4] = [
    ("api", "the launch API and the conferencing node are there"),
    ("healthz", "it says there that it runs"),
    (
        "policy",
        "Pexip Infinity asks its external policy server there",
    ),
    (
        "telehealth",
        "launches from Zoom's Epic integration come in there",
    ),
];

impl PagePath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether one of the two is inside the other, or they are the same.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }
}

impl Default for PagePath {
    fn default() -> Self {
        Self("/webapp/".to_owned())
    }
}

impl TryFrom<String> for PagePath {
    type Error = PagePathError;

    fn try_from(text: String) -> Result<Self, PagePathError> {
        let inner = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        let inner = inner.ok_or(PagePathError::Form)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let mut segments = inner.split('/');
        if !segments.all(|segment| !segment.is_empty() && segment.bytes().all(is_plain)) {
            return Err(PagePathError::Form);
        }
        let first = inner.split('/').next().unwrap_or_default();
        match TAKEN.iter().find(|(folder, _)| *folder == first) {
            Some(&(folder, reason)) => Err(PagePathError::Taken { folder, reason }),
            None => Ok(Self(text)),
        }
    }
}

impl From<PagePath> for String {
    fn from(path: PagePath) -> Self {
        path.0
    }
}

/// Whether the page itself stands at this address below one of its paths: the folder, and
/// the forms of join links that Pexip's web apps have read from the path.
///
/// `below` has no slash at its beginning.
pub fn is_page(below: &str) -> bool {
    let mut segments: Vec<&str> = below.split('/').collect();
    // A slash at the end of a join link says nothing.
    if segments.len() > 1 && segments.last().is_some_and(|last| last.is_empty()) {
        segments.pop();
    }
    match *segments.as_slice() {
        ["" | "index.html"] => !below.ends_with("html/"),
        ["home" | "m"] => true,
        ["conference" | "m", alias] => !alias.is_empty(),
        ["m", alias, "express" | "step-by-step"] => !alias.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_folder_of_plain_names() {
        for text in ["/webapp/", "/visit/", "/video/web-app_3/", "/telehealth2/"] {
            assert_eq!(PagePath::try_from(text.to_owned()).unwrap().as_str(), text);
        }
        for text in [
            "", "/", "//", "webapp/", "/webapp", "/a//b/", "/a{b}/", "/../", "/a b/", "/é/",
        ] {
            assert_eq!(
                PagePath::try_from(text.to_owned()),
                Err(PagePathError::Form),
                "{text}"
            );
        }
    }

    #[test]
    fn a_path_that_the_server_answers_itself_is_refused_with_the_reason() {
        for (text, reason) in [
            ("/api/", "launch API"),
            ("/api/client/", "conferencing node"),
            ("/healthz/", "that it runs"),
            ("/policy/v1/", "Pexip Infinity"),
            ("/telehealth/", "launches from Zoom"),
            ("/telehealth/visit/", "launches from Zoom"),
        ] {
            let refused = PagePath::try_from(text.to_owned()).unwrap_err();
            assert!(matches!(refused, PagePathError::Taken { .. }), "{text}");
            let told = refused.to_string();
            assert!(told.contains(reason), "{text}: {told}");
        }
    }

    /// The texts of the server's routes: each that begins with a slash is one.
    #[test]
    fn every_folder_that_a_route_of_the_server_is_in_is_taken() {
        for source in [
            include_str!("../../server/src/routes.rs"),
            include_str!("../../server/src/routes/event_sink.rs"),
            include_str!("../../server/src/routes/policy.rs"),
            include_str!("../../server/src/dialect/epic.rs"),
            include_str!("../../server/src/dialect/zoom.rs"),
            include_str!("../../server/src/backend/keys.rs"),
        ] {
            let routes = source.split("\"/").skip(1);
            let folders = routes.filter_map(|rest| rest.split(['/', '"']).next());
            let folders: Vec<_> = folders.filter(|folder| !folder.is_empty()).collect();
            assert!(!folders.is_empty(), "{source}");
            for folder in folders {
                let path = PagePath::try_from(format!("/{folder}/"));
                assert!(matches!(path, Err(PagePathError::Taken { .. })), "{folder}");
            }
        }
    }

    #[test]
    fn the_page_stands_where_join_links_lead() {
        for below in [
            "",
            "index.html",
            "home",
            "home/",
            "m",
            "m/",
            "conference/a@b",
            "conference/a%40b/",
            "m/a",
            "m/a/",
            "m/a/express",
            "m/a/step-by-step/",
        ] {
            assert!(is_page(below), "{below}");
        }
        for below in [
            "boot.js",
            "css/landing.css",
            "locales/es.json",
            "conference/",
            "m//",
            "conference/a/b",
            "m/a/b",
            "m//express",
            "conference",
            "index.html/",
            "homes",
            "x/index.html",
        ] {
            assert!(!is_page(below), "{below}");
        }
    }
}
