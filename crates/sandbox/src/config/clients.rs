//! The table `[[clients]]`.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use vestibule_launch::EhrRole;

use super::{ConfigError, invalid};
use crate::{
    client::{App, Authentication, Backend, ClientRole, Clients, RedirectUri, Secrets},
    client_keys::{ClientKeys, KeySet},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientTable {
    role: ClientRole,
    client_id: String,
    client_secret: Option<ClientSecret>,
    jwks: Option<String>,
    jwks_url: Option<String>,
    redirect_uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "must be a text, or a list of two while one replaces the other"
)]
enum ClientSecret {
    One(SecretString),
    Two([SecretString; 2]),
}

/// All registered applications.
pub(super) fn clients(tables: Vec<ClientTable>) -> Result<Clients, ConfigError> {
    let (mut apps, mut backends) = (Vec::new(), Vec::new());
    for table in tables {
        match table.role {
            ClientRole::Provider => apps.push(table.into_app(EhrRole::Provider)?),
            ClientRole::Patient => apps.push(table.into_app(EhrRole::Patient)?),
            ClientRole::Backend => backends.push(table.into_backend()?),
        }
    }
    Clients::new(apps, backends).map_err(|fault| invalid("clients", fault.to_string()))
}

impl ClientTable {
    fn into_app(self, role: EhrRole) -> Result<App, ConfigError> {
        const NAME: &str = "clients.redirect_uri";
        let id = identifier(self.client_id)?;
        let keys = keys(self.jwks, self.jwks_url)?;
        let authentication = match (self.client_secret, keys) {
            (None, None) => Authentication::Public,
            (Some(secret), None) => Authentication::Secrets(secret.into_secrets()?),
            (None, Some(keys)) => Authentication::Keys(keys),
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "clients.client_secret",
                    "an application has either secrets or keys",
                ));
            }
        };
        let redirect_uri = self
            .redirect_uri
            .ok_or_else(|| invalid(NAME, "say where the application gets its codes"))?;
        Ok(App {
            role,
            id,
            redirect_uri: RedirectUri::parse(&redirect_uri)
                .map_err(|fault| invalid(NAME, fault.to_string()))?,
            authentication,
        })
    }

    fn into_backend(self) -> Result<Backend, ConfigError> {
        if self.client_secret.is_some() {
            return Err(invalid(
                "clients.client_secret",
                "a backend signs in with a key: give jwks_url or jwks",
            ));
        }
        if self.redirect_uri.is_some() {
            return Err(invalid("clients.redirect_uri", "a backend has none"));
        }
        Ok(Backend {
            id: identifier(self.client_id)?,
            keys: keys(self.jwks, self.jwks_url)?
                .ok_or_else(|| invalid("clients.jwks_url", "a backend needs jwks_url or jwks"))?,
        })
    }
}

impl ClientSecret {
    fn into_secrets(self) -> Result<Secrets, ConfigError> {
        let (first, second) = match self {
            Self::One(only) => (only, None),
            Self::Two([first, second]) => (first, Some(second)),
        };
        let is_empty = |secret: &SecretString| secret.expose_secret().is_empty();
        if is_empty(&first) || second.as_ref().is_some_and(is_empty) {
            return Err(invalid(
                "clients.client_secret",
                "leave the field out for a public client",
            ));
        }
        Ok(Secrets::new(first, second))
    }
}

fn identifier(id: String) -> Result<String, ConfigError> {
    if id.is_empty() {
        return Err(invalid(
            "clients.client_id",
            "give the application an identifier",
        ));
    }
    Ok(id)
}

fn keys(inline: Option<String>, url: Option<String>) -> Result<Option<ClientKeys>, ConfigError> {
    match (inline, url) {
        (None, None) => Ok(None),
        (Some(json), None) => KeySet::parse(json.as_bytes())
            .map(|keys| Some(ClientKeys::Inline(keys)))
            .map_err(|fault| invalid("clients.jwks", fault.to_string())),
        (None, Some(url)) => Url::parse(&url)
            .ok()
            .filter(|url| url.scheme() == "http")
            .map(|url| Some(ClientKeys::At(url)))
            .ok_or_else(|| {
                invalid(
                    "clients.jwks_url",
                    "must be an absolute http address: the simulated EHR speaks no TLS",
                )
            }),
        (Some(_), Some(_)) => Err(invalid("clients.jwks", "give either jwks_url or jwks")),
    }
}
