//! Where a PostgreSQL database is, and how to get into it.

use std::{fmt, str::FromStr};

use sqlx::postgres::PgConnectOptions;
use url::Url;

use crate::StoreError;

/// The parameters of libpq that the driver knows. Of one that it does not know, it would
/// log the value.
const PARAMETERS: [&str; 13] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// The URL of a database, `postgres://user:password@host:port/database?sslmode=verify-full`.
/// It is shown without the password.
#[derive(Clone)]
pub struct PostgresAddress {
    options: PgConnectOptions,
}

impl PostgresAddress {
    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

impl FromStr for PostgresAddress {
    type Err = StoreError;

    /// The errors repeat nothing of the text: it may hold a password at any place.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Url = text.parse().map_err(|_| {
            StoreError::Address(
                "it is no URL; write postgres://user:password@host:5432/database, with special \
                 characters of the password percent-encoded",
            )
        })?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(StoreError::Address("it must begin with postgres://"));
        }
        let known = |name: &str| PARAMETERS.contains(&name);
        if !url.query_pairs().all(|(name, _)| known(&name)) {
            return Err(StoreError::Address(
                "a parameter after the question mark is not known, or the password has a question \
                 mark that is not percent-encoded",
            ));
        }
        // A slash or another special character in the password makes an address of its own.
        let database = url.path().trim_start_matches('/');
        if database.contains(['/', '@']) || url.fragment().is_some() {
            return Err(StoreError::Address(
                "the name of the database is none; percent-encode special characters of the \
                 password",
            ));
        }
        let options = PgConnectOptions::from_str(text).map_err(|_| {
            StoreError::Address("a parameter after the question mark has a value that is not known")
        })?;
        Ok(Self { options })
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.options.get_socket() {
            Some(folder) => write!(f, "{}", folder.display())?,
            None => f.write_str(self.options.get_host())?,
        }
        write!(f, ":{}", self.options.get_port())?;
        match self.options.get_database() {
            Some(database) => write!(f, "/{database}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_user_and_password() {
        for (text, shown) in [
            (
                "postgres://vestibule:canary@db.example.org:5433/launches?sslmode=verify-full",
                "db.example.org:5433/launches",
            ),
            (
                "postgresql:///launches?host=/run/postgresql&port=5432&password=canary&user=u",
                "/run/postgresql:5432/launches",
            ),
        ] {
            let address: PostgresAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), format!("PostgresAddress({shown})"));
        }
    }

    #[test]
    fn a_wrong_address_is_refused_without_repeating_it() {
        for text in [
            "canary",
            "mysql://u:canary@db/launches",
            "postgres://u:pass?canary@db/launches",
            "postgres://u:canary@db:port/launches",
            "postgres://u@db/launches?pasword=canary",
            "postgres://u@db/launches?sslmode=canary",
        ] {
            let error = text.parse::<PostgresAddress>().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("canary"), "{shown}");
            assert!(shown.contains("database"), "{shown}");
        }
    }
}
