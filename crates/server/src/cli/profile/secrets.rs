//! The secrets of a profile that came without them.

use std::{env, fs};

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    cli::input,
    profile::{
        SecretName,
        import::{Import, set_secret},
    },
};

/// Where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Variables of the environment.
    Environment,
    /// Whoever sits there.
    Terminal,
    /// Nobody.
    Nowhere,
}

impl Source {
    /// The environment where that is wanted, or else whoever is there.
    pub(super) fn choose(from_env: bool) -> Self {
        if from_env {
            Self::Environment
        } else if input::is_terminal() {
            Self::Terminal
        } else {
            Self::Nowhere
        }
    }

    /// Gives the profile what it has not. What stays missing is in the result.
    pub(super) fn complete(self, import: &mut Import) -> anyhow::Result<Vec<SecretName>> {
        let mut missing = Vec::new();
        for name in import.missing_secrets() {
            let secret = match self {
                Self::Environment => from_environment(name)?,
                Self::Terminal => asked_for(name)?,
                Self::Nowhere => None,
            };
            match secret {
                Some(secret) => drop(set_secret(&mut import.document, name, secret)),
                None => missing.push(name),
            }
        }
        Ok(missing)
    }
}

/// The variable that holds a secret: `EPIC_ENCRYPTION_KEY`, `ZOOM_API_SECRET`.
pub(super) fn variable(name: SecretName) -> String {
    name.replace('.', "_").to_ascii_uppercase()
}

fn from_environment(name: SecretName) -> anyhow::Result<Option<SecretString>> {
    match env::var(variable(name)) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value.into())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => bail!("{} is not Unicode", variable(name)),
    }
}

fn asked_for(name: SecretName) -> anyhow::Result<Option<SecretString>> {
    let is_key = name.ends_with("private_key");
    let kind = if is_key { "PEM file of " } else { "" };
    let answer = input::secret(&format!("{kind}{name} (empty: none)"))?;
    let text = answer.expose_secret();
    match (text.trim().is_empty(), is_key) {
        (true, _) => Ok(None),
        (false, false) => Ok(Some(answer)),
        (false, true) => {
            let pem = fs::read_to_string(text.trim());
            Ok(Some(pem.context("the PEM file cannot be read")?.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_after_the_fields() {
        assert_eq!(variable("epic_encryption_key"), "EPIC_ENCRYPTION_KEY");
        assert_eq!(variable("zoom.api_secret"), "ZOOM_API_SECRET");
    }
}
