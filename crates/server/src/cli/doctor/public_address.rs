//! Whether the profile's public addresses lead to this server.

use http::{Method, Request, StatusCode, header};
use url::Url;
use vestibule_launch::EhrRole;

use super::{
    Finding, Outside,
    answer::{advice, what},
};
use crate::{http_client::TransportError, profile::ProfileDocument};

/// What is asked for at each address.
const WHO: &str = "this server's public address";

pub(super) async fn examine(outside: &Outside, document: &ProfileDocument) -> Vec<Finding> {
    let base: Option<Url> = document.infinity_webapp_server_base_url.parse().ok();
    let mut findings = Vec::new();
    for (check, role, url) in [
        (
            "patient redirect",
            EhrRole::Patient,
            &document.patient_oauth2_redirect_url,
        ),
        (
            "provider redirect",
            EhrRole::Provider,
            &document.provider_oauth2_redirect_url,
        ),
    ] {
        let Some(url) = url.as_deref().and_then(|url| url.parse::<Url>().ok()) else {
            continue;
        };
        findings.push(redirect(outside, check, role, &url, base.as_ref()).await);
    }
    if let Some(base) = base {
        findings.push(landing_page(outside, &base).await);
    }
    findings
}

/// A HEAD there is refused by this server in a way of its own, and takes no launch any
/// further; a GET without parameters tells whether it knows the profile.
async fn redirect(
    outside: &Outside,
    check: &'static str,
    role: EhrRole,
    url: &Url,
    base: Option<&Url>,
) -> Finding {
    let head = match ask(outside, Method::HEAD, url).await {
        Ok(head) => head,
        Err(error) => return unreachable(check, url, &error),
    };
    if head.status() != StatusCode::METHOD_NOT_ALLOWED || !is_ours(&head) {
        return Finding::fail(
            check,
            format!("something else than Vestibule answers at {url}"),
            "have DNS and the reverse proxy lead this path to the server, headers included",
        );
    }
    let get = match ask(outside, Method::GET, url).await {
        Ok(get) => get,
        Err(error) => return unreachable(check, url, &error),
    };
    if get.status() == StatusCode::NOT_FOUND {
        return Finding::fail(
            check,
            format!("the server at {url} does not know the profile"),
            "send it SIGHUP, or correct the address",
        );
    }
    if base.is_some_and(|base| base.origin() != url.origin()) {
        return Finding::warn(
            check,
            format!("{url} is another host than infinity_webapp_server_base_url"),
            "use one, unless two are meant",
        );
    }
    Finding::ok(
        check,
        format!(
            "{url} leads here; register it for {}s as it is",
            role.as_str()
        ),
    )
}

async fn landing_page(outside: &Outside, base: &Url) -> Finding {
    let check = "landing page";
    let url = format!("{}/webapp/", base.as_str().trim_end_matches('/'));
    let Ok(url) = url.parse::<Url>() else {
        return Finding::fail(check, "no URL", "correct infinity_webapp_server_base_url");
    };
    match ask(outside, Method::GET, &url).await {
        Err(error) => unreachable(check, &url, &error),
        Ok(page) if page.status() == StatusCode::OK => Finding::ok(check, format!("{url} answers")),
        Ok(page) => Finding::warn(
            check,
            format!("{url} answers with status {}", page.status().as_u16()),
            "have the reverse proxy pass /webapp/ on, unless join links lead elsewhere",
        ),
    }
}

async fn ask(
    outside: &Outside,
    method: Method,
    url: &Url,
) -> Result<http::Response<Vec<u8>>, TransportError> {
    let mut request = Request::new(Vec::new());
    *request.method_mut() = method;
    *request.uri_mut() = url
        .as_str()
        .parse()
        .map_err(|_| TransportError::Unreachable("no URL".to_owned()))?;
    outside.send_long(request, 1024 * 1024).await
}

/// Behind a firewall a server often cannot reach its own public address.
fn unreachable(check: &'static str, url: &Url, error: &TransportError) -> Finding {
    let text = format!("{url}: {}", what(error));
    match error {
        TransportError::Timeout(_) | TransportError::Unreachable(_) => Finding::warn(
            check,
            format!("{text} from this machine"),
            "open it from outside: it should say that something went wrong, with a request id",
        ),
        _ => Finding::fail(check, text, advice(error, WHO)),
    }
}

/// Every answer of this server has these.
fn is_ours(answer: &http::Response<Vec<u8>>) -> bool {
    let has = |name, part: &str| {
        let value = answer.headers().get(name);
        let value = value.and_then(|value: &http::HeaderValue| value.to_str().ok());
        value.is_some_and(|value| value.contains(part))
    };
    has(header::CONTENT_SECURITY_POLICY, "default-src 'none'")
        && has(header::REFERRER_POLICY, "no-referrer")
}
