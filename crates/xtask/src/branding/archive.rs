//! ZIP archives that are the same whenever they are made: the entries sorted, their
//! times fixed. What is used of the format (PKWARE's APPNOTE, sections 4.3 and 4.4) is
//! small enough to stand here: a name, a size and a checksum for every file.

use std::{collections::BTreeMap, io::Write as _};

use anyhow::{Context, Result};
use flate2::{Compression, Crc, write::DeflateEncoder};

/// The first of January 1980, midnight: the earliest that the format knows.
const DATE: u16 = 0x0021;
const TIME: u16 = 0;

/// Version 2.0 of the format: folders and deflate.
const VERSION: u16 = 20;
/// The same, made on Unix, so that permissions are read from the attributes.
const MADE_BY: u16 = 3 << 8 | VERSION;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
const DEFLATE: u16 = 8;
/// A plain file that its owner may write and everybody read.
const ATTRIBUTES: u32 = 0o100_644 << 16;

/// What is written of an entry in both its places.
struct Entry {
    name: String,
    crc: u32,
    compressed: Vec<u8>,
    size: u32,
}

/// An archive of these files, by their paths.
pub(super) fn zip(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in files {
        let entry = Entry::new(name, bytes)?;
        let offset = length(archive.len())?;
        archive.extend(0x0403_4b50_u32.to_le_bytes());
        entry.write_head(&mut archive)?;
        archive.extend(entry.name.as_bytes());
        archive.extend(&entry.compressed);

        directory.extend(0x0201_4b50_u32.to_le_bytes());
        directory.extend(MADE_BY.to_le_bytes());
        entry.write_head(&mut directory)?;
        // No comment, the first disk, no internal attributes.
        directory.extend([0; 6]);
        directory.extend(ATTRIBUTES.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let count = u16::try_from(files.len()).context("too many files for one archive")?;
    let (start, size) = (length(archive.len())?, length(directory.len())?);
    archive.append(&mut directory);
    archive.extend(0x0605_4b50_u32.to_le_bytes());
    // One disk, and all entries on it.
    archive.extend([0; 4]);
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend(size.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    Ok(archive)
}

impl Entry {
    fn new(name: &str, bytes: &[u8]) -> Result<Self> {
        let mut crc = Crc::new();
        crc.update(bytes);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes)?;
        Ok(Self {
            name: name.to_owned(),
            crc: crc.sum(),
            compressed: encoder.finish()?,
            size: length(bytes.len())?,
        })
    }

    /// From the version to the length of the extra field: the same in both places.
    fn write_head(&self, to: &mut Vec<u8>) -> Result<()> {
        let name = u16::try_from(self.name.len()).context("a name is too long")?;
        for word in [VERSION, FLAGS, DEFLATE, TIME, DATE] {
            to.extend(word.to_le_bytes());
        }
        to.extend(self.crc.to_le_bytes());
        to.extend(length(self.compressed.len())?.to_le_bytes());
        to.extend(self.size.to_le_bytes());
        to.extend(name.to_le_bytes());
        to.extend([0; 2]);
        Ok(())
    }
}

fn length(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).context("too large for an archive")
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::*;

    /// Python's own reader checks every checksum and lists what there is.
    const JUDGE: &str = "import sys, zipfile, json\n\
        z = zipfile.ZipFile(sys.argv[1])\n\
        assert z.testzip() is None\n\
        print(json.dumps([[i.filename, z.read(i).decode(), i.date_time, i.external_attr >> 16] for i in z.infolist()]))";

    #[test]
    fn python_reads_what_is_packed() {
        let long = "a long text ".repeat(1000);
        let files = [("webapp3/ü.json", "{}"), ("a.txt", &*long), ("empty", "")];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        let files = files.into();
        let archive = zip(&files).unwrap();
        assert_eq!(archive, zip(&files).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        fs::write(&path, &archive).unwrap();
        let read = Command::new("python3")
            .args(["-c", JUDGE])
            .arg(&path)
            .output()
            .unwrap();
        assert!(
            read.status.success(),
            "{}",
            String::from_utf8_lossy(&read.stderr)
        );
        let listed: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
        let date = [1980, 1, 1, 0, 0, 0];
        let expected = serde_json::json!([
            ["a.txt", long, date, 0o100_644],
            ["empty", "", date, 0o100_644],
            ["webapp3/ü.json", "{}", date, 0o100_644],
        ]);
        assert_eq!(listed, expected);
        assert!(archive.len() < 1000, "it is compressed");
    }
}
