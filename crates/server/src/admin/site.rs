//! Whether a request that changes something was sent by a page of this server.

use axum::http::{HeaderMap, HeaderName, header};
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the browser says so: by `Sec-Fetch-Site`, or, where it is too old for that, by
/// an `Origin` that names the host that was asked. One that says neither is not believed.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let origin = headers.get(header::ORIGIN).and_then(|it| it.to_str().ok());
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let (Some(origin), Some(host)) = (origin, host) else {
        return false;
    };
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    let Some((_, authority)) = origin.split_once("://") else {
        return false;
    };
    matches!(url.scheme(), "http" | "https") && authority.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_own_with(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_own(&headers)
    }

    #[test]
    fn only_pages_of_the_same_origin_are_believed() {
        let host = ("host", "admin.example.org");
        let own = ("origin", "https://admin.example.org");
        for pairs in [
            &[host, ("sec-fetch-site", "same-origin")][..],
            &[host, own],
            &[host, ("sec-fetch-site", "same-origin"), ("origin", "null")],
        ] {
            assert!(is_own_with(pairs), "{pairs:?}");
        }
        for pairs in [
            &[host][..],
            &[own],
            &[host, ("origin", "null")],
            &[host, ("origin", "https://evil.example.org")],
            &[host, ("origin", "https://admin.example.org:8443")],
            &[host, ("origin", "ftp://admin.example.org")],
            &[host, own, ("sec-fetch-site", "same-site")],
            &[host, own, ("sec-fetch-site", "cross-site")],
            &[host, own, ("sec-fetch-site", "none")],
        ] {
            assert!(!is_own_with(pairs), "{pairs:?}");
        }
    }
}
