//! `[admin.oidc]` of the configuration.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;
use vestibule_smart::is_protected;

use crate::admin::Role;

/// Sign-in by OpenID Connect, beside the administrators of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct OidcConfig {
    /// The provider, exactly as its identity tokens name it.
    pub issuer: String,
    /// The id that the provider gave to this server.
    pub client_id: String,
    /// The secret, where the provider gave one.
    pub client_secret: Option<SecretString>,
    /// This server's `/admin/oidc/callback`, as it is registered with the provider.
    pub redirect_uri: String,
    /// What is asked for, `openid` among it.
    pub scope: String,
    /// The claim that names the administrator.
    pub name_claim: String,
    /// The claim that lists the administrator's groups.
    pub groups_claim: String,
    /// Which group has which role. Of several the highest counts.
    pub roles: BTreeMap<String, Role>,
    /// The groups that see names of patients and providers.
    pub names: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    issuer: String,
    client_id: String,
    client_secret: Option<SecretString>,
    redirect_uri: String,
    #[serde(default = "scope")]
    scope: String,
    #[serde(default = "name_claim")]
    name_claim: String,
    #[serde(default = "groups_claim")]
    groups_claim: String,
    roles: BTreeMap<String, Role>,
    #[serde(default)]
    names: BTreeSet<String>,
}

fn scope() -> String {
    "openid profile".to_owned()
}

fn name_claim() -> String {
    "preferred_username".to_owned()
}

fn groups_claim() -> String {
    "groups".to_owned()
}

impl TryFrom<Written> for OidcConfig {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let is_good = |text: &str| {
            let url = Url::parse(text).ok();
            let url = url.filter(|_| text.parse::<http::Uri>().is_ok());
            url.is_some_and(|url| {
                is_protected(&url) && url.query().is_none() && url.fragment().is_none()
            })
        };
        if !is_good(&written.issuer) {
            return Err("issuer must be an https URL without query and fragment");
        }
        if !is_good(&written.redirect_uri) {
            return Err("redirect_uri must be an https URL without query and fragment");
        }
        if !written.redirect_uri.ends_with(super::CALLBACK) {
            return Err("redirect_uri must end with /admin/oidc/callback");
        }
        if !written
            .scope
            .split_ascii_whitespace()
            .any(|it| it == "openid")
        {
            return Err("scope must contain openid");
        }
        if written.roles.is_empty() {
            return Err("roles must give a role to a group");
        }
        Ok(Self {
            issuer: written.issuer,
            client_id: written.client_id,
            client_secret: written.client_secret,
            redirect_uri: written.redirect_uri,
            scope: written.scope,
            name_claim: written.name_claim,
            groups_claim: written.groups_claim,
            roles: written.roles,
            names: written.names,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "issuer = \"https://id.example.org\"\nclient_id = \"vestibule\"\n\
        client_secret = \"S3CRET\"\n\
        redirect_uri = \"https://admin.example.org/admin/oidc/callback\"\n\
        names = [\"clinicians\"]\n[roles]\noperators = \"operate\"\n";

    #[test]
    fn the_table_is_read_and_its_secret_is_not_shown() {
        let config: OidcConfig = toml::from_str(TABLE).unwrap();
        assert_eq!(config.roles["operators"], Role::Operate);
        assert_eq!(config.scope, "openid profile");
        assert!(!format!("{config:?}").contains("S3CRET"));
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for (from, to, told) in [
            ("https://id.example.org", "http://id.example.org", "issuer"),
            ("https://admin.", "http://admin.", "redirect_uri"),
            ("/oidc/callback", "/callback", "/admin/oidc/callback"),
            ("\"operate\"", "\"root\"", "configure"),
            ("operators = \"operate\"", "", "roles"),
            ("names =", "scope = \"profile\"\nnames =", "openid"),
        ] {
            let error = toml::from_str::<OidcConfig>(&TABLE.replace(from, to)).unwrap_err();
            assert!(error.message().contains(told), "{error}");
        }
    }
}
