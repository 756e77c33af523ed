//! The address at which a browser found this server.

use axum::http::{HeaderMap, header, uri::Authority};

/// Scheme, name and port, as the browser's `Host` says; none where it says nothing usable.
/// The browser names itself what it asked for, and the answers are kept nowhere, so nobody
/// else can put another name in. A proxy has to pass it on.
pub(crate) fn own_origin(headers: &HeaderMap) -> Option<String> {
    let host = host(headers)?;
    // User names belong to no `Host`.
    let authority: Authority = host.parse().ok().filter(|_| !host.contains('@'))?;
    let scheme = if is_loopback(headers) {
        "http"
    } else {
        "https"
    };
    Some(format!("{scheme}://{authority}"))
}

/// Whether the browser is on this machine: plain HTTP is possible there and nowhere else,
/// and not every browser takes secure cookies over it.
pub(crate) fn is_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else {
        return false;
    };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(host: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        own_origin(&headers)
    }

    #[test]
    fn the_origin_is_the_one_that_the_browser_asked_for() {
        for (host, expected) in [
            ("visit.example.org", "https://visit.example.org"),
            ("visit.example.org:8443", "https://visit.example.org:8443"),
            ("localhost", "http://localhost"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("127.0.0.1.example.org", "https://127.0.0.1.example.org"),
        ] {
            assert_eq!(origin(host).as_deref(), Some(expected));
        }
        for host in ["", "a b", "a/b", "ada@example.org", "a\"b", "a<b"] {
            assert_eq!(origin(host), None, "{host}");
        }
        assert_eq!(own_origin(&HeaderMap::new()), None);
    }
}
