//! The simulated EHR of the trial, and launches from it.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail};
use rand::{Rng as _, rand_core::UnwrapErr, rngs::SysRng};

use super::{http, program::Program};

const UUID: &str = "5e1f6b52-8a70-4d0c-9d6a-3f1f0a3c9b27";
const KEY: &str = "epic_encryption_key = \"fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0=\"\n\
    epic_encryption_key_type = \"base64key\"\n\
    epic_encryption_algorithm = \"AES-256-CBC\"\n";
/// What both applications sign in with.
pub(super) const CLIENT_SECRET: &str = "secret-of-the-applications";
/// Ports that Linux gives to nobody who does not ask for them.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// More redirects than a launch has.
const STEPS: usize = 10;

/// The EHR, running.
pub(super) struct House {
    /// Where it launches to: `127.0.0.1:20001`.
    pub(super) server: String,
    ehr: Program,
}

/// What a provider's join link ends in.
pub(super) struct JoinLink {
    pub(super) alias: String,
    pub(super) pin: String,
}

impl House {
    /// Starts the EHR.
    pub(super) fn open(sandbox: &Path, folder: &Path) -> Result<Self> {
        let server = format!("127.0.0.1:{}", free_port()?);
        let launch = |role| url(&server, role, "oauth2smartlaunch");
        let client = |role: &str| {
            format!(
                "[[clients]]\nrole = \"{role}\"\nclient_id = \"{role}-app\"\n\
                 client_secret = \"{CLIENT_SECRET}\"\nredirect_uri = {:?}\n",
                url(&server, role, "oauth2authorized")
            )
        };
        let configuration = folder.join("sandbox.toml");
        fs::write(
            &configuration,
            format!(
                "listen = \"127.0.0.1:0\"\n[launch]\nprovider_url = {:?}\npatient_url = {:?}\n\
                 {KEY}{}{}",
                launch("provider"),
                launch("patient"),
                client("provider"),
                client("patient"),
            ),
        )?;
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$; exec \"$@\"", "sh"]);
        command.arg(sandbox).arg("--config").arg(configuration);
        let ehr = Program::start(command, false, &folder.join("sandbox.log"))
            .context("the sandbox EHR")?;
        Ok(Self { server, ehr })
    }

    /// The profile by which the server knows the EHR.
    pub(super) fn profile(&self) -> String {
        let client = |role: &str| {
            format!(
                "{role}_oauth2_redirect_url = {:?}\nepic_{role}_app_client_id = \"{role}-app\"\n\
                 epic_{role}_app_client_secret = \"{CLIENT_SECRET}\"\n",
                url(&self.server, role, "oauth2authorized")
            )
        };
        let ehr = &self.ehr.address;
        format!(
            "name = \"Healthcare Org\"\nuuid = \"{UUID}\"\n\
             telehealth_call_domain = \"telehealth.example.com\"\n\
             telehealth_integration_base_url = {ehr:?}\n\
             telehealth_integration_oauth2_base_api_url = {ehr:?}\n\
             infinity_webapp_server_base_url = \"http://{}\"\n{KEY}{}{}",
            self.server,
            client("provider"),
            client("patient"),
        )
    }

    /// The clinician's launch of the first appointment, up to the join link.
    pub(super) fn launch(&self) -> Result<JoinLink> {
        let button = format!("{}/clinician/launch", self.ehr.address);
        let mut answer = http::post(&button, "appointment=1")?;
        for _ in 0..STEPS {
            let status = answer.status;
            let location = answer.header("location");
            let location = location.with_context(|| format!("the launch ends with {status}"))?;
            if let Some((_, fragment)) = location.split_once('#') {
                return JoinLink::parse(fragment).context("the join link lacks alias or PIN");
            }
            let next = location.to_owned();
            answer = http::get(&next)?;
        }
        bail!("the launch does not end")
    }
}

impl JoinLink {
    /// Of `/?conference=…&pin=…&name=…`.
    fn parse(fragment: &str) -> Option<Self> {
        let (_, query) = fragment.split_once('?')?;
        let value = |key: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(name, _)| *name == key);
            found.map(|(_, value)| value.to_owned())
        };
        Some(Self {
            alias: value("conference")?,
            pin: value("pin")?,
        })
    }
}

fn url(server: &str, role: &str, action: &str) -> String {
    format!("http://{server}/api/telehealth/v1/{role}/{action}/{UUID}")
}

/// A port that is free now, and that nobody takes by accident.
fn free_port() -> Result<u16> {
    let mut rng = UnwrapErr(SysRng);
    let mut ports = (0..100).map(|_| PORTS.start + (rng.next_u32() % 12_000) as u16);
    ports
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .context("no port is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alias_and_pin_are_those_of_the_join_link() {
        let link = JoinLink::parse("/?conference=a%40b&pin=12345678&name=Dr").unwrap();
        assert_eq!(
            (link.alias.as_str(), link.pin.as_str()),
            ("a%40b", "12345678")
        );
        assert!(JoinLink::parse("/?conference=a&name=Dr").is_none());
    }

    #[test]
    fn a_free_port_is_below_those_that_are_given_out() {
        assert!(PORTS.contains(&free_port().unwrap()));
    }
}
