//! `vestibule.toml`: what an administrator says of this server.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;
pub use vestibule_landing_page::Configuration as LandingPageConfig;
use vestibule_landing_page::{LogoSource, Origin};

use crate::{
    admin::AdminConfig,
    conferencing::{PexipConfig, RoutingRules},
    database::DatabaseConfig,
    limits::LimitsConfig,
    page_files::{EmbeddedFiles, PageFiles},
    retention::RetentionConfig,
    serving::{ConnectionLimits, TlsConfig},
    source_address::TrustedProxies,
    telemetry::{MetricsConfig, TracesConfig},
    wording::reworded,
};

/// The server's configuration. Relative paths start at the folder of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The data folder: sealing key, and the database where it is a file.
    pub data: PathBuf,
    /// Where the database is, where it is not a file in the data folder.
    #[serde(default)]
    pub database: DatabaseConfig,
    /// The landing page as built. A program that has it in itself needs none.
    pub www: Option<PageFiles>,
    /// What the landing page looks like and where it stands.
    #[serde(default)]
    pub landing_page: LandingPageConfig,
    /// The folder of telehealth profiles, one TOML file each.
    pub profiles: PathBuf,
    /// Origins of the pages that may embed the landing page, such as
    /// `https://mychart.example.org`. None by default.
    #[serde(default)]
    pub frame_ancestors: Vec<FrameAncestor>,
    /// How log lines look.
    #[serde(default)]
    pub log: LogFormat,
    /// Which log lines there are. `RUST_LOG` in the environment goes before it.
    #[serde(default)]
    pub log_level: LogLevel,
    /// The file of the key under which everything personal and secret is sealed, where
    /// it is not to be `state.key` in the data folder. `VESTIBULE_STATE_KEY` in the
    /// environment stands for either.
    pub state_key_file: Option<PathBuf>,
    /// The admin API. None by default.
    pub admin: Option<AdminConfig>,
    /// How the aliases that are dialled become base aliases. One rule for the aliases of
    /// the default templates, unless there are others.
    #[serde(default)]
    pub routing_rules: RoutingRules,
    /// What Pexip Infinity may ask and tell here. Nothing by default.
    #[serde(default)]
    pub pexip: PexipConfig,
    /// Certificates in PEM form that the EHR's may be signed by, beside those that the
    /// machine trusts. None by default.
    pub trusted_certificates: Option<PathBuf>,
    /// Whether a browser that returns from the EHR must send the cookie that it was
    /// given as the launch began. Not by default: browsers may keep cookies back in the
    /// frames in which EHRs show launches. A wrong cookie is never taken.
    #[serde(default)]
    pub require_launch_cookie: bool,
    /// The proxies whose `X-Forwarded-For` is believed, such as `10.0.0.0/8`. None by
    /// default.
    #[serde(default)]
    pub trusted_proxies: TrustedProxies,
    /// How much is taken from one place.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// How long what is over is kept.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// Where counts and durations are told to Prometheus. Nowhere by default.
    pub metrics: Option<MetricsConfig>,
    /// TLS by the server itself. Without it, plain HTTP is spoken, and a proxy in front
    /// ends TLS.
    pub tls: Option<TlsConfig>,
    /// How much one connection, one address and all together may take.
    #[serde(default)]
    pub connections: ConnectionLimits,
    /// Where traces are sent. Nowhere by default.
    pub traces: Option<TracesConfig>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For eyes.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The least that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What is lost, or keeps launches from working.
    Error,
    /// Also what failed for one user, or is tried again.
    Warn,
    /// Also what happens.
    #[default]
    Info,
    /// Also what is of no consequence.
    Debug,
}

impl LogLevel {
    /// The word in the configuration and in `RUST_LOG`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// The origin of a page that may embed the landing page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FrameAncestor(String);

impl FrameAncestor {
    /// The origin, as it stands in a Content-Security-Policy.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FrameAncestor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Origin::try_from(text)
            .map(|origin| Self(origin.into()))
            .map_err(
                |_| "frame_ancestors: write origins only, such as \"https://mychart.example.org\"",
            )
    }
}

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path}: {source}; check the path and its permissions", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what is expected; the message has line, column and key.
    #[error("{path}: {message}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where and what. It repeats no value.
        message: String,
    },
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it cannot be read, lacks a key, has an unknown one or a wrong value.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let mut config: Self = parse_toml(path, &text)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let logo = match &mut config.landing_page.logo {
            Some(LogoSource::File(path)) => Some(path),
            _ => None,
        };
        let token = config.metrics.as_mut();
        let token = token.and_then(|metrics| metrics.token_file.as_mut());
        let tls = config.tls.as_mut();
        let tls = tls.map(|tls| [&mut tls.certificate, &mut tls.key]);
        let www = match &mut config.www {
            Some(PageFiles::Folder(path)) => Some(path),
            _ => None,
        };
        for relative in [&mut config.data, &mut config.profiles]
            .into_iter()
            .chain(www)
            .chain(logo)
            .chain(token)
            .chain(&mut config.state_key_file)
            .chain(&mut config.trusted_certificates)
            .chain(&mut config.database.url_file)
            .chain(tls.into_iter().flatten())
        {
            *relative = folder.join(&*relative);
        }
        Ok(config)
    }

    /// With the landing page that is in the program, where no folder is named.
    #[must_use]
    pub fn or_embedded(mut self, files: Option<EmbeddedFiles>) -> Self {
        let embedded = files.map(PageFiles::Embedded);
        self.www = self.www.or(embedded);
        self
    }
}

/// Reads TOML. The error names line, column and what is wrong, and does not quote
/// the line as the parser would: it may hold a secret.
pub(crate) fn parse_toml<T: serde::de::DeserializeOwned>(
    path: &Path,
    text: &str,
) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(String::new, |span| {
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let column = before
                .chars()
                .rev()
                .take_while(|character| *character != '\n')
                .count()
                + 1;
            format!("line {line}, column {column}: ")
        });
        let message = format!("{place}{}", reworded(error.message()));
        ConfigError::Invalid {
            path: path.to_owned(),
            message,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str =
        "listen = \"127.0.0.1:0\"\ndata = \"state\"\nwww = \"/srv/www\"\nprofiles = \"profiles\"\n";

    fn read(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.toml");
        fs::write(&path, text).unwrap();
        let mut config = Config::read(&path)?;
        assert!(config.data.starts_with(folder.path()));
        config.data = config.data.strip_prefix(folder.path()).unwrap().to_owned();
        Ok(config)
    }

    #[test]
    fn relative_paths_start_at_the_file() {
        let config = read(MINIMAL).unwrap();
        assert_eq!(config.data, Path::new("state"));
        assert_eq!(config.www, Some(PageFiles::Folder("/srv/www".into())));
        assert!(config.frame_ancestors.is_empty());
        assert_eq!(config.log, LogFormat::Text);
        assert_eq!(config.landing_page, LandingPageConfig::default());
        let with_logo = format!("{MINIMAL}[landing_page]\nlogo = \"logo.svg\"\n");
        let logo = read(&with_logo).unwrap().landing_page.logo;
        assert!(matches!(logo, Some(LogoSource::File(path)) if path.is_absolute()));
    }

    #[test]
    fn a_folder_that_is_named_goes_before_the_page_in_the_program() {
        const FILES: EmbeddedFiles = EmbeddedFiles::new(&[]);
        let named = read(MINIMAL).unwrap().or_embedded(Some(FILES)).www;
        assert!(matches!(named, Some(PageFiles::Folder(_))), "{named:?}");
        let unnamed = MINIMAL.replace("www = \"/srv/www\"\n", "");
        let www = |files| read(&unnamed).unwrap().or_embedded(files).www;
        assert_eq!(www(Some(FILES)), Some(PageFiles::Embedded(FILES)));
        assert_eq!(www(None), None);
    }

    #[test]
    fn faults_name_file_line_and_key() {
        for (text, key) in [
            (format!("{MINIMAL}lisen = 1\n"), "lisen"),
            (MINIMAL.replace("data = \"state\"\n", ""), "data"),
            (MINIMAL.replace("127.0.0.1:0", "here"), "line 1"),
            (format!("{MINIMAL}log = \"xml\"\n"), "json"),
            (
                format!("{MINIMAL}frame_ancestors = [\"https://a/b\"]\n"),
                "frame_ancestors",
            ),
            (
                format!("{MINIMAL}[landing_page]\naccent = \"teal\"\n"),
                "#0b5c6b",
            ),
            (
                format!("{MINIMAL}[landing_page]\ncolor = \"#fff\"\n"),
                "color",
            ),
            (
                format!("{MINIMAL}frame_ancestors = [\"https://a;b\"]\n"),
                "frame_ancestors",
            ),
            (
                format!("{MINIMAL}frame_ancestors = [\"https://a; script-src *\"]\n"),
                "frame_ancestors",
            ),
        ] {
            let message = read(&text).unwrap_err().to_string();
            assert!(message.contains("vestibule.toml"), "{message}");
            assert!(message.contains(key), "{message}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::read(Path::new("/does/not/exist.toml")).unwrap_err();
        assert!(error.to_string().contains("/does/not/exist.toml"));
    }
}
