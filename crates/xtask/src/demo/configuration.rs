//! The configuration of the demo's services: written once with fresh secrets,
//! then the user's own; only addresses are brought up to date.

mod addresses;
mod contents;
mod document;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use rand::CryptoRng;

pub(super) use self::addresses::Addresses;
use self::{
    contents::{Secrets, profile_text, sandbox_text, server_text, zoom_profile_text},
    document::{edit, has_key, port_of, set, write},
};
use super::ports;

const SERVER_PORT: u16 = 7080;
const SANDBOX_PORT: u16 = 7081;

/// The files of the data folder.
const SERVER: &str = "vestibule.toml";
const SANDBOX: &str = "sandbox.toml";
const PROFILE: &str = "profiles/healthcare-org.toml";
const ZOOM_PROFILE: &str = "profiles/zoom.toml";

/// Those that share secrets with one another.
const SHARING: [&str; 3] = [SANDBOX, PROFILE, ZOOM_PROFILE];

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
    pub(super) fn in_folder(folder: &Path) -> Result<Self> {
        let configuration = Self {
            folder: folder.to_path_buf(),
            server: folder.join(SERVER),
            sandbox: folder.join(SANDBOX),
        };
        if folder.join("profile.toml").exists() || has_key(&configuration.server, "profile")? {
            bail!(
                "{} is from an earlier version of the demo, which kept its profile elsewhere; \
                 delete the folder to have it made anew, or give this demo another --data",
                folder.display()
            );
        }
        configuration.has_secrets()?;
        Ok(configuration)
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
        let [profile, zoom_profile] = [PROFILE, ZOOM_PROFILE].map(|name| self.folder.join(name));
        if !self.server.exists() {
            write(&self.server, &server_text(addresses)?)?;
        }
        if !self.has_secrets()? {
            let secrets = Secrets::generate(rng)?;
            write(&profile, &profile_text(addresses, &secrets)?)?;
            write(&zoom_profile, &zoom_profile_text(addresses, &secrets)?)?;
            write(&self.sandbox, &sandbox_text(addresses, &secrets)?)?;
        }
        edit(&self.server, |document| {
            set(document.get_mut("listen"), &addresses.server.to_string());
            // Always the page that was built just now, wherever this work tree is.
            set(document.get_mut("www"), &www.display().to_string());
        })?;
        for profile in [profile, zoom_profile] {
            edit(&profile, |document| addresses.update_profile(document))?;
        }
        edit(&self.sandbox, |document| addresses.update_sandbox(document))
    }

    /// Whether the files that share secrets are there: all of them or none.
    fn has_secrets(&self) -> Result<bool> {
        let (there, missing): (Vec<_>, Vec<_>) = SHARING
            .into_iter()
            .partition(|name| self.folder.join(name).exists());
        if !there.is_empty() && !missing.is_empty() {
            bail!(
                "in {} {} is missing, and its secrets are also in {}; delete that too to have \
                 all of it made anew",
                self.folder.display(),
                missing.join(" and "),
                there.join(" and ")
            );
        }
        Ok(missing.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use rand::{rand_core::UnwrapErr, rngs::SysRng};
    use toml_edit::{DocumentMut, Item};
    use vestibule_smart::AssertionKey;

    use super::*;

    const ALL: [&str; 4] = [SERVER, SANDBOX, PROFILE, ZOOM_PROFILE];

    fn prepare(folder: &Path, www: &str, server_port: u16) -> Result<()> {
        Configuration::in_folder(folder)?.write(
            Path::new(www),
            &Addresses::local(server_port, server_port + 1),
            &mut UnwrapErr(SysRng),
        )
    }

    fn text(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap()
    }

    fn document(folder: &Path, name: &str) -> DocumentMut {
        text(folder, name).parse().unwrap()
    }

    fn string<'a>(document: &'a DocumentMut, path: &str) -> &'a str {
        let mut keys = path.split('.');
        let item = keys.try_fold(document.as_item(), |item, key| item.get(key));
        item.and_then(Item::as_str)
            .unwrap_or_else(|| panic!("no text at {path}"))
    }

    #[test]
    fn profiles_and_sandbox_agree_on_every_secret_and_address() {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path(), "/www", 7080).unwrap();
        let [server, sandbox, profile, zoom_profile] =
            ALL.map(|name| document(folder.path(), name));
        for (of_profile, of_sandbox) in [
            ("epic_encryption_key", "launch.epic_encryption_key"),
            ("write_back.authentication.username", "status.username"),
            ("write_back.authentication.password", "status.password"),
            ("write_back.epic_client_id", "status.client_id"),
            (
                "end_of_call.authentication.username",
                "end_of_call.username",
            ),
            (
                "end_of_call.authentication.password",
                "end_of_call.password",
            ),
        ] {
            let same = string(&profile, of_profile) == string(&sandbox, of_sandbox);
            assert!(same, "{of_profile}, {of_sandbox}");
        }
        for (of_profile, of_sandbox) in [
            ("zoom.org_id", "zoom.org_id"),
            ("zoom.api_secret", "zoom.api_secret"),
            ("zoom.notification.username", "zoom.notification_username"),
            ("zoom.notification.password", "zoom.notification_password"),
        ] {
            let same = string(&zoom_profile, of_profile) == string(&sandbox, of_sandbox);
            assert!(same, "{of_profile}, {of_sandbox}");
        }

        let at_server = |path: &str| format!("http://{}{path}", string(&server, "listen"));
        let at_sandbox = |path: &str| format!("http://{}{path}", string(&sandbox, "listen"));
        let uuid = string(&profile, "uuid");
        let of_uuid = |path: &str| at_server(&format!("/api/telehealth/v1/{path}/{uuid}"));
        for (key, path) in [
            ("launch.provider_url", "provider/oauth2smartlaunch"),
            ("launch.patient_url", "patient/oauth2smartlaunch"),
            ("launch.provider_direct_url", "provider/directlaunch"),
            ("launch.guest_direct_url", "patient/directlaunch"),
        ] {
            assert_eq!(string(&sandbox, key), of_uuid(path));
        }
        assert_eq!(string(&sandbox, "zoom.url"), at_server("/telehealth"));
        assert_eq!(
            string(&profile, "telehealth_integration_base_url"),
            at_sandbox("")
        );
        assert_eq!(
            string(&profile, "end_of_call.url"),
            at_sandbox(string(&sandbox, "end_of_call.path"))
        );
        for (name, field) in sandbox["launch"]["token_fields"].as_table().unwrap() {
            let mut map = profile["token_response_map"].as_table().unwrap().iter();
            assert!(map.any(|(_, used)| used.as_str() == Some(name)), "{name}");
            assert!(["{user}", "{csn}"].contains(&field.as_str().unwrap()));
        }
        assert_ne!(uuid, string(&zoom_profile, "uuid"));

        let clients = sandbox["clients"].as_array_of_tables().unwrap();
        assert_eq!(clients.len(), 3);
        for client in clients {
            let role = client["role"].as_str().unwrap();
            let same = |key: &str, there: &str| {
                assert_eq!(client[key].as_str().unwrap(), string(&profile, there));
            };
            if role == "backend" {
                same("client_id", "epic_backend_oauth2_app_client_id");
                assert_eq!(client["jwks_url"].as_str().unwrap(), of_uuid("jwks"));
                continue;
            }
            same("client_id", &format!("epic_{role}_app_client_id"));
            same("client_secret", &format!("epic_{role}_app_client_secret"));
            same("redirect_uri", &format!("{role}_oauth2_redirect_url"));
        }
    }

    #[test]
    fn secrets_are_fresh_whole_and_for_the_owner_only() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let keys = folders.each_ref().map(|folder| {
            prepare(folder.path(), "/www", 7080).unwrap();
            for name in ALL {
                let metadata = fs::metadata(folder.path().join(name)).unwrap();
                assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
            }
            let profile = document(folder.path(), PROFILE);
            let private_key = string(&profile, "epic_backend_oauth2_app_private_key");
            assert!(AssertionKey::from_pem(private_key).is_ok());
            ["epic_encryption_key", "epic_backend_oauth2_app_private_key"]
                .map(|key| string(&profile, key).to_owned())
        });
        assert_eq!(BASE64_STANDARD.decode(&keys[0][0]).unwrap().len(), 32);
        assert_ne!(keys[0][0], keys[1][0]);
        assert_ne!(keys[0][1], keys[1][1]);
    }

    #[test]
    fn a_second_start_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path(), "/www", 7080).unwrap();
        let before = ALL.map(|name| text(folder.path(), name));
        prepare(folder.path(), "/www", 7080).unwrap();
        assert_eq!(ALL.map(|name| text(folder.path(), name)), before);
    }

    #[test]
    fn a_new_port_stands_everywhere_and_nothing_else_changes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        prepare(folder, "/www", 7080).unwrap();
        let edited = text(folder, PROFILE).replace("Healthcare Org", "Ours") + "# mine\n";
        fs::write(folder.join(PROFILE), edited).unwrap();

        prepare(folder, "/elsewhere", 7090).unwrap();

        let server = document(folder, SERVER);
        assert_eq!(string(&server, "listen"), "127.0.0.1:7090");
        assert_eq!(string(&server, "www"), "/elsewhere");
        for name in ALL {
            assert!(!text(folder, name).contains(":708"), "{name}");
        }
        let profile = document(folder, PROFILE);
        assert_eq!(
            string(&profile, "infinity_webapp_server_base_url"),
            "http://127.0.0.1:7090"
        );
        assert_eq!(string(&profile, "name"), "Ours");
        assert!(text(folder, PROFILE).ends_with("# mine\n"));
    }

    #[test]
    fn addresses_of_other_machines_are_the_users_own() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        prepare(folder, "/www", 7080).unwrap();
        let mut profile = document(folder, PROFILE);
        let key = "telehealth_integration_base_url";
        profile[key] = toml_edit::value("https://ehr.example.org/fhir");
        fs::write(folder.join(PROFILE), profile.to_string()).unwrap();
        prepare(folder, "/www", 7080).unwrap();
        let profile = document(folder, PROFILE);
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
        let configuration = Configuration::in_folder(folder.path()).unwrap();
        let addresses = configuration.choose_addresses(None).unwrap();
        assert_eq!(addresses.server.port(), last);
        assert_ne!(addresses.sandbox, addresses.server);
    }

    #[test]
    fn half_of_the_shared_secrets_is_not_completed_by_guessing() {
        for name in SHARING {
            let folder = tempfile::tempdir().unwrap();
            prepare(folder.path(), "/www", 7080).unwrap();
            fs::remove_file(folder.path().join(name)).unwrap();
            let message = refusal(folder.path());
            assert!(message.contains(&format!("{name} is missing")), "{message}");
            assert!(message.contains("delete that too"), "{message}");
        }
    }

    #[test]
    fn a_folder_of_an_earlier_version_is_told_as_one() {
        for (name, content) in [
            ("profile.toml", "name = \"Healthcare Org\""),
            (
                SERVER,
                "listen = \"127.0.0.1:7080\"\nprofile = \"profile.toml\"",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), content).unwrap();
            let message = refusal(folder.path());
            assert!(message.contains("delete the folder"), "{message}");
            let path = folder.path().display().to_string();
            assert!(message.contains(&path), "{message}");
        }
    }

    fn refusal(folder: &Path) -> String {
        Configuration::in_folder(folder).err().unwrap().to_string()
    }
}
