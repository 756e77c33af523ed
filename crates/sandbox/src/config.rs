//! The configuration file, `sandbox.toml`.

mod clients;
mod faults;
mod launch;
mod tokens;
mod write_backs;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use self::{
    clients::ClientTable,
    faults::FaultTable,
    launch::{LaunchTable, ZoomTable},
    tokens::TokensTable,
    write_backs::{EndOfCallTable, StatusTable},
};
use crate::{
    client::Clients, connection_status::StatusCredentials, end_of_call::EndOfCallRecord,
    endpoint::Endpoint, fault::Fault, launch_link::LaunchRecord, metadata_forms::MetadataForms,
    token_policy::TokenPolicy, zoom::ZoomRecord,
};

/// How the simulated EHR is set up.
///
/// ```toml
/// listen = "127.0.0.1:7081"            # port 0: any free one
/// metadata = "both"                    # this is the default; smart-configuration,
///                                      # capability-statement (an older EHR) or neither
///
/// [launch]                             # how this EHR launches Vestibule
/// provider_url = "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2smartlaunch/<uuid>"
/// patient_url = "http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2smartlaunch/<uuid>"
/// provider_direct_url = "http://…"     # optional: where direct join links lead
/// guest_direct_url = "http://…"        # optional
/// encrypted_parameter_name = "data"    # this is the default
/// epic_encryption_key = "…"
/// epic_encryption_key_type = "base64key"    # or password
/// epic_encryption_algorithm = "AES-256-CBC" # or AES-128-CBC
/// initialization_vector = "zero"       # the default; prefix-binary, prefix-ascii16
/// method = "GET"                       # the default; or POST
///
/// [launch.token_fields]                # optional: what token answers say beside; texts may
/// encounter_csn = "{csn}"              # hold {csn}, {appointment}, {encounter}, {patient}, {user}
///
/// [[clients]]                          # one provider, one patient
/// role = "provider"
/// client_id = "…"
/// client_secret = "…"                  # without and without keys: a public client;
///                                      # ["new", "old"] while one replaces the other
/// # jwks_url = "http://…"              # in place of a secret: private_key_jwt, RS384 or ES384
/// # jwks = '{"keys": […]}'             # the same, with the keys here
/// redirect_uri = "http://127.0.0.1:7080/api/telehealth/v1/provider/oauth2authorized/<uuid>"
///
/// [[clients]]                          # optional: who asks about direct join links
/// role = "backend"
/// client_id = "…"
/// jwks_url = "http://…"                # or jwks
///
/// [tokens]                             # optional
/// access_token_seconds = 3600          # this is the default
/// rolling_refresh = false              # the default; true: each use replaces the refresh token
///
/// [status]                             # optional: what the status endpoint asks for, if not
/// username = "…"                       # for an access token
/// password = "…"
/// client_id = "…"                      # optional: and this in the header Epic-Client-ID
///
/// [end_of_call]                        # optional
/// path = "/interconnect/api/telehealth/end-of-call"  # this is the default
/// username = "…"                       # optional, both or neither
/// password = "…"
///
/// [zoom]                               # optional: Zoom's encrypted link beside
/// url = "https://visit.example/telehealth"
/// org_id = "…"                         # the API key
/// api_secret = "…"
/// notification_username = "…"          # optional, both or neither
/// notification_password = "…"
///
/// [[faults]]                           # optional: what goes wrong, in this order
/// endpoint = "token"                   # metadata, smart_configuration, capability_statement,
///                                      # jwks, authorize, token, fhir, status, end_of_call,
///                                      # device_test, zoom_notification or
///                                      # direct_launch_token
/// requests = 2                         # how many; without: all
/// delay_ms = 0                         # before the answer; this is the default
/// answer = "status"                    # usual (the default), status, drip, html, truncated,
///                                      # broken_off, oversized, drop, lose_answer,
///                                      # invalid_grant or invalid_client
/// status = 503                         # of answer = "status"
/// retry_after = 2                      # of answer = "status", optional: seconds or HTTP date
/// # interval_ms = 100                  # of answer = "drip": between two bytes
/// # bytes = 8388608                    # of answer = "oversized"
/// ```
pub struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) metadata: MetadataForms,
    pub(crate) launch: LaunchRecord,
    pub(crate) zoom: Option<ZoomRecord>,
    pub(crate) clients: Clients,
    pub(crate) tokens: TokenPolicy,
    pub(crate) status: Option<StatusCredentials>,
    pub(crate) end_of_call: EndOfCallRecord,
    pub(crate) faults: Vec<(Endpoint, Fault)>,
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
        let (launch, extra) = file.launch.into_record()?;
        Ok(Self {
            listen: file.listen,
            metadata: file.metadata,
            launch,
            zoom: file.zoom.map(ZoomTable::into_record).transpose()?,
            clients: clients::clients(file.clients)?,
            tokens: file.tokens.into_policy(extra)?,
            status: file.status.map(StatusTable::into_credentials),
            end_of_call: file.end_of_call.into_record()?,
            faults: file
                .faults
                .into_iter()
                .map(FaultTable::into_fault)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: SocketAddr,
    #[serde(default)]
    metadata: MetadataForms,
    launch: LaunchTable,
    zoom: Option<ZoomTable>,
    clients: Vec<ClientTable>,
    #[serde(default)]
    tokens: TokensTable,
    status: Option<StatusTable>,
    #[serde(default)]
    end_of_call: EndOfCallTable,
    #[serde(default)]
    faults: Vec<FaultTable>,
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
    use crate::launch_link::LaunchMethod;

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
        assert_eq!(config.metadata, MetadataForms::Both);
        assert_eq!(config.tokens.access_token_seconds, 3600);
        assert!(!config.tokens.rolling_refresh);
        assert!(config.status.is_none());
        assert!(config.zoom.is_none());
        let end_of_call = config.end_of_call.path;
        assert_eq!(end_of_call, "/interconnect/api/telehealth/end-of-call");
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
            "client_secret = [\"correct horse\", \"battery\", \"staple\"]",
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
            (
                "\"correct horse\"",
                "[\"correct horse\", \"\"]",
                "clients.client_secret",
            ),
            (
                "client_secret = \"correct horse\"",
                "client_secret = \"correct horse\"\njwks_url = \"http://127.0.0.1/\"",
                "clients.client_secret",
            ),
            (
                "client_secret = \"correct horse\"",
                "jwks_url = \"https://vestibule.example/jwks\"",
                "clients.jwks_url",
            ),
            (
                "client_secret = \"correct horse\"",
                "jwks = '{}'",
                "clients.jwks",
            ),
            (
                "client_secret = \"correct horse\"",
                "jwks = '{}'\njwks_url = \"http://127.0.0.1/\"",
                "clients.jwks",
            ),
            (
                "redirect_uri = \"http://127.0.0.1:7080/api/telehealth/v1/patient/oauth2authorized/x\"",
                "",
                "clients.redirect_uri",
            ),
            ("listen", "metadata = \"none\"\nlisten", "metadata"),
            (
                "[launch]",
                "[launch]\nguest_direct_url = \"/guest\"",
                "launch.guest_direct_url",
            ),
            (
                "[launch]",
                "[launch]\ntoken_fields = { id_token = \"x\" }",
                "launch.token_fields",
            ),
        ] {
            let error = error_with(good, bad);
            assert!(error.contains(field), "{field}: {error}");
        }
    }

    #[test]
    fn an_optional_table_that_cannot_be_used_is_named() {
        let backend = "[[clients]]\nrole = \"backend\"\nclient_id = \"b\"\n";
        let zoom = "[zoom]\nurl = \"http://127.0.0.1/\"\norg_id = \"o\"\napi_secret = \"s\"\n";
        for (table, field) in [
            (backend.to_owned(), "clients.jwks_url"),
            (
                format!("{backend}client_secret = \"s\""),
                "clients.client_secret",
            ),
            (
                format!("{backend}redirect_uri = \"http://127.0.0.1/\""),
                "clients.redirect_uri",
            ),
            (
                "[tokens]\naccess_token_seconds = 0".to_owned(),
                "tokens.access_token_seconds",
            ),
            (
                "[end_of_call]\npath = \"/oauth2/token\"".to_owned(),
                "end_of_call.path",
            ),
            (
                "[end_of_call]\npath = \"/interconnect/{id}\"".to_owned(),
                "end_of_call.path",
            ),
            (
                "[end_of_call]\nusername = \"u\"".to_owned(),
                "end_of_call.username",
            ),
            (zoom.replace("http://127.0.0.1/", "127.0.0.1"), "zoom.url"),
            (zoom.replace("\"o\"", "\"\""), "zoom.org_id"),
            (
                format!("{zoom}notification_username = \"u\""),
                "zoom.notification_username",
            ),
            (
                "[[faults]]\nendpoint = \"token\"\nanswer = \"status\"".to_owned(),
                "faults.status",
            ),
            ("[[faults]]\nendpoint = \"launch\"".to_owned(), "endpoint"),
        ] {
            let error = error_of(&format!("{GOOD}{table}"));
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
