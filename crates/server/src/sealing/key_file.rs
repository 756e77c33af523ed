//! The file of the sealing key: `state.key` in the data folder, or another one.

use std::{
    fs, io,
    io::{Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use base64ct::{Base64, Encoding as _};
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::KEY_BYTES;

/// Reads the key, or makes one where there is none: 32 random bytes that only the
/// server's own user can read.
///
/// # Errors
/// Where the file cannot be read or written, others can read it, or it is damaged.
/// A new key is not made then: the data folder would be unreadable with it.
pub fn read_or_create(
    path: &Path,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyFileError> {
    let fault = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    match fs::File::open(path) {
        Ok(file) => read(path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(path, rng).map_err(fault)?;
            read(path, fs::File::open(path).map_err(fault)?)
        }
        Err(error) => Err(fault(error)),
    }
}

/// Reads a key that others made: 32 bytes, or the same in base64, which is how most
/// stores of secrets hand them out.
///
/// # Errors
/// Where there is no such file, others can read it, or it holds something else.
pub(super) fn read_given(path: &Path) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyFileError> {
    let fault = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    let file = fs::File::open(path).map_err(fault)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * KEY_BYTES));
    refuse_exposed(path, &file)?;
    file.take(2 * KEY_BYTES as u64)
        .read_to_end(&mut bytes)
        .map_err(fault)?;
    let text = std::str::from_utf8(&bytes).ok();
    match (<[u8; KEY_BYTES]>::try_from(bytes.as_slice()), text) {
        (Ok(key), _) => Some(Zeroizing::new(key)),
        (Err(_), Some(text)) => from_base64(text),
        (Err(_), None) => None,
    }
    .ok_or_else(|| KeyFileError::Damaged(path.to_owned()))
}

/// The key that a text gives in base64, with white space around it or without.
pub(super) fn from_base64(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = Zeroizing::new(Base64::decode_vec(text.trim()).ok()?);
    let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok()?;
    Some(Zeroizing::new(key))
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("{path}: {source}; check path and permissions", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Other users can get at it.
    #[error("{path}: readable by others than its owner; run `chmod 600` on it", path = .0.display())]
    Exposed(PathBuf),
    /// It is not 32 bytes long.
    #[error("{path}: not a key of 32 bytes; restore it from a backup, or from where it was made", path = .0.display())]
    Damaged(PathBuf),
}

fn read(path: &Path, mut file: fs::File) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyFileError> {
    let fault = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    let metadata = refuse_exposed(path, &file)?;
    if metadata.len() != KEY_BYTES as u64 {
        return Err(KeyFileError::Damaged(path.to_owned()));
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    file.read_exact(key.as_mut_slice()).map_err(fault)?;
    Ok(key)
}

fn refuse_exposed(path: &Path, file: &fs::File) -> Result<fs::Metadata, KeyFileError> {
    let metadata = file.metadata().map_err(|source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    })?;
    if metadata.mode() & 0o077 != 0 {
        return Err(KeyFileError::Exposed(path.to_owned()));
    }
    Ok(metadata)
}

/// The key gets its name only when all of it is on disk.
fn create(path: &Path, rng: &mut (impl CryptoRng + ?Sized)) -> io::Result<()> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rng.fill_bytes(key.as_mut_slice());
    let new = path.with_extension("key.new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(key.as_slice())?;
    file.sync_all()?;
    fs::hard_link(&new, path)?;
    fs::remove_file(&new)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_to_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.key");
        let mut rng = crate::random::system();
        let key = read_or_create(&path, &mut rng).unwrap();
        assert_eq!(read_or_create(&path, &mut rng).unwrap(), key);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let other = read_or_create(&folder.path().join("other.key"), &mut rng).unwrap();
        assert_ne!(other, key);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.key");
        read_or_create(&path, &mut crate::random::system()).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read_or_create(&path, &mut crate::random::system()).unwrap_err();
            assert!(matches!(error, KeyFileError::Exposed(_)), "{error}");
        }
    }

    #[test]
    fn a_damaged_key_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.key");
        read_or_create(&path, &mut crate::random::system()).unwrap();
        fs::write(&path, [7; 31]).unwrap();
        let error = read_or_create(&path, &mut crate::random::system()).unwrap_err();
        assert!(matches!(error, KeyFileError::Damaged(_)), "{error}");
        assert_eq!(fs::read(&path).unwrap(), [7; 31]);
    }
}
