//! Putting a finished build in the place of the last one.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// A folder beside the served one, in which a build comes about.
pub(crate) struct Staging {
    folder: PathBuf,
    served: PathBuf,
}

impl Staging {
    /// An empty folder beside the one that is served.
    pub(crate) fn new(served: &Path) -> Result<Self> {
        let staging = Self {
            folder: served.with_extension("new"),
            served: served.to_path_buf(),
        };
        empty(&staging.folder)?;
        Ok(staging)
    }

    /// Where the build writes to.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Copies the pages, without hidden files.
    pub(super) fn add_pages(&self, pages: &Path) -> Result<()> {
        copy_below(pages, &self.folder)
    }

    /// Replaces the served folder by this one, by renaming: a running server
    /// never sees a half-written file, and no file of an earlier build stays. A folder
    /// with the same in it stays as it is, for those who are reading it.
    pub(crate) fn publish(self) -> Result<()> {
        if self.served.is_dir() && same(&self.folder, &self.served)? {
            return remove(&self.folder);
        }
        let old = self.served.with_extension("old");
        remove(&old)?;
        if self.served.exists() {
            fs::rename(&self.served, &old)
                .with_context(|| format!("cannot move {} away", self.served.display()))?;
        }
        fs::rename(&self.folder, &self.served)
            .with_context(|| format!("cannot put {} in place", self.served.display()))?;
        remove(&old)
    }
}

/// Copies what is in a folder into another one, without hidden files.
pub(crate) fn copy_below(from: &Path, to: &Path) -> Result<()> {
    copy(from, to).with_context(|| format!("cannot copy {}", from.display()))
}

/// Makes a folder that is empty, or empties it.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Every file of a folder and of those in it, in no certain order.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Whether two folders have the same files in them.
fn same(one: &Path, other: &Path) -> Result<bool> {
    let names = |folder: &Path| -> Result<BTreeSet<PathBuf>> {
        let files = files_below(folder)?;
        let below = |file: &PathBuf| file.strip_prefix(folder).map(Path::to_path_buf);
        Ok(files.iter().map(below).collect::<Result<_, _>>()?)
    };
    let shared = names(one)?;
    if shared != names(other)? {
        return Ok(false);
    }
    for name in shared {
        if fs::read(one.join(&name))? != fs::read(other.join(&name))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if is_hidden(&entry.file_name()) {
            continue;
        }
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_build_replaces_the_last_one_wholly() {
        let folder = tempfile::tempdir().unwrap();
        let served = folder.path().join("www");
        let pages = folder.path().join("pages");
        fs::create_dir_all(pages.join("locales")).unwrap();
        fs::write(pages.join("locales/de.json"), "{}").unwrap();
        fs::write(pages.join(".swp"), "").unwrap();
        fs::create_dir(&served).unwrap();
        fs::write(served.join("stale.js"), "").unwrap();

        let staging = Staging::new(&served).unwrap();
        staging.add_pages(&pages).unwrap();
        assert!(served.join("stale.js").exists());
        staging.publish().unwrap();

        assert_eq!(
            fs::read_to_string(served.join("locales/de.json")).unwrap(),
            "{}"
        );
        assert!(!served.join("stale.js").exists());
        assert!(!served.join(".swp").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_build_of_the_same_leaves_the_last_one_to_its_readers() {
        let folder = tempfile::tempdir().unwrap();
        let served = folder.path().join("www");
        let build = |text: &str| {
            let staging = Staging::new(&served).unwrap();
            fs::create_dir(staging.path().join("css")).unwrap();
            fs::write(staging.path().join("css/landing.css"), text).unwrap();
            staging.publish().unwrap();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        };
        build("a{}");
        let reader = fs::File::open(&served).unwrap();
        let inode = |file: &fs::File| file.metadata().unwrap().ino();

        build("a{}");
        assert_eq!(inode(&fs::File::open(&served).unwrap()), inode(&reader));

        build("b{}");
        assert_ne!(inode(&fs::File::open(&served).unwrap()), inode(&reader));
        assert_eq!(
            fs::read_to_string(served.join("css/landing.css")).unwrap(),
            "b{}"
        );
    }

    #[test]
    fn what_an_interrupted_build_left_does_not_get_into_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let served = folder.path().join("www");
        let interrupted = Staging::new(&served).unwrap();
        fs::write(interrupted.path().join("half.js"), "").unwrap();
        Staging::new(&served).unwrap().publish().unwrap();
        assert_eq!(fs::read_dir(&served).unwrap().count(), 0);
    }
}
