//! `[admin]` of the configuration.

use std::net::SocketAddr;

use serde::Deserialize;

use super::PasswordHash;

/// Where the admin API listens, and who may use it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminConfig {
    /// Where to listen; never the address of launches. Other than on this machine it needs
    /// TLS: by `[tls]`, or by a reverse proxy in front.
    pub listen: SocketAddr,
    /// The administrator.
    #[serde(deserialize_with = "username")]
    pub username: String,
    /// What `vestibule admin password` makes of the administrator's password.
    pub password_hash: PasswordHash,
}

fn username<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let fits = (1..=64).contains(&name.len());
    if !fits || name.contains(':') || name.chars().any(char::is_control) {
        let message = "username must be 1 to 64 characters without a colon";
        return Err(serde::de::Error::custom(message));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "listen = \"127.0.0.1:7090\"\nusername = \"admin\"\n\
        password_hash = \"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4\"\n";

    #[test]
    fn the_table_is_read_and_its_hash_is_not_shown() {
        let config: AdminConfig = toml::from_str(TABLE).unwrap();
        assert_eq!(config.username, "admin");
        assert!(config.password_hash.matches(b"correct horse battery"));
        assert!(!format!("{config:?}").contains("argon2id"));
    }

    #[test]
    fn a_password_in_the_place_of_its_hash_is_refused_without_repeating_it() {
        for (text, told) in [
            (
                TABLE.replace("$argon2id$v=19$", "S3CRET"),
                "vestibule admin password",
            ),
            (TABLE.replace("\"admin\"", "\"a:b\""), "without a colon"),
            (TABLE.replace("\"admin\"", "\"\""), "without a colon"),
            (TABLE.replace("username", "user"), "user"),
        ] {
            let error = toml::from_str::<AdminConfig>(&text).unwrap_err();
            assert!(error.message().contains(told), "{error}");
            assert!(!error.message().contains("S3CRET"), "{error}");
        }
    }
}
