//! The policies under which the page runs, for every server that serves it.

use crate::{Configuration, DeviceCheck, Origin, Page};

/// The Permissions-Policy of every page that has nothing to do with camera and microphone.
pub const NO_DEVICES: &str = "camera=(), microphone=()";

/// The Content-Security-Policy of the landing page and its files: its own scripts,
/// styles and images, WebAssembly, the configured servers, and nothing else.
///
/// `frame_ancestors` are the origins that may embed it; none means nobody.
pub fn content_security_policy(
    page: &Page,
    configuration: &Configuration,
    frame_ancestors: &[&str],
) -> String {
    let script: String = page
        .script_hashes
        .iter()
        .map(|hash| source(Some(hash)))
        .collect();
    let style = source(page.style_hash.as_deref());
    let launch_api = source(configuration.launch_api.as_ref().map(Origin::as_str));
    let node = source(configuration.node.as_ref().map(Origin::as_str));
    // A form without script is answered by a redirect to the web app, which browsers
    // hold against form-action too.
    let connect = source(
        configuration
            .connect
            .as_ref()
            .map(|connect| connect.base.origin()),
    );
    let ancestors = match frame_ancestors {
        [] => "'none'".to_owned(),
        origins => origins.join(" "),
    };
    // 'wasm-unsafe-eval' lets WebAssembly compile, and nothing else.
    format!(
        "default-src 'none'; script-src 'self'{script} 'wasm-unsafe-eval'; \
         style-src 'self'{style}; img-src 'self' data:; connect-src 'self'{node}{launch_api}; \
         frame-src 'self'; base-uri 'none'; form-action 'self'{launch_api}{connect}; \
         require-trusted-types-for 'script'; trusted-types vestibule; \
         frame-ancestors {ancestors}"
    )
}

/// The Content-Security-Policy of the frame in which the page shows a profile's error
/// page: no script, and styles as templates bring them.
pub fn error_frame_policy(frame_ancestors: &[&str]) -> String {
    // Every ancestor counts, so those of the landing page are named here too.
    let mut ancestors = vec!["'self'"];
    ancestors.extend(frame_ancestors);
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors {}",
        ancestors.join(" ")
    )
}

/// The Permissions-Policy of the landing page: camera and microphone for the device
/// check, where there is one. A page that embeds it has to let it have them by `allow`.
pub fn permissions_policy(configuration: &Configuration) -> &'static str {
    match configuration.device_check {
        DeviceCheck::Off => NO_DEVICES,
        DeviceCheck::Offer | DeviceCheck::Before => "camera=(self), microphone=(self)",
    }
}

/// One more source, after a space.
fn source(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(" {text}"))
}
