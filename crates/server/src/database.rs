//! The database: where it is, by the configuration and the environment, and how it is
//! opened.

use std::{
    env, fmt, fs, io,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use vestibule_store::{PostgresAddress, PostgresStore, SqliteStore, Store, StoreError, Tables};

use crate::config::Config;

/// The variable that holds the URL of a PostgreSQL database.
pub const DATABASE_VARIABLE: &str = "VESTIBULE_DATABASE_URL";

/// The SQLite file, in the data folder.
const FILE: &str = "vestibule.db";

/// Connections of a server to PostgreSQL, unless the configuration says otherwise.
const CONNECTIONS: NonZeroU32 = NonZeroU32::new(16).expect("it is not zero");

/// Connections of administrators, beside those.
const OF_ADMINISTRATORS: u32 = 2;

/// Where the server keeps what it remembers: in a SQLite file in the data folder, unless
/// there is a URL.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// A PostgreSQL database, `postgres://user:password@host:5432/database`, with
    /// `?sslmode=verify-full&sslrootcert=/path/to/ca.pem` where the way to it is not
    /// this machine's. `VESTIBULE_DATABASE_URL` in the environment comes before it.
    pub url: Option<SecretString>,
    /// The file that holds the URL, in the place of `url`: it carries a password.
    pub url_file: Option<PathBuf>,
    /// How many connections this server has to PostgreSQL at most, and two more for
    /// administrators where there is an admin API; 16 unless said.
    pub connections: Option<NonZeroU32>,
}

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Postgres {
        /// Where, and how to get in.
        address: Box<PostgresAddress>,
        /// Connections at most.
        connections: NonZeroU32,
    },
}

/// Why it cannot be told where the database is.
#[derive(Debug, thiserror::Error)]
pub enum DatabasePlaceError {
    /// It is said twice.
    #[error("database: there is a url and a url_file; keep one of them")]
    Twice,
    /// The file with the URL cannot be read.
    #[error(
        "database.url_file: {path}: {source}; check the path and its permissions",
        path = path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The URL is none. The message does not repeat it.
    #[error("{from}: {source}")]
    Url {
        /// Where the URL was found.
        from: String,
        /// What is wrong.
        source: StoreError,
    },
}

/// What the environment says of the database.
pub fn environment() -> Option<SecretString> {
    let value = env::var_os(DATABASE_VARIABLE)?;
    // What is no Unicode is no URL either, and must not count as nothing.
    Some(value.to_string_lossy().into_owned().into())
}

impl Place {
    /// Where the database is, by the environment or the configuration.
    ///
    /// # Errors
    /// Where that is said twice, cannot be read, or is no URL of PostgreSQL.
    pub fn of(
        config: &Config,
        environment: Option<&SecretString>,
    ) -> Result<Self, DatabasePlaceError> {
        let of_file;
        let DatabaseConfig {
            url,
            url_file,
            connections,
        } = &config.database;
        let (from, url) = match (environment, url, url_file) {
            (Some(url), ..) => (DATABASE_VARIABLE.to_owned(), url),
            (None, Some(_), Some(_)) => return Err(DatabasePlaceError::Twice),
            (None, Some(url), None) => ("database.url".to_owned(), url),
            (None, None, Some(path)) => {
                of_file = read(path)?;
                (format!("database.url_file: {}", path.display()), &of_file)
            }
            (None, None, None) => return Ok(Self::File(config.data.join(FILE))),
        };
        let address = url.expose_secret().trim().parse();
        Ok(Self::Postgres {
            address: Box::new(address.map_err(|source| DatabasePlaceError::Url { from, source })?),
            connections: connections.unwrap_or(CONNECTIONS),
        })
    }

    /// Opens the database and brings its tables up to date; makes a SQLite file where
    /// there is none.
    ///
    /// # Errors
    /// Where it cannot be opened, or was written by a newer version.
    pub async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::File(path) => Arc::new(SqliteStore::open(path).await?),
            Self::Postgres {
                address,
                connections,
            } => Arc::new(PostgresStore::open(address, connections.get()).await?),
        })
    }

    /// The same database for administrators, who can look into it also while launches use
    /// all the other connections to it. `store` is what was opened.
    pub fn for_administrators(&self, store: &Arc<dyn Store>) -> Arc<dyn Store> {
        match self {
            Self::File(_) => Arc::clone(store),
            Self::Postgres { address, .. } => {
                Arc::new(PostgresStore::beside(address, OF_ADMINISTRATORS))
            }
        }
    }

    /// Whether there is anything to open: a SQLite file is made at the server's first
    /// start, a PostgreSQL database by its administrator.
    pub fn exists(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            Self::Postgres { .. } => true,
        }
    }

    /// How the tables are, before anything is changed in them.
    ///
    /// # Errors
    /// Where there is no way into the database.
    pub async fn examine(&self) -> Result<Tables, StoreError> {
        match self {
            Self::File(path) => SqliteStore::examine(path).await,
            Self::Postgres { address, .. } => PostgresStore::examine(address).await,
        }
    }
}

impl fmt::Display for Place {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres { address, .. } => write!(f, "PostgreSQL at {address}"),
        }
    }
}

fn read(path: &Path) -> Result<SecretString, DatabasePlaceError> {
    let text = fs::read_to_string(path).map_err(|source| DatabasePlaceError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "listen = \"127.0.0.1:0\"\ndata = \"state\"\nwww = \"www\"\n\
        profiles = \"profiles\"\n";

    fn place(config: &str, environment: Option<&str>) -> Result<Place, DatabasePlaceError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.toml");
        fs::write(&path, format!("{MINIMAL}{config}")).unwrap();
        fs::write(
            folder.path().join("url"),
            "postgres://u:canary@of-the-file/launches\n",
        )
        .unwrap();
        let config = Config::read(&path).unwrap();
        assert!(!format!("{config:?}").contains("canary"));
        let environment = environment.map(SecretString::from);
        Place::of(&config, environment.as_ref())
    }

    #[test]
    fn without_a_word_it_is_a_file_in_the_data_folder() {
        let Place::File(path) = place("", None).unwrap() else {
            panic!("no file");
        };
        assert!(path.ends_with("state/vestibule.db"));
    }

    #[test]
    fn the_environment_comes_before_the_configuration() {
        let url = "[database]\nurl = \"postgres://u:canary@of-the-config/launches\"\n";
        let file = "[database]\nurl_file = \"url\"\nconnections = 3\n";
        let variable = "postgres://u:canary@of-the-environment/launches";
        for (config, environment, host, connections) in [
            (url, None, "of-the-config", 16),
            (file, None, "of-the-file", 3),
            (url, Some(variable), "of-the-environment", 16),
            (file, Some(variable), "of-the-environment", 3),
            ("", Some(variable), "of-the-environment", 16),
        ] {
            let place = place(config, environment).unwrap();
            let shown = format!("{place} {place:?}");
            assert!(shown.contains(host), "{shown}");
            assert!(!shown.contains("canary"), "{shown}");
            let Place::Postgres {
                connections: of, ..
            } = place
            else {
                panic!("{host}: no PostgreSQL");
            };
            assert_eq!(of.get(), connections, "{host}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_not_repeated() {
        let twice = "[database]\nurl = \"postgres://canary\"\nurl_file = \"url\"\n";
        for (config, environment, named) in [
            (twice, None, "url_file"),
            (
                "[database]\nurl = \"mysql://canary\"\n",
                None,
                "database.url",
            ),
            ("[database]\nurl_file = \"none\"\n", None, "none"),
            ("", Some("canary"), DATABASE_VARIABLE),
        ] {
            let error = place(config, environment).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(named), "{shown}");
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}
