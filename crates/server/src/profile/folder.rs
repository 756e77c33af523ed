//! The folder of profiles: one TOML file each.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::{ProfileConflict, ProfileError, ProfileFile, ProfileSet};
use crate::sealing::Sealer;

/// What is wrong with a folder of profiles: all of it. None of its profiles is used
/// then.
#[derive(Debug)]
pub struct FolderErrors(Vec<FolderError>);

/// One thing that is wrong with a folder of profiles.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error("profiles: {path}: {source}; check the path and its permissions", path = .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A profile in it cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Two profiles cannot be told apart.
    #[error("{path}: {conflict}", path = .path.display())]
    Conflict {
        /// The file that comes second.
        path: PathBuf,
        /// What is the same.
        conflict: ProfileConflict,
    },
}

/// Reads every `*.toml` of a folder, in the order of their names. Secrets that are
/// sealed in them need the `sealer` with which they were sealed.
///
/// # Errors
/// [`FolderErrors`]: all or nothing.
pub fn read(folder: &Path, sealer: Option<&Sealer>) -> Result<Vec<ProfileFile>, FolderErrors> {
    let paths = paths(folder).map_err(|source| {
        FolderErrors(vec![FolderError::Unreadable {
            path: folder.to_owned(),
            source,
        }])
    })?;
    let mut errors = Vec::new();
    let mut files = Vec::new();
    let mut profiles = ProfileSet::default();
    for path in paths {
        match ProfileFile::read(&path, sealer) {
            Err(error) => errors.push(error.into()),
            Ok(file) => match profiles.add_shared(file.profile.clone()) {
                Err(conflict) => errors.push(FolderError::Conflict { path, conflict }),
                Ok(()) => files.push(file),
            },
        }
    }
    if errors.is_empty() {
        Ok(files)
    } else {
        Err(FolderErrors(errors))
    }
}

impl FolderErrors {
    /// Every error, by file name.
    pub fn iter(&self) -> impl Iterator<Item = &FolderError> {
        self.0.iter()
    }
}

impl fmt::Display for FolderErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for FolderErrors {}

/// The files of a folder that count, by name.
pub(crate) fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
