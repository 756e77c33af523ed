//! Which URLs may carry secrets.

use url::{Host, Url};

/// The longest URL that is taken from metadata or a profile, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// Whether requests to `url` are protected on their way: https, or http on
/// loopback. URLs with user names are out because they mislead who reads them,
/// and URLs longer than 2048 bytes because nothing here needs one.
pub fn is_protected(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let user = !url.username().is_empty() || url.password().is_some();
    scheme && !user && url.as_str().len() <= MAX_URL_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected(url: &str) -> bool {
        is_protected(&url.parse().unwrap())
    }

    #[test]
    fn https_is_protected_and_http_on_loopback_only() {
        for url in [
            "https://ehr.example/x?y#z",
            "http://localhost:8080/",
            "http://127.1.2.3/",
            "http://[::1]:1/",
        ] {
            assert!(protected(url), "{url}");
        }
        for url in [
            "http://ehr.example/",
            "http://localhost.ehr.example/",
            "http://[::2]/",
            "ftp://ehr.example/",
            "data:,x",
            "javascript:alert(1)",
        ] {
            assert!(!protected(url), "{url}");
        }
    }

    #[test]
    fn user_names_and_overlong_urls_are_out() {
        assert!(!protected("https://user@ehr.example/"));
        assert!(!protected("https://:password@ehr.example/"));
        let url = |length: usize| format!("https://e.example/{}", "x".repeat(length - 18));
        assert!(protected(&url(2048)) && !protected(&url(2049)));
    }
}
