//! `[metrics]` of the configuration.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::Deserialize;

/// Shortest and longest token, in bytes.
const SHORTEST: usize = 16;
const LONGEST: usize = 1024;

/// Where metrics are told, and to whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Where to listen, such as `127.0.0.1:9464`; never the address of launches. Plain
    /// HTTP.
    pub listen: SocketAddr,
    /// A file with the bearer token that whoever asks must send. Without, everybody who
    /// reaches the address may ask.
    pub token_file: Option<PathBuf>,
}

/// Why the token cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MetricsConfigError {
    /// The file cannot be read.
    #[error("metrics.token_file: {path}: {source}; check the path and its permissions", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds no token.
    #[error(
        "metrics.token_file: {path}: must hold one token of {SHORTEST} to {LONGEST} visible ASCII \
         characters",
        path = path.display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
    },
}

impl MetricsConfig {
    /// The token, where one is asked for.
    ///
    /// # Errors
    /// Where the file cannot be read or holds none.
    pub(super) fn token(&self) -> Result<Option<SecretString>, MetricsConfigError> {
        self.token_file.as_deref().map(read).transpose()
    }
}

fn read(path: &Path) -> Result<SecretString, MetricsConfigError> {
    let text = fs::read_to_string(path).map_err(|source| MetricsConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let token = text.trim();
    let fits = (SHORTEST..=LONGEST).contains(&token.len());
    if !fits || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let path = path.to_owned();
        return Err(MetricsConfigError::Unusable { path });
    }
    Ok(token.into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_token_is_read_from_its_file_and_never_repeated_in_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let config = MetricsConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            token_file: Some(path.clone()),
        };
        let error = config.token().unwrap_err();
        assert!(matches!(error, MetricsConfigError::Unreadable { .. }));
        fs::write(&path, "0123456789abcdef\n").unwrap();
        let token = config.token().unwrap().unwrap();
        assert_eq!(token.expose_secret(), "0123456789abcdef");
        for bad in ["", "t0ken", "0123456789abcdef 0123456789abcdef"] {
            fs::write(&path, bad).unwrap();
            let error = config.token().unwrap_err().to_string();
            assert!(error.contains("metrics.token_file"), "{error}");
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
        }
    }
}
