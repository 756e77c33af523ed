//! Where the sealing key comes from: the environment, a file that `vestibule.toml`
//! names, or `state.key` in the data folder.

use std::env;

use rand::CryptoRng;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{
    KEY_BYTES, KeyFileError,
    key_file::{from_base64, read_given, read_or_create},
};
use crate::config::Config;

/// The variable of the environment that may hold the key: 32 bytes in base64.
pub const STATE_KEY_VARIABLE: &str = "VESTIBULE_STATE_KEY";

/// Why there is no sealing key.
#[derive(Debug, thiserror::Error)]
pub enum StateKeyError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The variable holds something else.
    #[error("{STATE_KEY_VARIABLE}: not 32 bytes in base64; `vestibule keygen 32` makes such a key")]
    Variable,
    /// There are two, and nothing says which one counts.
    #[error(
        "{STATE_KEY_VARIABLE} is set and vestibule.toml names a state_key_file; give one of them"
    )]
    Two,
}

/// What the environment holds of a key.
pub fn environment() -> Option<SecretString> {
    // What is no Unicode is no base64 either, and must not count as no key.
    let value = env::var_os(STATE_KEY_VARIABLE)?;
    Some(value.to_string_lossy().into_owned().into())
}

/// The key under which everything personal and secret is sealed. All servers of one
/// database need the same one. `state.key` is made where there is none; nothing else is.
///
/// # Errors
/// [`StateKeyError`].
pub fn state_key(
    config: &Config,
    environment: Option<&SecretString>,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Zeroizing<[u8; KEY_BYTES]>, StateKeyError> {
    match (environment, &config.state_key_file) {
        (Some(_), Some(_)) => Err(StateKeyError::Two),
        (Some(text), None) => from_base64(text.expose_secret()).ok_or(StateKeyError::Variable),
        (None, Some(path)) => Ok(read_given(path)?),
        (None, None) => Ok(read_or_create(&config.data.join("state.key"), rng)?),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    use super::*;

    /// 0, 1, 2 … 31.
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn bytes() -> [u8; KEY_BYTES] {
        std::array::from_fn(|index| index.try_into().unwrap())
    }

    fn config(folder: &Path, more: &str) -> Config {
        let path = folder.join("vestibule.toml");
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndata = \".\"\nwww = \"www\"\nprofiles = \".\"\n{more}"
        );
        fs::write(&path, text).unwrap();
        Config::read(&path).unwrap()
    }

    fn get(config: &Config, environment: Option<&str>) -> Result<[u8; KEY_BYTES], StateKeyError> {
        let environment = environment.map(SecretString::from);
        state_key(config, environment.as_ref(), &mut *crate::random::system()).map(|key| *key)
    }

    #[test]
    fn the_key_is_in_the_data_folder_unless_something_else_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let plain = config(folder.path(), "");
        assert_eq!(get(&plain, Some(KEY)).unwrap(), bytes());
        assert!(!folder.path().join("state.key").exists());
        let made = get(&plain, None).unwrap();
        assert_eq!(fs::read(folder.path().join("state.key")).unwrap(), made);

        let named = config(folder.path(), "state_key_file = \"given\"\n");
        let given = folder.path().join("given");
        assert!(matches!(
            get(&named, None),
            Err(StateKeyError::File(KeyFileError::Io { .. }))
        ));
        for content in [
            bytes().to_vec(),
            KEY.into(),
            format!("{KEY}\n").into_bytes(),
        ] {
            fs::write(&given, content).unwrap();
            fs::set_permissions(&given, fs::Permissions::from_mode(0o400)).unwrap();
            assert_eq!(get(&named, None).unwrap(), bytes());
            fs::remove_file(&given).unwrap();
        }
    }

    #[test]
    fn a_key_that_is_damaged_exposed_or_named_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let named = config(folder.path(), "state_key_file = \"given\"\n");
        let given = folder.path().join("given");
        fs::write(&given, KEY).unwrap();
        fs::set_permissions(&given, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = |text| get(&named, text).unwrap_err().to_string();
        assert!(refused(None).contains("chmod 600"));
        assert!(refused(Some(KEY)).contains("one of them"));
        fs::set_permissions(&given, fs::Permissions::from_mode(0o600)).unwrap();
        for content in ["", "S3CRET", &KEY[..40], &KEY.repeat(2)] {
            fs::write(&given, content).unwrap();
            let message = refused(None);
            assert!(
                message.contains("given") && message.contains("32 bytes"),
                "{message}"
            );
            assert!(!message.contains("S3CRET"));
        }
        let plain = config(folder.path(), "");
        for text in ["", "S3CRET", &KEY[..40]] {
            let message = get(&plain, Some(text)).unwrap_err().to_string();
            assert!(message.contains("VESTIBULE_STATE_KEY"), "{message}");
            assert!(!message.contains("S3CRET"));
        }
    }
}
