//! Reading and changing a TOML file that also its user edits.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context, Result};
use toml_edit::{DocumentMut, Item, Value};

/// The port that a configuration file says, where there is one.
pub(super) fn port_of(path: &Path) -> Result<Option<u16>> {
    if !path.exists() {
        return Ok(None);
    }
    let document = read(path)?;
    let listen = document.get("listen").and_then(Item::as_str);
    Ok(listen
        .and_then(|listen| listen.parse().ok())
        .map(|address: SocketAddr| address.port()))
}

/// Whether a configuration file has this key.
pub(super) fn has_key(path: &Path, key: &str) -> Result<bool> {
    Ok(path.exists() && read(path)?.contains_key(key))
}

/// Changes a file in place, leaving comments and order as they are.
pub(super) fn edit(path: &Path, change: impl FnOnce(&mut DocumentMut)) -> Result<()> {
    let mut document = read(path)?;
    let before = document.to_string();
    change(&mut document);
    let after = document.to_string();
    if after == before {
        return Ok(());
    }
    write(path, &after)
}

/// Writes a whole file or nothing, for its owner only.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    let result = (|| {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&new, path)
    })();
    result.with_context(|| format!("cannot write {}", path.display()))
}

/// Sets a string, with the comments beside it.
pub(super) fn set(item: Option<&mut Item>, text: &str) {
    if let Some(value) = item.and_then(Item::as_value_mut)
        && value.as_str() != Some(text)
    {
        let decor = value.decor().clone();
        *value = Value::from(text);
        *value.decor_mut() = decor;
    }
}

/// Brings the port of an address on 127.0.0.1 up to date. Other addresses are
/// the user's own.
pub(super) fn update(item: Option<&mut Item>, address: SocketAddr) {
    const LOCAL: &str = "http://127.0.0.1:";
    let path = item
        .as_ref()
        .and_then(|item| item.as_str())
        .and_then(|url| url.strip_prefix(LOCAL))
        .map(|rest| {
            rest.trim_start_matches(|c: char| c.is_ascii_digit())
                .to_owned()
        });
    if let Some(path) = path {
        set(item, &format!("{LOCAL}{}{path}", address.port()));
    }
}

fn read(path: &Path) -> Result<DocumentMut> {
    fs::read_to_string(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .parse()
        .with_context(|| format!("{} is not valid TOML", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn updated(url: &str) -> String {
        let mut document: DocumentMut = format!("url = \"{url}\" # why").parse().unwrap();
        update(
            document.get_mut("url"),
            SocketAddr::from(([127, 0, 0, 1], 80)),
        );
        document.to_string()
    }

    #[test]
    fn only_the_port_of_a_local_address_changes() {
        assert_eq!(
            updated("http://127.0.0.1:7080/a/8080"),
            "url = \"http://127.0.0.1:80/a/8080\" # why\n"
        );
        assert_eq!(
            updated("https://ehr.example.org:7080/"),
            "url = \"https://ehr.example.org:7080/\" # why\n"
        );
    }

    #[test]
    fn a_file_that_is_not_toml_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.toml");
        fs::write(&path, "listen: here").unwrap();
        let message = port_of(&path).unwrap_err().to_string();
        assert!(message.contains("vestibule.toml"), "{message}");
    }
}
