//! The landing page with this hospital's configuration in it, made once as the server
//! starts.

use std::{fs, io, path::PathBuf};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use sha2::{Digest as _, Sha256};
use vestibule_landing_page::{
    ApplyError, Configuration, LogoError, Page, PagePath, apply, brotli, content_security_policy,
    gzip, permissions_policy,
};

use crate::{
    config::{Config, FrameAncestor},
    page_files::PageFiles,
};

/// The page itself.
const INDEX: &str = "index.html";

/// The landing page as this server serves it.
#[derive(Clone, Debug)]
pub struct LandingPage {
    files: PageFiles,
    configuration: Configuration,
    page: Page,
    plain: Representation,
    /// Those that are smaller, the smallest first.
    compressed: Vec<Representation>,
}

/// The page in one encoding.
#[derive(Clone, Debug)]
struct Representation {
    /// As `Content-Encoding` names it; none of the page itself.
    encoding: Option<&'static str>,
    body: Bytes,
    etag: HeaderValue,
}

/// Why there is no landing page.
#[derive(Debug, thiserror::Error)]
pub enum LandingPageError {
    /// No folder is named, and the program has no page in it.
    #[error("www: name the folder of the landing page; this program was built without one")]
    NotNamed,
    /// The folder has no page in it.
    #[error("www: {path} is not a folder with an index.html; build the landing page first", path = .0.display())]
    Missing(PathBuf),
    /// The page is there and cannot be read, or not compressed.
    #[error("www: {path}: {source}; check its permissions", path = path.display())]
    Unreadable {
        /// The page.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not the page that was built.
    #[error("www: {path}: {fault}; build the landing page anew", path = path.display())]
    NotOurs {
        /// The page.
        path: PathBuf,
        /// What it lacks.
        fault: ApplyError,
    },
    /// The logo cannot be shown.
    #[error("landing_page.{0}")]
    Logo(#[from] LogoError),
}

impl LandingPage {
    /// The page as the server's configuration has it.
    ///
    /// # Errors
    /// Where none is named, or a file cannot be read or is not what it should be.
    pub fn of(config: &Config) -> Result<Self, LandingPageError> {
        let files = config.www.clone().ok_or(LandingPageError::NotNamed)?;
        Self::read(files, &config.landing_page)
    }

    /// Reads the page in `www` and the logo, and puts the configuration in.
    ///
    /// # Errors
    /// Where a file cannot be read or is not what it should be.
    pub fn read(
        www: impl Into<PageFiles>,
        configuration: &Configuration,
    ) -> Result<Self, LandingPageError> {
        let files = www.into();
        let path = files.place(INDEX);
        if !files.has(INDEX) {
            return Err(LandingPageError::Missing(files.place("")));
        }
        let unreadable = |source| LandingPageError::Unreadable {
            path: path.clone(),
            source,
        };
        let index_html = files.text(INDEX).map_err(unreadable)?;
        let logo = configuration.logo.as_ref();
        let logo = logo
            .map(|logo| logo.load(|path| fs::read(path)))
            .transpose()?;
        let page = apply(&index_html, configuration, logo.as_ref()).map_err(|fault| {
            LandingPageError::NotOurs {
                path: path.clone(),
                fault,
            }
        })?;
        let html = page.html.as_bytes();
        let brotli = brotli(html).map_err(unreadable)?;
        let gzip = gzip(html).map_err(unreadable)?;
        let mut compressed = vec![
            Representation::new(Some("br"), brotli),
            Representation::new(Some("gzip"), gzip),
        ];
        compressed.retain(|smaller| smaller.body.len() < html.len());
        compressed.sort_by_key(|representation| representation.body.len());
        Ok(Self {
            files,
            configuration: configuration.clone(),
            plain: Representation::new(None, html.to_vec()),
            page,
            compressed,
        })
    }

    /// What the hospital says of it.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Where its files are.
    pub fn files(&self) -> &PageFiles {
        &self.files
    }

    /// Where it stands.
    pub fn paths(&self) -> &[PagePath] {
        &self.configuration.paths
    }

    /// The Content-Security-Policy of the page and its files.
    pub fn policy(&self, frame_ancestors: &[FrameAncestor]) -> String {
        let ancestors: Vec<_> = frame_ancestors.iter().map(FrameAncestor::as_str).collect();
        content_security_policy(&self.page, &self.configuration, &ancestors)
    }

    /// The Permissions-Policy of the page.
    pub fn permissions(&self) -> &'static str {
        permissions_policy(&self.configuration)
    }

    /// The page, in the smallest form that the browser takes; a 304 where it has it.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let is_taken = |representation: &&Representation| {
            representation
                .encoding
                .is_some_and(|encoding| takes(headers, encoding))
        };
        let chosen = self.compressed.iter().find(is_taken).unwrap_or(&self.plain);
        let known = headers.get_all(header::IF_NONE_MATCH).iter();
        let mut known = known.filter_map(|value| value.to_str().ok());
        let etag = chosen.etag.to_str().unwrap_or_default();
        let is_known = known.any(|tags| {
            let mut tags = tags.split(',').map(str::trim);
            tags.any(|tag| tag.trim_start_matches("W/") == etag)
        });
        let mut response = Response::new(if is_known {
            Body::empty()
        } else {
            Body::from(chosen.body.clone())
        });
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::ETAG, chosen.etag.clone());
        for (name, value) in [
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::VARY, "accept-encoding"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(encoding) = chosen.encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

impl Representation {
    fn new(encoding: Option<&'static str>, body: Vec<u8>) -> Self {
        let hash: String = Sha256::digest(&body)
            .iter()
            .take(10)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            encoding,
            body: body.into(),
            etag: HeaderValue::from_str(&format!("\"{hash}\""))
                .expect("hexadecimal digits are visible ASCII"),
        }
    }
}

/// Whether `Accept-Encoding` names this encoding, and not with a weight of nothing
/// (RFC 9110 section 12.5.3). A star does not count: who says no more gets the page as
/// it is.
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| {
            let (name, weight) = part.split_once(';').unwrap_or((part, "q=1"));
            let weight = weight.trim().trim_start_matches("q=");
            let is_nothing = weight.chars().all(|digit| matches!(digit, '0' | '.'));
            name.trim().eq_ignore_ascii_case(encoding) && !is_nothing
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
        headers
    }

    #[test]
    fn an_encoding_is_used_where_it_is_wanted() {
        for (value, encoding, taken) in [
            ("gzip, deflate, br, zstd", "br", true),
            ("gzip;q=0.5 , BR;q=1.0", "br", true),
            ("br;q=0", "br", false),
            ("br; q=0.000", "br", false),
            ("gzip", "br", false),
            ("*", "br", false),
            ("", "gzip", false),
            ("brotli", "br", false),
        ] {
            assert_eq!(takes(&accepting(value), encoding), taken, "{value}");
        }
        assert!(!takes(&HeaderMap::new(), "br"));
    }

    #[test]
    fn a_folder_without_the_page_and_a_page_of_others_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let read = || LandingPage::read(folder.path().to_owned(), &Configuration::default());
        let missing = read().unwrap_err();
        assert!(matches!(missing, LandingPageError::Missing(_)), "{missing}");
        fs::write(folder.path().join("index.html"), "Welcome to nginx!").unwrap();
        let other = read().unwrap_err().to_string();
        assert!(
            other.contains("index.html: the page has no </head>"),
            "{other}"
        );
        fs::write(folder.path().join("index.html"), b"\xff").unwrap();
        let unreadable = read().unwrap_err();
        assert!(
            matches!(unreadable, LandingPageError::Unreadable { .. }),
            "{unreadable}"
        );
    }
}
