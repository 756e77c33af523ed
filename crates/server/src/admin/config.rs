//! `[admin]` of the configuration.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use serde::{Deserialize, Deserializer};

use super::{OidcConfig, PasswordHash, Role};

/// How long the audit log is kept, in days, where nothing else is said: the six years of
/// 45 CFR 164.316(b)(2)(i).
const AUDIT_DAYS: u32 = 6 * 366;

/// The shortest time: a log that is emptied at once tells of nobody.
const LEAST_AUDIT_DAYS: u32 = 30;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the admin API and the admin pages listen, and who may use them.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct AdminConfig {
    /// Where to listen; never the address of launches. Other than on this machine it needs
    /// TLS: by `[tls]`, or by a reverse proxy in front.
    pub listen: SocketAddr,
    /// The administrators, each with a name of its own: one or more, unless there is
    /// sign-in by OpenID Connect.
    pub users: Vec<AdminUser>,
    /// Sign-in by OpenID Connect, beside these. None by default.
    pub oidc: Option<OidcConfig>,
    /// How long the audit log is kept, in days.
    pub audit_days: u32,
}

impl AdminConfig {
    /// How long the audit log is kept.
    pub(crate) fn audit_kept(&self) -> Duration {
        DAY * self.audit_days
    }
}

/// `[[admin.users]]`: an administrator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminUser {
    /// The name to sign in by.
    #[serde(deserialize_with = "username")]
    pub name: String,
    /// What `vestibule admin password` makes of the password.
    pub password_hash: PasswordHash,
    /// What the administrator may do: `view`, `operate` or `configure`.
    pub role: Role,
    /// Whether the administrator sees names of patients and providers. Not by default.
    #[serde(default)]
    pub names: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    listen: SocketAddr,
    /// With `password_hash` an administrator who may do everything.
    #[serde(default, deserialize_with = "maybe_username")]
    username: Option<String>,
    password_hash: Option<PasswordHash>,
    #[serde(default)]
    users: Vec<AdminUser>,
    oidc: Option<OidcConfig>,
    #[serde(default = "audit_days")]
    audit_days: u32,
}

impl TryFrom<Written> for AdminConfig {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let mut users = written.users;
        match (written.username, written.password_hash) {
            (Some(name), Some(password_hash)) => users.insert(
                0,
                AdminUser {
                    name,
                    password_hash,
                    role: Role::Configure,
                    names: true,
                },
            ),
            (None, None) => {}
            (Some(_), None) => return Err("missing field `password_hash` beside username"),
            (None, Some(_)) => return Err("missing field `username` beside password_hash"),
        }
        if users.is_empty() && written.oidc.is_none() {
            return Err("missing [[admin.users]], username and password_hash, or [admin.oidc]");
        }
        let names: HashSet<_> = users.iter().map(|user| &user.name).collect();
        if names.len() < users.len() {
            return Err("users: two have the same name");
        }
        if written.audit_days < LEAST_AUDIT_DAYS {
            return Err("audit_days must be 30 or more");
        }
        Ok(Self {
            listen: written.listen,
            users,
            oidc: written.oidc,
            audit_days: written.audit_days,
        })
    }
}

fn audit_days() -> u32 {
    AUDIT_DAYS
}

fn maybe_username<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    username(deserializer).map(Some)
}

fn username<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
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
        let [user] = config.users.as_slice() else {
            panic!("one user");
        };
        assert_eq!(user.name, "admin");
        assert_eq!((user.role, user.names), (Role::Configure, true));
        assert!(user.password_hash.matches(b"correct horse battery"));
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
            (format!("{TABLE}audit_days = 29\n"), "30 or more"),
            (format!("{TABLE}audit_days = 0\n"), "30 or more"),
        ] {
            let error = toml::from_str::<AdminConfig>(&text).unwrap_err();
            assert!(error.message().contains(told), "{error}");
            assert!(!error.message().contains("S3CRET"), "{error}");
        }
    }

    #[test]
    fn several_administrators_have_each_their_role() {
        let hash = TABLE.lines().nth(2).unwrap();
        let user =
            |name: &str, rest: &str| format!("[[users]]\nname = \"{name}\"\n{hash}\n{rest}\n");
        let listen = "listen = \"127.0.0.1:7090\"\n";
        let ada = user("ada", "role = \"view\"");
        let grace = user("grace", "role = \"operate\"\nnames = true");
        let text = format!("{listen}audit_days = 30\n{ada}{grace}");
        let config: AdminConfig = toml::from_str(&text).unwrap();
        let users: Vec<_> = config.users.iter().collect();
        assert_eq!((users[0].role, users[0].names), (Role::View, false));
        assert_eq!((users[1].role, users[1].names), (Role::Operate, true));
        assert_eq!(config.audit_days, 30);
        for (text, told) in [
            (listen.to_owned(), "[[admin.users]]"),
            (format!("{listen}{ada}{ada}"), "the same name"),
            (
                format!("{TABLE}{}", user("admin", "role = \"view\"")),
                "the same name",
            ),
            (
                format!("{listen}{}", user("a:b", "role = \"view\"")),
                "without a colon",
            ),
            (
                format!("{listen}{}", user("ada", "role = \"root\"")),
                "configure",
            ),
            (format!("{listen}{}", user("ada", "")), "role"),
            (format!("{listen}username = \"ada\"\n"), "password_hash"),
            (format!("{listen}{hash}\n"), "username"),
        ] {
            let error = toml::from_str::<AdminConfig>(&text).unwrap_err();
            assert!(error.message().contains(told), "{error}");
        }
    }
}
