//! Files that hold secrets: for their owner's eyes, and never half written.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Makes a new file that only its owner can read.
///
/// # Errors
/// Where there is one of this name, or it cannot be written.
pub(super) fn create(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let created = || -> io::Result<()> {
        let mut file = options().open(path)?;
        file.write_all(contents)?;
        file.sync_all()
    };
    created().with_context(|| match path.exists() {
        true => format!(
            "{}: give another name, or move the file away",
            path.display()
        ),
        false => format!("{}: check the path and its permissions", path.display()),
    })
}

/// Puts other contents into a file at one stroke, with owner and permissions as they
/// are.
///
/// # Errors
/// Where it cannot be replaced. It is as before then.
pub(super) fn replace(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    replaced(path, contents).with_context(|| format!("{}: cannot be replaced", path.display()))
}

fn replaced(path: &Path, contents: &[u8]) -> io::Result<()> {
    // A link goes on leading to the file.
    let path = path.canonicalize()?;
    let metadata = fs::metadata(&path)?;
    let beside = beside(&path);
    let mut file = options().open(&beside)?;
    let mut written = || {
        own(&file, &metadata)?;
        file.set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    written().inspect_err(|_| {
        // What is half written may hold secrets.
        let _ = fs::remove_file(&beside);
    })
}

fn options() -> OpenOptions {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    options
}

fn own(file: &File, as_before: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (as_before.uid(), as_before.gid()) {
        return Ok(());
    }
    fchown(file, Some(as_before.uid()), Some(as_before.gid()))
}

/// Not `*.toml`, so that a server that reads the folder meanwhile does not take it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_its_owners_and_no_file_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        create(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let error = format!("{:#}", create(&path, b"two").unwrap_err());
        assert!(error.contains("another name"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"one");
        let nowhere = folder.path().join("nowhere/key.pem");
        let error = format!("{:#}", create(&nowhere, b"two").unwrap_err());
        assert!(error.contains("check the path"), "{error}");
    }

    #[test]
    fn a_replaced_file_keeps_its_permissions_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, "one").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("b.toml"), b"two").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
