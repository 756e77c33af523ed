//! Configuration for an nginx in front of a Connect web app: the landing page at its
//! paths, the launch API at Vestibule, everything else at the Conferencing Node.

use vestibule_landing_page::{
    NO_DEVICES, Origin, Page, content_security_policy, error_frame_policy, permissions_policy,
};

use super::config::BrandingConfig;

/// Addresses below a path at which the page itself stands, as join links have them.
const PAGES: &str =
    "(?:index\\.html|home/?|m/?|(?:conference|m)/[^/]+/?|m/[^/]+/(?:express|step-by-step)/?)?$";

/// What stands in `http { … }`.
pub(super) fn http(config: &BrandingConfig, page: &Page) -> String {
    let ancestors: Vec<&str> = config.frame_ancestors.iter().map(Origin::as_str).collect();
    let landing = content_security_policy(page, &config.landing_page, &ancestors);
    let error_frame = error_frame_policy(&ancestors);
    let permissions = permissions_policy(&config.landing_page);
    format!(
        "# For http {{ … }}. Made by `cargo xtask branding`.\n\
         \n\
         # Without the query: PINs and tokens stand there.\n\
         log_format vestibule '$remote_addr [$time_iso8601] $request_method $uri '\n\
         \x20                    '$status $body_bytes_sent $request_time';\n\
         \n\
         map $http_upgrade $vestibule_connection {{\n\
         \x20   default upgrade;\n\
         \x20   ''      '';\n\
         }}\n\
         \n\
         # A file with a hash in its name never changes.\n\
         map $uri $vestibule_kept {{\n\
         \x20   '~\\.[0-9a-f]{{10}}\\.[a-z0-9.]+$' 'public, max-age=31536000, immutable';\n\
         \x20   default                        no-cache;\n\
         }}\n\
         \n\
         map $uri $vestibule_policy {{\n\
         \x20   '~/error-frame\\.html$'\n\
         \x20       \"{error_frame}\";\n\
         \x20   default\n\
         \x20       \"{landing}\";\n\
         }}\n\
         \n\
         map $uri $vestibule_permissions {{\n\
         \x20   '~/error-frame\\.html$' \"{NO_DEVICES}\";\n\
         \x20   default              \"{permissions}\";\n\
         }}\n\
         \n\
         # A sign-in window must be able to hand its token back to the page.\n\
         map $uri $vestibule_opener {{\n\
         \x20   '~/error-frame\\.html$' same-origin;\n\
         \x20   default              same-origin-allow-popups;\n\
         }}\n"
    )
}

/// What stands in `server { … }`.
pub(super) fn server(config: &BrandingConfig) -> String {
    let NginxAddresses {
        root,
        vestibule,
        node,
        node_checks,
    } = NginxAddresses::of(config);
    let assets = config.landing_page.assets();
    let assets = assets.as_str();
    let mut text = "# For server { … }. Made by `cargo xtask branding`.\n".to_owned();
    for path in &config.landing_page.paths {
        let path = path.as_str();
        let folder = path.trim_end_matches('/');
        let others = if path == assets {
            String::new()
        } else {
            format!("    rewrite ^{path}(.*)$ {assets}$1 break;\n")
        };
        text.push_str(&format!(
            "\nlocation = {folder} {{\n\
             \x20   return 308 {path}$is_args$args;\n\
             }}\n\
             \n\
             location ^~ {path} {{\n\
             \x20   root {root};\n\
             \x20   # Join links lead to the page, in all their forms.\n\
             \x20   rewrite \"^{path}{PAGES}\" {assets}index.html break;\n\
             {others}\
             \x20   access_log off;\n\
             \x20   types {{\n\
             \x20       text/html html;\n\
             \x20       text/css css;\n\
             \x20       text/javascript js;\n\
             \x20       application/json json;\n\
             \x20       application/wasm wasm;\n\
             \x20       image/svg+xml svg;\n\
             \x20       image/png png;\n\
             \x20   }}\n\
             \x20   charset utf-8;\n\
             \x20   gzip_static on;\n\
             \x20   gzip_vary on;\n\
             \x20   add_header Cache-Control $vestibule_kept;\n\
             \x20   add_header Content-Security-Policy $vestibule_policy always;\n\
             \x20   add_header Permissions-Policy $vestibule_permissions always;\n\
             \x20   add_header Cross-Origin-Opener-Policy $vestibule_opener always;\n\
             \x20   add_header Referrer-Policy no-referrer always;\n\
             \x20   add_header X-Content-Type-Options nosniff always;\n\
             }}\n"
        ));
    }
    text.push_str(&format!(
        "\n# Launches. The address of who asks is told for the limits; name this server in\n\
         # trusted_proxies of vestibule.toml.\n\
         location /api/telehealth/ {{\n\
         \x20   proxy_pass {vestibule};\n\
         \x20   proxy_http_version 1.1;\n\
         \x20   proxy_set_header Host $http_host;\n\
         \x20   proxy_set_header Connection '';\n\
         \x20   proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         \x20   proxy_set_header X-Forwarded-Proto $scheme;\n\
         }}\n\
         \n\
         # The Connect web app and the client API. Events come one by one, so nothing is\n\
         # held back; media signalling may be on a WebSocket.\n\
         location / {{\n\
         \x20   proxy_pass {node};\n\
         \x20   proxy_http_version 1.1;\n\
         \x20   proxy_set_header Host $http_host;\n\
         \x20   proxy_set_header Upgrade $http_upgrade;\n\
         \x20   proxy_set_header Connection $vestibule_connection;\n\
         \x20   proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         \x20   proxy_set_header X-Forwarded-Proto $scheme;\n\
         {node_checks}\
         \x20   proxy_buffering off;\n\
         \x20   proxy_read_timeout 1h;\n\
         \x20   proxy_send_timeout 1h;\n\
         }}\n"
    ));
    text
}

struct NginxAddresses<'a> {
    root: &'a str,
    vestibule: &'a str,
    node: &'a str,
    /// The node's certificate is looked at where it has one.
    node_checks: String,
}

impl<'a> NginxAddresses<'a> {
    fn of(config: &'a BrandingConfig) -> Self {
        let node = config.nginx.node.as_str();
        let host = node.strip_prefix("https://").map(|authority| {
            let has_port = authority.rsplit_once(':');
            has_port
                .filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()))
                .map_or(authority, |(host, _)| host)
        });
        Self {
            root: &config.nginx.root,
            vestibule: config.nginx.vestibule.as_str(),
            node,
            node_checks: host.map_or_else(String::new, |host| {
                format!(
                    "    proxy_ssl_server_name on;\n\
                     \x20   proxy_ssl_name {host};\n\
                     \x20   proxy_ssl_verify on;\n\
                     \x20   proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;\n"
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;
    use vestibule_landing_page::is_page;

    use super::*;

    /// The segments that join links have, and others.
    const SEGMENTS: [&str; 13] = [
        "",
        "index.html",
        "home",
        "m",
        "conference",
        "express",
        "step-by-step",
        "a@b",
        "a%40b",
        "boot.js",
        "css",
        "homes",
        "a",
    ];

    /// Every address of at most so many segments. None has a slash at its beginning.
    fn addresses(most: usize) -> Vec<String> {
        let mut addresses: Vec<String> = SEGMENTS.map(str::to_owned).into();
        let mut longest = addresses.clone();
        longest.retain(|address| !address.is_empty());
        for _ in 1..most {
            let longer = longest
                .iter()
                .flat_map(|address| SEGMENTS.map(|segment| format!("{address}/{segment}")));
            longest = longer.collect();
            addresses.extend_from_slice(&longest);
        }
        addresses
    }

    #[test]
    fn the_page_stands_at_the_same_addresses_as_with_vestibule() {
        let pattern = Regex::new(&format!("^{PAGES}")).unwrap();
        // The longest form has three, and a slash at its end is one more.
        for below in addresses(4) {
            assert_eq!(pattern.is_match(&below), is_page(&below), "{below}");
        }
    }
}
