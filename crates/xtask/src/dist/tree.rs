//! The files of a package as they will lie on a machine, with the modes that they have
//! there.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};

/// A folder that stands for the root of a machine.
pub(super) struct Tree(PathBuf);

impl Tree {
    /// Over an empty folder.
    pub(super) fn new(root: &Path) -> Result<Self> {
        mode(root, 0o755)?;
        Ok(Self(root.to_owned()))
    }

    pub(super) fn root(&self) -> &Path {
        &self.0
    }

    /// A file that everybody may read.
    pub(super) fn file(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.put(path, bytes, 0o644)
    }

    /// A file that everybody may run.
    pub(super) fn program(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.put(path, bytes, 0o755)
    }

    /// A file that is kept compressed; `path` ends in `.gz`. Neither name nor time are in
    /// it, so that it is the same each time.
    pub(super) fn compressed(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
        std::io::Write::write_all(&mut encoder, bytes)?;
        self.file(path, &encoder.finish()?)
    }

    /// An empty folder.
    pub(super) fn folder(&self, path: &str) -> Result<()> {
        let mut folder = self.0.clone();
        for part in Path::new(path) {
            folder.push(part);
            if !folder.is_dir() {
                fs::create_dir(&folder)
                    .with_context(|| format!("cannot make {}", folder.display()))?;
                // Whatever the umask is.
                mode(&folder, 0o755)?;
            }
        }
        Ok(())
    }

    fn put(&self, path: &str, bytes: &[u8], bits: u32) -> Result<()> {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder)?;
        }
        let path = self.0.join(path);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        mode(&path, bits)
    }
}

fn mode(path: &Path, bits: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(bits))
        .with_context(|| format!("cannot set the mode of {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_have_their_modes_whatever_the_umask_is() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new(folder.path()).unwrap();
        tree.program("usr/bin/a", b"a").unwrap();
        tree.file("usr/share/b", b"b").unwrap();
        tree.folder("etc/c").unwrap();
        for (path, bits) in [
            ("", 0o755),
            ("usr/bin", 0o755),
            ("usr/bin/a", 0o755),
            ("usr/share/b", 0o644),
            ("etc/c", 0o755),
        ] {
            let metadata = fs::metadata(folder.path().join(path)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o7777, bits, "{path}");
        }
    }

    #[test]
    fn a_compressed_file_is_the_same_each_time_and_gzip_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new(folder.path()).unwrap();
        tree.compressed("a.gz", b"what it says").unwrap();
        tree.compressed("b.gz", b"what it says").unwrap();
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read("a.gz"), read("b.gz"));
        let mut gzip = std::process::Command::new("gzip");
        let read = gzip.args(["-dc"]).arg(folder.path().join("a.gz"));
        assert_eq!(crate::process::output(read).unwrap(), "what it says");
    }
}
