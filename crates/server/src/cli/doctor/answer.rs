//! What to do where there is no answer.

use crate::http_client::TransportError;

/// What happened, without the layers that it went through.
pub(super) fn what(error: &TransportError) -> String {
    match error {
        TransportError::Dns(_) => "its name cannot be resolved".to_owned(),
        TransportError::Tls(text) => format!("no secure connection: {}", innermost(text)),
        TransportError::Unreachable(text) => format!("cannot be reached: {}", innermost(text)),
        TransportError::BrokenOff(text) => format!("broke off: {}", innermost(text)),
        TransportError::Timeout(_) | TransportError::TooLarge(_) => error.to_string(),
    }
}

fn innermost(text: &str) -> &str {
    let inside = text
        .rsplit_once("(Connect): ")
        .map_or(text, |(_, inside)| inside);
    inside
        .strip_prefix("error sending request: ")
        .unwrap_or(inside)
}

/// What an administrator does about it. `who` is who did not answer, such as `the EHR`.
pub(super) fn advice(error: &TransportError, who: &str) -> String {
    match error {
        TransportError::Dns(_) => {
            "correct the host name in the profile, or this machine's DNS".into()
        }
        TransportError::Tls(text) => tls_advice(text, who),
        TransportError::Timeout(_) | TransportError::Unreachable(_) => {
            format!("let this machine out to {who} through the firewall, and ask whether it is up")
        }
        TransportError::BrokenOff(_) => {
            format!("ask whoever runs {who}, or a proxy before it, why it closes the connection")
        }
        TransportError::TooLarge(_) => "check the URL: this is no answer of an API".to_owned(),
    }
}

/// The TLS library says what is wrong in English.
fn tls_advice(text: &str, who: &str) -> String {
    let text = text.to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if says(&[
        "unknownissuer",
        "unknown issuer",
        "causedasendentity",
        "self-signed",
    ]) {
        return format!(
            "its certificate is not signed by an authority that is trusted here: have {who} \
             serve its whole chain, or name the authority's certificate in trusted_certificates"
        );
    }
    if says(&["expired"]) {
        return format!(
            "its certificate has expired, or this machine's clock is wrong: have {who} renew it"
        );
    }
    if says(&["notvalidyet", "not valid yet", "not yet valid"]) {
        return "its certificate is not valid yet: set this machine's clock".to_owned();
    }
    if says(&["notvalidforname", "not valid for name"]) {
        return format!(
            "its certificate is for another name: correct the host name, or have {who} mend it"
        );
    }
    if says(&["protocol", "version"]) {
        return format!(
            "it does not speak TLS 1.2 or 1.3 here: check the port, or have {who} mend it"
        );
    }
    format!(
        "check that {who} speaks TLS 1.2 or 1.3 there, with a certificate that is valid for the name"
    )
}
