//! The names under which files are served. A name carries a part of the hash of its
//! file, so that the file may be kept for ever; the whole hash is told to the browser,
//! which refuses a file that does not have it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use crate::report::SizesByFile;

/// Bytes of the hash in a name.
const NAME_BYTES: usize = 5;

/// What is known of a file with a hash in its name.
#[derive(Clone, Debug)]
pub(super) struct Served {
    /// Path relative to the folder: `css/landing.0123456789.css`.
    pub(super) file: String,
    /// Subresource Integrity: `sha256-…`, 21 bytes shorter than SHA-384, and as sure.
    pub(super) integrity: String,
}

/// The files of a folder, by the names that sources know them by: `css/landing.css`.
pub(super) struct ServedFiles {
    folder: PathBuf,
    files: BTreeMap<String, Served>,
}

impl ServedFiles {
    /// Nothing named yet in this folder.
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            files: BTreeMap::new(),
        }
    }

    /// Gives a file of the folder, which must not change afterwards, its name.
    pub(super) fn name(&mut self, file: &str) -> Result<&Served> {
        self.name_as(file, file)
    }

    /// As [`ServedFiles::name`], for a file that sources know by another name.
    pub(super) fn name_as(&mut self, known: &str, file: &str) -> Result<&Served> {
        let path = self.folder.join(file);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let hash = Sha256::digest(&bytes);
        let (stem, ending) = file
            .rsplit_once('.')
            .with_context(|| format!("{file} has no ending"))?;
        let short: String = hash[..NAME_BYTES]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let served = Served {
            file: format!("{stem}.{short}.{ending}"),
            integrity: integrity(&hash),
        };
        fs::rename(&path, self.folder.join(&served.file))
            .with_context(|| format!("cannot rename {}", path.display()))?;
        self.files.insert(known.to_owned(), served);
        Ok(&self.files[known])
    }

    /// The file that sources know by this name.
    pub(super) fn get(&self, file: &str) -> Option<&Served> {
        self.files.get(file)
    }

    /// A script with the addresses, from `root` on, and hashes of these files, by
    /// which other scripts load them: `export const files = {…};`. An entry that ends in
    /// a slash stands for a folder without those in it.
    pub(super) fn script(&self, root: &str, loaded: &[String]) -> Result<String> {
        let mut list = serde_json::Map::new();
        for entry in loaded {
            let before = list.len();
            for (file, served) in &self.files {
                let below = file.strip_prefix(entry.as_str());
                let is_in = |name: &str| entry.ends_with('/') && !name.contains('/');
                if below.is_some_and(|name| name.is_empty() || is_in(name)) {
                    let value = serde_json::json!({
                        "url": format!("{root}{}", served.file),
                        "integrity": served.integrity,
                    });
                    list.insert(file.clone(), value);
                }
            }
            ensure!(
                list.len() > before,
                "`loaded` in wasm-pack.toml has {entry}, but there is no such file"
            );
        }
        Ok(format!(
            "export const files = {};\n",
            serde_json::Value::Object(list)
        ))
    }

    /// The sizes by the names that sources know.
    pub(super) fn sizes(&self, by_file: &SizesByFile) -> SizesByFile {
        let names: BTreeMap<&str, &str> = self
            .files
            .iter()
            .map(|(name, served)| (served.file.as_str(), name.as_str()))
            .collect();
        by_file
            .iter()
            .map(|(file, sizes)| {
                let name = names.get(file.as_str()).copied().unwrap_or(file);
                (name.to_owned(), *sizes)
            })
            .collect()
    }
}

fn integrity(hash: &[u8]) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Sizes;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_name_and_an_integrity_are_those_of_the_content() {
        let folder = folder(&[("css/a.css", "abc")]);
        let mut served = ServedFiles::new(folder.path());
        let named = served.name("css/a.css").unwrap();
        // printf abc | sha256sum; printf abc | openssl dgst -sha256 -binary | base64
        assert_eq!(named.file, "css/a.ba7816bf8f.css");
        assert_eq!(
            named.integrity,
            "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
        let path = folder.path().join(&named.file);
        assert_eq!(fs::read_to_string(path).unwrap(), "abc");
        assert!(!folder.path().join("css/a.css").exists());
    }

    #[test]
    fn scripts_learn_of_the_files_that_they_load_and_of_no_others() {
        let folder = folder(&[
            ("locales/de.json", "{}"),
            ("locales/plain/de.json", "{}"),
            ("a.js", "1"),
            ("b.js", "2"),
        ]);
        let mut served = ServedFiles::new(folder.path());
        for name in ["locales/de.json", "locales/plain/de.json", "a.js", "b.js"] {
            served.name(name).unwrap();
        }
        let script = served
            .script("./", &["locales/".to_owned(), "a.js".to_owned()])
            .unwrap();
        assert!(script.contains(&format!("\"./{}\"", served.get("a.js").unwrap().file)));
        assert!(script.contains("\"locales/de.json\""));
        assert!(!script.contains("\"b.js\"") && !script.contains("plain"));
        assert!(served.script("./", &["c.js".to_owned()]).is_err());
    }

    #[test]
    fn sizes_go_by_the_names_that_sources_know() {
        let folder = folder(&[("a.js", "1"), ("index.html", "<p>")]);
        let mut served = ServedFiles::new(folder.path());
        let file = served.name("a.js").unwrap().file.clone();
        let size = |raw| Sizes {
            raw,
            gzip: raw,
            brotli: raw,
        };
        let by_file = SizesByFile::from([(file, size(1)), ("index.html".to_owned(), size(3))]);
        let sizes = served.sizes(&by_file);
        assert_eq!(sizes.len(), 2);
        assert_eq!(sizes["a.js"].raw, 1);
        assert_eq!(sizes["index.html"].raw, 3);
    }
}
