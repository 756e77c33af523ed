//! Where the demo's services listen, and every place in the configuration that says so.

use std::net::SocketAddr;

use toml_edit::{ArrayOfTables, DocumentMut, Item};

use super::document::{set, update};

/// Addresses of the server and of the sandbox in a telehealth profile.
const SERVER_IN_PROFILES: [&str; 3] = [
    "infinity_webapp_server_base_url",
    "patient_oauth2_redirect_url",
    "provider_oauth2_redirect_url",
];
const SANDBOX_IN_PROFILES: [&str; 7] = [
    "telehealth_integration_base_url",
    "telehealth_integration_oauth2_base_api_url",
    "epic_backend_oauth2_app_token_endpoint_url",
    "direct_links.url",
    "write_back.url",
    "end_of_call.url",
    "zoom.notification.url",
];

/// Addresses of the server in `sandbox.toml`, beside those of the applications.
const SERVER_IN_SANDBOX: [&str; 5] = [
    "launch.provider_url",
    "launch.patient_url",
    "launch.provider_direct_url",
    "launch.guest_direct_url",
    "zoom.url",
];
const SERVER_IN_CLIENTS: [&str; 2] = ["redirect_uri", "jwks_url"];

/// Where the services listen.
pub(in super::super) struct Addresses {
    pub(super) server: SocketAddr,
    pub(super) sandbox: SocketAddr,
}

impl Addresses {
    pub(super) fn local(server: u16, sandbox: u16) -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            server: local(server),
            sandbox: local(sandbox),
        }
    }

    pub(super) fn server_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server)
    }

    pub(super) fn sandbox_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.sandbox)
    }

    /// Brings a telehealth profile up to date.
    pub(super) fn update_profile(&self, document: &mut DocumentMut) {
        for path in SERVER_IN_PROFILES {
            update(at(document, path), self.server);
        }
        for path in SANDBOX_IN_PROFILES {
            update(at(document, path), self.sandbox);
        }
    }

    /// Brings `sandbox.toml` up to date.
    pub(super) fn update_sandbox(&self, document: &mut DocumentMut) {
        set(document.get_mut("listen"), &self.sandbox.to_string());
        for path in SERVER_IN_SANDBOX {
            update(at(document, path), self.server);
        }
        let clients = document
            .get_mut("clients")
            .and_then(Item::as_array_of_tables_mut);
        for client in clients.into_iter().flat_map(ArrayOfTables::iter_mut) {
            for key in SERVER_IN_CLIENTS {
                update(client.get_mut(key), self.server);
            }
        }
    }
}

/// What stands at a path such as `launch.patient_url`.
fn at<'a>(document: &'a mut DocumentMut, path: &str) -> Option<&'a mut Item> {
    path.split('.')
        .try_fold(document.as_item_mut(), |item, key| {
            // An item's own `get_mut` makes what is missing.
            item.as_table_like_mut()?.get_mut(key)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[launch]\npatient_url = \"http://127.0.0.1:1/a\"\n";

    #[test]
    fn what_is_missing_is_not_made() {
        let mut document: DocumentMut = TEXT.parse().unwrap();
        let addresses = Addresses::local(7080, 7081);
        addresses.update_profile(&mut document);
        assert_eq!(document.to_string(), TEXT);
        addresses.update_sandbox(&mut document);
        assert_eq!(document.to_string(), TEXT.replace(":1/", ":7080/"));
    }
}
