//! The house: the server and the simulated EHR as real processes, with the tap
//! between the server and everybody who calls it.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;
use vestibule_test_log::{Class, secret};

use super::{
    process::{Program, binary, listening, www},
    tap::Tap,
};

/// Longest wait for a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the tap is looked at meanwhile.
const POLL: Duration = Duration::from_millis(20);

const UUID: &str = "12daaebc-ea75-43c1-a6c7-c044be66a36e";

/// What has to be the same on both sides.
pub(crate) struct Agreement {
    /// The lines of key, key type and algorithm.
    pub(crate) key: &'static str,
    /// How the EHR launches: `GET` or `POST`.
    pub(crate) method: &'static str,
    /// What the redirect URLs end in: nothing, or a slash.
    pub(crate) slash: &'static str,
}

/// AES-256 with a base64-encoded key, as recommended.
pub(crate) const AES_256_KEY: &str = "\
    epic_encryption_key = \"fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0=\"\n\
    epic_encryption_key_type = \"base64key\"\n\
    epic_encryption_algorithm = \"AES-256-CBC\"\n";

/// AES-128 with a password, as older EHRs have it.
pub(crate) const AES_128_PASSWORD: &str = "\
    epic_encryption_key = \"a much longer pass phrase than sixteen bytes\"\n\
    epic_encryption_key_type = \"password\"\n\
    epic_encryption_algorithm = \"AES-128-CBC\"\n";

impl Default for Agreement {
    fn default() -> Self {
        Self {
            key: AES_256_KEY,
            method: "GET",
            slash: "",
        }
    }
}

/// What a request carries that must stand in no log: by the header's name.
const SECRETS: [(&str, Class); 2] = [("pin", Class::Pin), ("token", Class::Token)];

/// A running Vestibule with a simulated EHR in front of it.
pub(crate) struct House {
    /// Address of the simulated EHR.
    pub(crate) ehr: String,
    /// What the browser has sent to the server.
    pub(crate) tap: Tap,
    address: String,
    server: Program,
    sandbox: Program,
    folder: TempDir,
}

impl House {
    /// A house whose profile has every template at its default.
    pub(crate) async fn start() -> Result<Self> {
        Self::with_profile("").await
    }

    /// A house with these lines added to its profile.
    pub(crate) async fn with_profile(lines: &str) -> Result<Self> {
        Self::with(&Agreement::default(), lines).await
    }

    /// A house with these lines added to the server's configuration and to its profile.
    pub(crate) async fn configured(server: &str, profile: &str) -> Result<Self> {
        Self::build(&Agreement::default(), server, profile).await
    }

    /// A house whose EHR and profile agree on `agreement`, with these lines added to its
    /// profile.
    pub(crate) async fn with(agreement: &Agreement, lines: &str) -> Result<Self> {
        Self::build(agreement, "", lines).await
    }

    async fn build(agreement: &Agreement, server: &str, lines: &str) -> Result<Self> {
        let folder = TempDir::new()?;
        let path = |name: &str| folder.path().join(name);
        let tap = Tap::open().await?;
        let base = &tap.address;
        let launch = |role| format!("{base}/api/telehealth/v1/{role}/oauth2smartlaunch/{UUID}");
        let Agreement { key, method, slash } = agreement;
        let redirect =
            |role| format!("{base}/api/telehealth/v1/{role}/oauth2authorized/{UUID}{slash}");

        fs::write(
            path("sandbox.toml"),
            format!(
                "listen = \"127.0.0.1:0\"\n\
                 [launch]\nprovider_url = {:?}\npatient_url = {:?}\nmethod = {method:?}\n{key}\
                 [[clients]]\nrole = \"provider\"\nclient_id = \"provider-app\"\n\
                 client_secret = \"provider-secret\"\nredirect_uri = {:?}\n\
                 [[clients]]\nrole = \"patient\"\nclient_id = \"patient-app\"\n\
                 client_secret = \"patient-secret\"\nredirect_uri = {:?}\n",
                launch("provider"),
                launch("patient"),
                redirect("provider"),
                redirect("patient"),
            ),
        )?;
        let mut command = Command::new(binary("vestibule-sandbox")?);
        command.arg("--config").arg(path("sandbox.toml"));
        let (sandbox, ehr) = Program::start(command, &path("sandbox.log"), listening).await?;

        let lines = lines.replace("{ehr}", &ehr);
        fs::create_dir(path("profiles"))?;
        fs::write(
            path("profiles").join("healthcare-org.toml"),
            format!(
                "name = \"Healthcare Org\"\nuuid = \"{UUID}\"\n\
                 telehealth_call_domain = \"telehealth.example.com\"\n\
                 telehealth_integration_base_url = {ehr:?}\n\
                 telehealth_integration_oauth2_base_api_url = {ehr:?}\n\
                 infinity_webapp_server_base_url = {base:?}\n\
                 provider_oauth2_redirect_url = {:?}\n\
                 patient_oauth2_redirect_url = {:?}\n\
                 epic_provider_app_client_id = \"provider-app\"\n\
                 epic_provider_app_client_secret = \"provider-secret\"\n\
                 epic_patient_app_client_id = \"patient-app\"\n\
                 epic_patient_app_client_secret = \"patient-secret\"\n{key}{lines}\n",
                redirect("provider"),
                redirect("patient"),
            ),
        )?;
        fs::write(
            path("vestibule.toml"),
            format!(
                "listen = \"127.0.0.1:0\"\ndata = {:?}\nwww = {:?}\nprofiles = {:?}\n{server}\n",
                path("data"),
                www()?,
                path("profiles"),
            ),
        )?;
        let mut command = Command::new(binary("vestibule")?);
        command
            .args(["serve", "--config"])
            .arg(path("vestibule.toml"));
        let (server, address) = Program::start(command, &path("server.log"), listening).await?;
        tap.forward_to(&address);
        Ok(Self {
            ehr,
            tap,
            address,
            server,
            sandbox,
            folder,
        })
    }

    /// Where the server itself listens, behind the tap.
    pub(crate) fn server_address(&self) -> &str {
        &self.address
    }

    /// Where administrators come in, where the configuration says so.
    pub(crate) fn admin_address(&self) -> Result<String> {
        let log = self.server.log()?;
        let line = log
            .lines()
            .find(|line| line.contains("administrators come in here"));
        let address = line.and_then(|line| line.rsplit("address=").next());
        Ok(format!("http://{}", address.context("in the log")?))
    }

    /// What the server (and the conferencing node in it) and the EHR have logged.
    pub(crate) fn logs(&self) -> Result<String> {
        Ok(self.server.log()? + &self.sandbox.log()?)
    }

    /// Waits until a request whose line has both parts has reached the server.
    pub(crate) async fn until_requested(&self, begin: &str, part: &str) -> Result<()> {
        let start = tokio::time::Instant::now();
        loop {
            let requests = self.tap.requests();
            let found = requests
                .iter()
                .any(|request| request.line.starts_with(begin) && request.line.contains(part));
            if found {
                return Ok(());
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "{begin}…{part}… was not requested"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// How many POSTs with this in their line have reached the server.
    pub(crate) fn count(&self, part: &str) -> usize {
        let requests = self.tap.requests();
        let requests = requests
            .iter()
            .filter(|request| request.line.starts_with("POST ") && request.line.contains(part));
        requests.count()
    }

    /// Waits until so many POSTs with this in their line have reached the server, and no
    /// more.
    pub(crate) async fn until_count(&self, part: &str, count: usize) -> Result<()> {
        let start = tokio::time::Instant::now();
        loop {
            let found = self.count(part);
            if found >= count {
                ensure!(found == count, "{found} times {part}");
                return Ok(());
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "{part} was requested {found} times"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// The server's database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/vestibule.db")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        for request in self.tap.requests() {
            for (name, class) in SECRETS {
                if let Some(value) = request.header(name) {
                    secret(class, value);
                }
            }
        }
    }
}
