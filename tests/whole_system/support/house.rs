//! The house: the server and the simulated EHR as real processes, with the tap
//! between the server and everybody who calls it.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tokio::{process::Command, sync::RwLockReadGuard};

use super::{
    process::{Program, WWW, binary, listening, www},
    tap::Tap,
};

/// Longest wait for a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the tap is looked at meanwhile.
const POLL: Duration = Duration::from_millis(20);

const UUID: &str = "12daaebc-ea75-43c1-a6c7-c044be66a36e";

/// A running Vestibule with a simulated EHR in front of it.
pub(crate) struct House {
    /// Address of the simulated EHR.
    pub(crate) ehr: String,
    /// What the browser has sent to the server.
    pub(crate) tap: Tap,
    server: Program,
    sandbox: Program,
    folder: TempDir,
    _www: RwLockReadGuard<'static, ()>,
}

impl House {
    /// A house whose profile has every template at its default.
    pub(crate) async fn start() -> Result<Self> {
        Self::with_profile("").await
    }

    /// A house with these lines added to its profile.
    pub(crate) async fn with_profile(lines: &str) -> Result<Self> {
        let pages = WWW.read().await;
        let folder = TempDir::new()?;
        let path = |name: &str| folder.path().join(name);
        let tap = Tap::open().await?;
        let base = &tap.address;
        let launch = |role| format!("{base}/api/telehealth/v1/{role}/oauth2smartlaunch/{UUID}");
        let redirect = |role| format!("{base}/api/telehealth/v1/{role}/oauth2authorized/{UUID}");
        let key = "epic_encryption_key = \"fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0=\"\n\
                   epic_encryption_key_type = \"base64key\"\n\
                   epic_encryption_algorithm = \"AES-256-CBC\"\n";

        fs::write(
            path("sandbox.toml"),
            format!(
                "listen = \"127.0.0.1:0\"\n\
                 [launch]\nprovider_url = {:?}\npatient_url = {:?}\n{key}\
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

        fs::write(
            path("profile.toml"),
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
                "listen = \"127.0.0.1:0\"\ndata = {:?}\nwww = {:?}\nprofile = {:?}\n",
                path("data"),
                www()?,
                path("profile.toml"),
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
            server,
            sandbox,
            folder,
            _www: pages,
        })
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

    /// The server's database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/vestibule.db")
    }
}
