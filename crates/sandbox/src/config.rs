//! The configuration file, `sandbox.toml`.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use vestibule_launch::{
    EhrRole,
    crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey},
};

use crate::{
    client::{Client, ClientKind, Clients, RedirectUri},
    connection_status::StatusCredentials,
    launch_link::{LaunchMethod, LaunchRecord},
};

/// How the simulated EHR is set up.
///
/// ```toml
/// listen = "127.0.0.1:7081"            # port 0: any free one
///
/// [launch]                             # how this EHR launches Vestibule
/// provider_url = "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2smartlaunch/<uuid>"
/// patient_url = "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2smartlaunch/<uuid>"
/// encrypted_parameter_name = "data"    # this is the default
/// epic_encryption_key = "…"
/// epic_encryption_key_type = "base64key"    # or password
/// epic_encryption_algorithm = "AES-256-CBC" # or AES-128-CBC
/// initialization_vector = "zero"       # the default; prefix-binary, prefix-ascii16
/// method = "GET"                       # the default; or POST
///
/// [[clients]]                          # one provider, one patient
/// role = "provider"
/// client_id = "…"
/// client_secret = "…"                  # without: a public client
/// redirect_uri = "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2authorized/<uuid>"
///
/// [status]                             # optional: what the status endpoint asks for
/// username = "…"
/// password = "…"
/// ```
pub struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) launch: LaunchRecord,
    pub(crate) clients: Clients,
    pub(crate) status: Option<StatusCredentials>,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}", path = path.display())]
    Unreadable {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not TOML, a field is missing, unknown or of the wrong type.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Line in the file, from 1.
        line: usize,
        /// What is wrong, with the name of the field.
        problem: String,
    },
    /// A field has a value that cannot be used.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field, with its table.
        field: &'static str,
        /// What is wrong and what is needed.
        problem: String,
    },
}

/// The file has at most this many bytes.
const FILE_MAX: u64 = 64 * 1024;

impl Config {
    /// Reads a configuration file in TOML.
    ///
    /// # Errors
    /// [`ConfigError`] where the file cannot be read or used.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        };
        if fs::metadata(path).map_err(unreadable)?.len() > FILE_MAX {
            return Err(unreadable(std::io::ErrorKind::FileTooLarge.into()));
        }
        Self::parse(&fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Reads a configuration in TOML.
    ///
    /// # Errors
    /// [`ConfigError`] where it cannot be used.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| malformed(&error, text))?;
        if file.listen.ip().is_unspecified() {
            return Err(invalid(
                "listen",
                "name one address that browsers and Vestibule reach: the EHR's own addresses are made from it",
            ));
        }
        let clients = file
            .clients
            .into_iter()
            .map(ClientTable::into_client)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            listen: file.listen,
            launch: file.launch.into_record()?,
            clients: Clients::new(clients)
                .map_err(|fault| invalid("clients", fault.to_string()))?,
            status: file.status.map(|status| StatusCredentials {
                username: status.username,
                password: status.password,
            }),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: SocketAddr,
    launch: LaunchTable,
    clients: Vec<ClientTable>,
    status: Option<StatusTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LaunchTable {
    provider_url: String,
    patient_url: String,
    #[serde(default = "default_parameter_name")]
    encrypted_parameter_name: String,
    epic_encryption_key: SecretString,
    epic_encryption_key_type: KeyType,
    epic_encryption_algorithm: Algorithm,
    #[serde(default)]
    initialization_vector: InitializationVector,
    #[serde(default = "default_method")]
    method: LaunchMethod,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientTable {
    role: EhrRole,
    client_id: String,
    client_secret: Option<SecretString>,
    redirect_uri: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusTable {
    username: String,
    password: SecretString,
}

fn default_parameter_name() -> String {
    "data".to_owned()
}

fn default_method() -> LaunchMethod {
    LaunchMethod::Get
}

impl LaunchTable {
    fn into_record(self) -> Result<LaunchRecord, ConfigError> {
        const NAME: &str = "launch.encrypted_parameter_name";
        match self.encrypted_parameter_name.as_str() {
            "" => return Err(invalid(NAME, "give the parameter a name")),
            "iss" | "launch" => return Err(invalid(NAME, "taken by SMART: choose another name")),
            _ => {}
        }
        let key = LaunchKey::new(
            self.epic_encryption_algorithm,
            self.epic_encryption_key_type,
            self.epic_encryption_key.expose_secret(),
        )
        .map_err(|fault| invalid("launch.epic_encryption_key", fault.to_string()))?;
        Ok(LaunchRecord {
            provider_url: launch_url("launch.provider_url", &self.provider_url)?,
            patient_url: launch_url("launch.patient_url", &self.patient_url)?,
            parameter: self.encrypted_parameter_name,
            cipher: LaunchCipher::new(key, self.initialization_vector),
            method: self.method,
        })
    }
}

impl ClientTable {
    fn into_client(self) -> Result<Client, ConfigError> {
        if self.client_id.is_empty() {
            return Err(invalid(
                "clients.client_id",
                "give the application an identifier",
            ));
        }
        if self
            .client_secret
            .as_ref()
            .is_some_and(|secret| secret.expose_secret().is_empty())
        {
            return Err(invalid(
                "clients.client_secret",
                "must not be empty: leave it out for a public client",
            ));
        }
        Ok(Client {
            role: self.role,
            id: self.client_id,
            redirect_uri: RedirectUri::parse(&self.redirect_uri)
                .map_err(|fault| invalid("clients.redirect_uri", fault.to_string()))?,
            kind: self
                .client_secret
                .map_or(ClientKind::Public, ClientKind::Confidential),
        })
    }
}

fn launch_url(field: &'static str, text: &str) -> Result<Url, ConfigError> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
        .ok_or_else(|| {
            invalid(
                field,
                "must be an absolute http or https address without a fragment",
            )
        })
}

fn invalid(field: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Invalid {
        field,
        problem: problem.into(),
    }
}

/// Names line and field, but does not show the line as the parser's own message
/// does: it may hold a secret.
fn malformed(error: &toml::de::Error, text: &str) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let field = text
        .lines()
        .nth(line - 1)
        .and_then(|line| line.split_once('='))
        .map(|(field, _)| format!("{}: ", field.trim()))
        .unwrap_or_default();
    ConfigError::Malformed {
        line,
        problem: format!("{field}{}", error.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
listen = "127.0.0.1:0"
[launch]
provider_url = "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2smartlaunch/x"
patient_url = "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2smartlaunch/x"
epic_encryption_key = "fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0="
epic_encryption_key_type = "base64key"
epic_encryption_algorithm = "AES-256-CBC"
[[clients]]
role = "provider"
client_id = "provider-app"
client_secret = "correct horse"
redirect_uri = "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2authorized/x"
[[clients]]
role = "patient"
client_id = "patient-app"
redirect_uri = "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2authorized/x"
"#;

    fn error_of(text: &str) -> String {
        Config::parse(text)
            .err()
            .expect("the configuration is accepted")
            .to_string()
    }

    fn error_with(good: &str, bad: &str) -> String {
        assert!(GOOD.contains(good), "{good}");
        error_of(&GOOD.replace(good, bad))
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let config = Config::parse(GOOD).unwrap();
        assert_eq!(config.launch.parameter, "data");
        assert_eq!(config.launch.method, LaunchMethod::Get);
        assert!(config.status.is_none());
    }

    #[test]
    fn an_unknown_field_is_named() {
        let error = error_with("[launch]", "[launch]\ncolour = \"red\"");
        assert!(error.contains("colour"), "{error}");
        assert!(error.contains("line 4"), "{error}");
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = error_with("role = \"patient\"\n", "");
        assert!(error.contains("missing field `role`"), "{error}");
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named_and_its_line_not_shown() {
        let error = error_with(
            "client_secret = \"correct horse\"",
            "client_secret = [\"correct horse\"]",
        );
        assert!(error.contains("client_secret"), "{error}");
        assert!(!error.contains("correct horse"), "{error}");
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named() {
        for (good, bad, field) in [
            ("127.0.0.1:0", "0.0.0.0:0", "listen"),
            ("127.0.0.1:0", "localhost", "listen"),
            (
                "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2smartlaunch/x",
                "/launch",
                "launch.provider_url",
            ),
            (
                "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2smartlaunch/x",
                "ftp://127.0.0.1/",
                "launch.patient_url",
            ),
            (
                "fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0=",
                "fTW2KwlJ",
                "launch.epic_encryption_key",
            ),
            ("AES-256-CBC", "AES-256-GCM", "epic_encryption_algorithm"),
            ("base64key", "hex", "epic_encryption_key_type"),
            (
                "[launch]",
                "[launch]\nencrypted_parameter_name = \"iss\"",
                "launch.encrypted_parameter_name",
            ),
            (
                "[launch]",
                "[launch]\ninitialization_vector = \"one\"",
                "initialization_vector",
            ),
            ("[launch]", "[launch]\nmethod = \"PUT\"", "method"),
            ("patient-app", "", "clients.client_id"),
            ("patient-app", "provider-app", "clients"),
            ("correct horse", "", "clients.client_secret"),
            (
                "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2authorized/x",
                "http://127.0.0.1:7080/#back",
                "clients.redirect_uri",
            ),
            ("role = \"patient\"", "role = \"provider\"", "clients"),
        ] {
            let error = error_with(good, bad);
            assert!(error.contains(field), "{field}: {error}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::read(Path::new("/nonexistent/sandbox.toml"))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("/nonexistent/sandbox.toml"), "{error}");
    }
}
