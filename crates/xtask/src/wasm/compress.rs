//! Compressed siblings of served files, so that the server compresses nothing.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use vestibule_landing_page::{brotli, gzip};

use super::{publish::files_below, site::relative};
use crate::report::{Sizes, SizesByFile};

const COMPRESSIBLE: [&str; 8] = ["css", "ftl", "html", "js", "json", "svg", "txt", "wasm"];

/// Writes `name.br` and `name.gz` beside every file that gets smaller by it,
/// and returns the sizes of everything that can be downloaded. TypeScript
/// declarations are for programmers and stay out of it.
pub(super) fn compress_folder(folder: &Path) -> Result<SizesByFile> {
    let mut sizes = SizesByFile::new();
    for path in files_below(folder)? {
        let name = relative(folder, &path);
        if !name.ends_with(".d.ts") {
            let found = compress_file(&path)
                .with_context(|| format!("cannot compress {}", path.display()))?;
            sizes.insert(name, found);
        }
    }
    Ok(sizes)
}

fn compress_file(path: &Path) -> Result<Sizes> {
    let bytes = fs::read(path)?;
    let raw = bytes.len();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    if !COMPRESSIBLE.contains(&&*extension) {
        return Ok(Sizes {
            raw,
            gzip: raw,
            brotli: raw,
        });
    }
    let write = |ending: &str, compressed: Vec<u8>| -> Result<usize> {
        if compressed.len() >= raw {
            return Ok(raw);
        }
        let mut sibling = path.as_os_str().to_owned();
        sibling.push(ending);
        fs::write(&sibling, &compressed)?;
        Ok(compressed.len())
    };
    Ok(Sizes {
        raw,
        gzip: write(".gz", gzip(&bytes)?)?,
        brotli: write(".br", brotli(&bytes)?)?,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn siblings_hold_the_same_content() {
        let folder = tempfile::tempdir().unwrap();
        let text = "the visit will begin soon ".repeat(100);
        fs::create_dir(folder.path().join("locales")).unwrap();
        fs::write(folder.path().join("locales/en.json"), &text).unwrap();
        let sizes = compress_folder(folder.path()).unwrap();
        assert_eq!(sizes["locales/en.json"].raw, text.len());

        let gzip = fs::read(folder.path().join("locales/en.json.gz")).unwrap();
        let mut plain = String::new();
        flate2::read::GzDecoder::new(&gzip[..])
            .read_to_string(&mut plain)
            .unwrap();
        assert_eq!(plain, text);
        assert_eq!(sizes["locales/en.json"].gzip, gzip.len());

        let brotli = fs::read(folder.path().join("locales/en.json.br")).unwrap();
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut &brotli[..], &mut plain).unwrap();
        assert_eq!(plain, text.as_bytes());
        assert_eq!(sizes["locales/en.json"].brotli, brotli.len());
    }

    #[test]
    fn what_does_not_get_smaller_has_no_sibling() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tiny.txt"), "x").unwrap();
        fs::write(folder.path().join("picture.png"), [7; 5000]).unwrap();
        let sizes = compress_folder(folder.path()).unwrap();
        assert_eq!(sizes["tiny.txt"].brotli, 1);
        assert_eq!(sizes["picture.png"].gzip, 5000);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn declarations_are_not_downloaded() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("vestibule.d.ts"), "export {}").unwrap();
        assert!(compress_folder(folder.path()).unwrap().is_empty());
    }
}
