//! Profiles as files in a folder, secrets included.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;
use toml_edit::{DocumentMut, Item, value};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    cli::{chosen::Known, private_file},
    config::Config,
    profile::{ProfileDocument, folder, sealed::seal_toml},
    random, sealing,
    sealing::Sealer,
    server,
};

/// A folder that profiles are written to.
pub(super) struct Folder {
    path: PathBuf,
    /// Seals secrets; without they stay in the clear.
    sealer: Option<Sealer>,
}

impl Folder {
    /// A folder that is there. Secrets are sealed for the server of `config`.
    pub(super) fn open(path: &Path, config: Option<&Config>) -> anyhow::Result<Self> {
        if !path.is_dir() {
            bail!("{}: there is no such folder", path.display());
        }
        let sealer = match config {
            None => None,
            Some(config) => {
                server::make_data_folder(config)?;
                let environment = sealing::environment();
                let key = sealing::state_key(config, environment.as_ref(), &mut *random::system())?;
                Some(Sealer::new(&key))
            }
        };
        Ok(Self {
            path: path.to_owned(),
            sealer,
        })
    }

    /// No uuid may stand in two files.
    pub(super) fn refuse_twice(&self, uuid: Uuid) -> anyhow::Result<()> {
        for path in folder::paths(&self.path)? {
            // What cannot be read is no profile yet.
            let Ok(known) = Known::read(&path, self.sealer.as_ref()) else {
                continue;
            };
            if known.document.uuid == uuid {
                bail!("{}: has the profile {uuid} already", path.display());
            }
        }
        Ok(())
    }

    /// Writes a new file, named after the profile.
    pub(super) fn write(&self, document: &ProfileDocument) -> anyhow::Result<PathBuf> {
        let mut text = with_secrets(document)?;
        if let Some(sealer) = &self.sealer {
            let sealed = seal_toml(&text, sealer, &mut *random::system())?;
            text = Zeroizing::new(sealed.text);
        }
        let named = self.path.join(format!("{}.toml", slug(&document.name)));
        let path = match named.exists() {
            false => named,
            true => self.path.join(format!("{}.toml", document.uuid)),
        };
        private_file::create(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// The profile's TOML, with its secrets in the clear.
fn with_secrets(document: &ProfileDocument) -> anyhow::Result<Zeroizing<String>> {
    let mut toml: DocumentMut = toml_edit::ser::to_string_pretty(document)?.parse()?;
    for (name, secret) in document.secrets() {
        let mut place: &mut Item = toml.as_item_mut();
        for key in name.split('.') {
            place = &mut place[key];
        }
        *place = value(secret.expose_secret());
    }
    let text = Zeroizing::new(toml.to_string());
    let read: ProfileDocument = toml::from_str(&text)
        .map_err(|_| anyhow::anyhow!("it has no TOML form"))
        .context("the profile cannot be written to a file; import it into the database")?;
    if read.secrets().len() != document.secrets().len() {
        bail!("the profile cannot be written to a file; import it into the database");
    }
    Ok(text)
}

/// A file name of a profile's name: `Healthcare Org` is `healthcare-org`.
fn slug(name: &str) -> String {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    let words: Vec<_> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let slug: String = words.join("-").chars().take(60).collect();
    if slug.is_empty() {
        return "profile".to_owned();
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain() {
        for (name, file) in [
            ("Healthcare Org", "healthcare-org"),
            ("../../etc/passwd", "etc-passwd"),
            ("Clínica Nº 5", "cl-nica-n-5"),
            ("病院", "profile"),
        ] {
            assert_eq!(slug(name), file);
        }
    }

    #[test]
    fn a_file_holds_every_secret_again() {
        let document = ProfileDocument {
            name: "Healthcare Org".to_owned(),
            uuid: Uuid::from_u128(1),
            epic_encryption_key: Some("key \"with\" quotes".into()),
            epic_backend_oauth2_app_private_key: Some("-----BEGIN\nline\n".into()),
            ..toml::from_str(
                "[write_back]\nauthentication = { method = \"basic\", username = \"emp$a\", \
                 password = \"p\" }\n[previous]\nvalid_until = 2027-01-15T08:00:00Z\nepic_encryption_key = \"old\"\n",
            )
            .unwrap()
        };
        let text = with_secrets(&document).unwrap();
        let read: ProfileDocument = toml::from_str(&text).unwrap();
        let shown = |document: &ProfileDocument| -> Vec<_> {
            let secrets = document.secrets().into_iter();
            secrets
                .map(|(name, secret)| (name, secret.expose_secret().to_owned()))
                .collect()
        };
        assert_eq!(shown(&read), shown(&document));
        assert_eq!(shown(&read).len(), 4);
    }
}
