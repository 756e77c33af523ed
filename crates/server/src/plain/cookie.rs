//! The cookie that holds a visit, sealed.

use axum::http::{HeaderMap, HeaderValue, header};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use uuid::Uuid;

use super::{Visit, VisitFault, own_address::is_loopback};
use crate::{sealing::Purpose, tools::Tools};

/// Where the pages of these visits are, and the only place that the cookie is sent to.
pub const PATH: &str = "/api/telehealth/v1/launch/plain";

const NAME: &str = "vestibule-plain";

/// Longest value of the cookie. Browsers keep 4096 bytes of a cookie, its name and
/// attributes included.
const LONGEST: usize = 3_800;

/// Most cookies of a request that are tried: a browser sends one.
const MOST: usize = 4;

/// The visit of the browser that sent these headers.
pub(crate) fn read(tools: &Tools, headers: &HeaderMap) -> Option<Visit> {
    let visit: Visit = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, value)| *name == NAME && value.len() <= LONGEST)
        .take(MOST)
        .find_map(|(_, value)| {
            let sealed = Base64UrlUnpadded::decode_vec(value).ok()?;
            let sealer = &tools.sealer;
            sealer.open(Purpose::Plain, Uuid::nil(), b"", &sealed).ok()
        })?;
    (!visit.is_over(tools.now())).then_some(visit)
}

/// The `Set-Cookie` by which the browser keeps a visit: until it is closed, and no longer
/// than what is sealed says.
///
/// # Errors
/// Where no cookie can hold it: the node's token is far longer than any known one.
pub(crate) fn remember(
    tools: &Tools,
    headers: &HeaderMap,
    visit: &Visit,
) -> Result<HeaderValue, VisitFault> {
    let sealed = tools.random.with(|rng| {
        tools
            .sealer
            .seal(Purpose::Plain, Uuid::nil(), b"", visit, rng)
    });
    let value = Base64UrlUnpadded::encode_string(&sealed);
    if value.len() > LONGEST {
        return Err(VisitFault::Malformed);
    }
    Ok(set(headers, &value, ""))
}

/// The `Set-Cookie` by which the browser forgets its visit.
pub(crate) fn forget(headers: &HeaderMap) -> HeaderValue {
    set(headers, "", "; Max-Age=0")
}

fn set(headers: &HeaderMap, value: &str, life: &str) -> HeaderValue {
    let secure = if is_loopback(headers) { "" } else { "; Secure" };
    let text = format!("{NAME}={value}; Path={PATH}{life}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::try_from(text).expect("all of it is visible ASCII");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_secure_everywhere_but_on_the_machine_itself() {
        for (host, secure) in [
            (Some("localhost"), false),
            (Some("127.0.0.1:8080"), false),
            (Some("[::1]:8080"), false),
            (Some("visit.example.org"), true),
            (Some("localhost.example.org"), true),
            (Some("127.0.0.1.example.org:443"), true),
            (None, true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, host.parse().unwrap());
            }
            let cookie = forget(&headers);
            let cookie = cookie.to_str().unwrap();
            assert_eq!(cookie.ends_with("; Secure"), secure, "{host:?}");
            assert!(cookie.contains(
                "Path=/api/telehealth/v1/launch/plain; Max-Age=0; HttpOnly; SameSite=Strict"
            ));
        }
    }
}
