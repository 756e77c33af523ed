//! The configuration of the demo's services: written once with fresh secrets,
//! then the user's own; only addresses are brought up to date.

mod contents;
mod document;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use rand::CryptoRng;
use toml_edit::{ArrayOfTables, DocumentMut, Item};

use self::{
    contents::{Secrets, profile_text, sandbox_text, server_text},
    document::{edit, port_of, set, update, write},
};
use super::ports;

const SERVER_PORT: u16 = 7080;
const SANDBOX_PORT: u16 = 7081;

/// Configuration files that are ready to start with.
pub(super) struct Configuration {
    /// The data folder.
    pub(super) folder: PathBuf,
    /// `vestibule.toml`, the server's.
    pub(super) server: PathBuf,
    /// `sandbox.toml`, the sandbox's.
    pub(super) sandbox: PathBuf,
}

impl Configuration {
    /// The configuration in a data folder, written or not.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            server: folder.join("vestibule.toml"),
            sandbox: folder.join("sandbox.toml"),
        }
    }

    /// Free ports: the server's as asked for, or otherwise each service's of
    /// the last run where that is free.
    pub(super) fn choose_addresses(&self, port: Option<u16>) -> Result<Addresses> {
        let server = match port {
            Some(port) => ports::exactly(port)?,
            None => ports::preferably(port_of(&self.server)?.unwrap_or(SERVER_PORT), None)?,
        };
        let last_sandbox = port_of(&self.sandbox)?.unwrap_or(SANDBOX_PORT);
        let sandbox = ports::preferably(last_sandbox, Some(server))?;
        Ok(Addresses::local(server, sandbox))
    }

    /// Writes what is missing in the data folder, and brings addresses up to
    /// date in what is there.
    pub(super) fn write(
        &self,
        www: &Path,
        addresses: &Addresses,
        rng: &mut impl CryptoRng,
    ) -> Result<()> {
        let profile = self.folder.join("profile.toml");
        if !self.server.exists() {
            write(&self.server, &server_text(addresses)?)?;
        }
        match (profile.exists(), self.sandbox.exists()) {
            (true, true) => {}
            (false, false) => {
                let secrets = Secrets::generate(rng);
                write(&profile, &profile_text(addresses, &secrets)?)?;
                write(&self.sandbox, &sandbox_text(addresses, &secrets)?)?;
            }
            _ => bail!(
                "profile.toml and sandbox.toml in {} share their secrets, and one of them is \
                 missing; delete the other one too to have both made anew",
                self.folder.display()
            ),
        }
        edit(&self.server, |document| {
            set(document.get_mut("listen"), &addresses.server.to_string());
            // Always the page that was built just now, wherever this work tree is.
            set(document.get_mut("www"), &www.display().to_string());
        })?;
        edit(&profile, |document| addresses.update_profile(document))?;
        edit(&self.sandbox, |document| addresses.update_sandbox(document))
    }
}

/// Where the services listen.
pub(super) struct Addresses {
    server: SocketAddr,
    sandbox: SocketAddr,
}

impl Addresses {
    fn local(server: u16, sandbox: u16) -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            server: local(server),
            sandbox: local(sandbox),
        }
    }

    fn server_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server)
    }

    fn sandbox_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.sandbox)
    }

    fn update_profile(&self, document: &mut DocumentMut) {
        for key in [
            "infinity_webapp_server_base_url",
            "patient_oauth2_redirect_url",
            "provider_oauth2_redirect_url",
        ] {
            update(document.get_mut(key), self.server);
        }
        for key in [
            "telehealth_integration_base_url",
            "telehealth_integration_oauth2_base_api_url",
        ] {
            update(document.get_mut(key), self.sandbox);
        }
    }

    fn update_sandbox(&self, document: &mut DocumentMut) {
        set(document.get_mut("listen"), &self.sandbox.to_string());
        for key in ["provider_url", "patient_url"] {
            let launch = document.get_mut("launch");
            update(launch.and_then(|launch| launch.get_mut(key)), self.server);
        }
        let clients = document
            .get_mut("clients")
            .and_then(Item::as_array_of_tables_mut);
        for client in clients.into_iter().flat_map(ArrayOfTables::iter_mut) {
            update(client.get_mut("redirect_uri"), self.server);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use rand::{rand_core::UnwrapErr, rngs::SysRng};

    use super::*;

    fn prepare(folder: &Path, www: &str, server_port: u16) -> Result<()> {
        Configuration::in_folder(folder).write(
            Path::new(www),
            &Addresses::local(server_port, 7081),
            &mut UnwrapErr(SysRng),
        )
    }

    fn text(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap()
    }

    fn document(folder: &Path, name: &str) -> DocumentMut {
        text(folder, name).parse().unwrap()
    }

    fn string<'a>(document: &'a DocumentMut, key: &str) -> &'a str {
        document[key].as_str().unwrap()
    }

    #[test]
    fn profile_and_sandbox_agree_on_every_secret_and_address() {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path(), "/www", 7080).unwrap();
        let server = document(folder.path(), "vestibule.toml");
        let profile = document(folder.path(), "profile.toml");
        let sandbox = document(folder.path(), "sandbox.toml");

        let launch = &sandbox["launch"];
        assert_eq!(
            string(&profile, "epic_encryption_key"),
            launch["epic_encryption_key"].as_str().unwrap()
        );
        assert_eq!(
            string(&profile, "telehealth_integration_base_url"),
            format!("http://{}", string(&sandbox, "listen"))
        );
        assert_eq!(
            launch["provider_url"].as_str().unwrap(),
            format!(
                "http://{}/api/telehealth/v1/provider/oauth2smartlaunch/{}",
                string(&server, "listen"),
                string(&profile, "uuid")
            )
        );
        let clients = sandbox["clients"].as_array_of_tables().unwrap();
        assert_eq!(clients.len(), 2);
        for client in clients {
            let role = client["role"].as_str().unwrap();
            let same = |key: &str, there: String| {
                assert_eq!(client[key].as_str().unwrap(), string(&profile, &there));
            };
            same("client_id", format!("epic_{role}_app_client_id"));
            same("client_secret", format!("epic_{role}_app_client_secret"));
            same("redirect_uri", format!("{role}_oauth2_redirect_url"));
        }
    }

    #[test]
    fn secrets_are_fresh_whole_and_for_the_owner_only() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let keys = folders.each_ref().map(|folder| {
            prepare(folder.path(), "/www", 7080).unwrap();
            for name in ["vestibule.toml", "profile.toml", "sandbox.toml"] {
                let metadata = fs::metadata(folder.path().join(name)).unwrap();
                assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
            }
            let profile = document(folder.path(), "profile.toml");
            string(&profile, "epic_encryption_key").to_owned()
        });
        assert_eq!(BASE64_STANDARD.decode(&keys[0]).unwrap().len(), 32);
        assert_ne!(keys[0], keys[1]);
    }

    #[test]
    fn a_second_start_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["vestibule.toml", "profile.toml", "sandbox.toml"];
        prepare(folder.path(), "/www", 7080).unwrap();
        let before = names.map(|name| text(folder.path(), name));
        prepare(folder.path(), "/www", 7080).unwrap();
        assert_eq!(names.map(|name| text(folder.path(), name)), before);
    }

    #[test]
    fn a_new_port_stands_everywhere_and_nothing_else_changes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        prepare(folder, "/www", 7080).unwrap();
        let edited = text(folder, "profile.toml").replace("Healthcare Org", "Ours") + "# mine\n";
        fs::write(folder.join("profile.toml"), edited).unwrap();

        prepare(folder, "/elsewhere", 7090).unwrap();

        let server = document(folder, "vestibule.toml");
        assert_eq!(string(&server, "listen"), "127.0.0.1:7090");
        assert_eq!(string(&server, "www"), "/elsewhere");
        for name in ["vestibule.toml", "profile.toml", "sandbox.toml"] {
            assert!(!text(folder, name).contains("7080"), "{name}");
        }
        let profile = document(folder, "profile.toml");
        assert_eq!(
            string(&profile, "infinity_webapp_server_base_url"),
            "http://127.0.0.1:7090"
        );
        assert_eq!(string(&profile, "name"), "Ours");
        assert!(text(folder, "profile.toml").ends_with("# mine\n"));
    }

    #[test]
    fn addresses_of_other_machines_are_the_users_own() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        prepare(folder, "/www", 7080).unwrap();
        let mut profile = document(folder, "profile.toml");
        let key = "telehealth_integration_base_url";
        profile[key] = toml_edit::value("https://ehr.example.org/fhir");
        fs::write(folder.join("profile.toml"), profile.to_string()).unwrap();
        prepare(folder, "/www", 7080).unwrap();
        let profile = document(folder, "profile.toml");
        assert_eq!(string(&profile, key), "https://ehr.example.org/fhir");
    }

    #[test]
    fn a_port_of_the_last_run_is_taken_up_again() {
        let folder = tempfile::tempdir().unwrap();
        let last = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        prepare(folder.path(), "/www", last).unwrap();
        let configuration = Configuration::in_folder(folder.path());
        let addresses = configuration.choose_addresses(None).unwrap();
        assert_eq!(addresses.server.port(), last);
        assert_ne!(addresses.sandbox, addresses.server);
    }

    #[test]
    fn half_of_the_shared_secrets_is_not_completed_by_guessing() {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path(), "/www", 7080).unwrap();
        fs::remove_file(folder.path().join("sandbox.toml")).unwrap();
        let message = prepare(folder.path(), "/www", 7080)
            .err()
            .unwrap()
            .to_string();
        assert!(message.contains("delete the other one too"), "{message}");
    }
}
