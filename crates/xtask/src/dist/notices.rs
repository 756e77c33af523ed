//! The licences of everything that is in the program, as they ask to be handed on.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::made_of::{Crate, MadeOf};

/// How the files begin in which crates say under which licence they are.
const NAMES: [&str; 5] = ["license", "licence", "copying", "notice", "copyright"];

/// One text: each licence once, after the crates that are under it in these words.
pub(super) fn text(made_of: &MadeOf) -> Result<String> {
    let mut texts: Vec<(String, Vec<String>)> = Vec::new();
    let mut overview = String::new();
    let ours = |one: &&Crate| one.source.is_some();
    for one in made_of.crates.iter().filter(ours) {
        let name = format!("{} {}", one.name, one.version);
        let license = one.license.as_deref().unwrap_or("see below");
        overview.push_str(&format!("{name}: {license}\n"));
        for text in files(one)? {
            match texts.iter_mut().find(|(known, _)| *known == text) {
                Some((_, names)) => names.push(name.clone()),
                None => texts.push((text, vec![name.clone()])),
            }
        }
    }
    let mut all = format!(
        "Besides its own code the program has in it the standard library of Rust {}, which \
         is under MIT or Apache-2.0, and these crates:\n\n{overview}",
        made_of.rust
    );
    for (text, names) in texts {
        let rule = "-".repeat(72);
        all.push_str(&format!("\n{rule}\n{}:\n\n{text}\n", names.join(", ")));
    }
    Ok(all)
}

/// What a crate's own licence files say, those of the C code in it too.
fn files(one: &Crate) -> Result<Vec<String>> {
    let folder = Path::new(&one.manifest_path).parent();
    let folder = folder.context("a manifest is in a folder")?;
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() && is_licence(&path) {
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            found.push((path, String::from_utf8_lossy(&bytes).trim().to_owned()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, text)| text).collect())
}

fn is_licence(path: &Path) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase());
    name.is_some_and(|name| NAMES.iter().any(|begin| name.starts_with(begin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_licences_are_known_by_their_names() {
        for (name, is) in [
            ("LICENSE-MIT", true),
            ("LICENSE", true),
            ("license.md", true),
            ("COPYING", true),
            ("NOTICE", true),
            ("README.md", false),
            ("Cargo.toml", false),
        ] {
            assert_eq!(is_licence(Path::new(name)), is, "{name}");
        }
    }
}
