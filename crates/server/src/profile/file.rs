//! A profile in a TOML file.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Faults, Profile, ProfileDocument, Remark, sealed};
use crate::{
    config::{ConfigError, parse_toml},
    sealing::Sealer,
};

/// A profile from a file, checked.
#[derive(Debug)]
pub struct ProfileFile {
    /// The file.
    pub path: PathBuf,
    /// What it says; secrets are open.
    pub document: ProfileDocument,
    /// The same, checked.
    pub profile: Arc<Profile>,
    exposed: Vec<Remark>,
}

/// Why a file is no profile that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It cannot be read, is no TOML or has a field that there is not.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// Fields are wrong. The message does not repeat their values.
    #[error("{}", by_file(path, faults))]
    Fields {
        /// The file.
        path: PathBuf,
        /// Every fault.
        faults: Faults,
    },
}

impl ProfileFile {
    /// Reads and checks a file. Secrets that are sealed in it need the `sealer` with
    /// which they were sealed.
    ///
    /// # Errors
    /// [`ProfileError`], with every fault of the fields.
    pub fn read(path: &Path, sealer: Option<&Sealer>) -> Result<Self, ProfileError> {
        let unreadable = |source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let mode = fs::metadata(path).map_err(unreadable)?.mode();
        let mut file = Self::parse(path, &text, sealer)?;
        if mode & 0o004 == 0 {
            file.exposed.clear();
        }
        Ok(file)
    }

    /// The same from the file's text; `path` is for errors. The file is taken to be
    /// readable by others.
    ///
    /// # Errors
    /// [`ProfileError`], with every fault of the fields.
    pub fn parse(path: &Path, text: &str, sealer: Option<&Sealer>) -> Result<Self, ProfileError> {
        let fields = |faults| ProfileError::Fields {
            path: path.to_owned(),
            faults,
        };
        let mut document: ProfileDocument = parse_toml(path, text)?;
        let exposed = exposed(&document);
        sealed::open(&mut document, sealer).map_err(fields)?;
        let profile = Profile::check(&document).map_err(fields)?;
        Ok(Self {
            path: path.to_owned(),
            document,
            profile: Arc::new(profile),
            exposed,
        })
    }

    /// What is not wrong with profile and file but seldom meant.
    pub fn warnings(&self) -> impl Iterator<Item = &Remark> {
        self.profile.warnings().iter().chain(&self.exposed)
    }
}

impl Profile {
    /// The profile that stands in a file's text; `path` is for errors.
    ///
    /// # Errors
    /// [`ProfileError`], with every fault of the fields.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ProfileError> {
        let file = ProfileFile::parse(path, text, None)?;
        Ok(Arc::into_inner(file.profile).expect("nobody else has it yet"))
    }
}

/// Secrets that whoever may read the file can read.
fn exposed(document: &ProfileDocument) -> Vec<Remark> {
    let secrets = document.secrets();
    let clear = secrets
        .iter()
        .filter(|(_, secret)| !sealed::is_sealed(secret));
    clear
        .map(|(field, _)| Remark {
            field,
            text: "stands in the clear in a file that others on this machine can read; run \
                   `chmod 640` on the file, or `vestibule profile seal`"
                .to_owned(),
        })
        .collect()
}

fn by_file(path: &Path, faults: &Faults) -> String {
    let lines = faults
        .iter()
        .map(|fault| format!("{}: {fault}", path.display()));
    lines.collect::<Vec<_>>().join("\n")
}
