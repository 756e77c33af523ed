//! Lists the files of the landing page for the program, where `VESTIBULE_EMBED_WWW` names
//! the folder in which it was built. Without the variable the program has none.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

const VARIABLE: &str = "VESTIBULE_EMBED_WWW";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let folder = env::var_os(VARIABLE).map(PathBuf::from);
    let code = folder.map_or_else(|| "None".to_owned(), |folder| files(&folder));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder"));
    fs::write(out.join("page.rs"), code).expect("cargo's folder can be written to");
}

/// The expression that has every file of the page in it, in the order of their names.
fn files(folder: &Path) -> String {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = Vec::new();
    add(folder, "", &mut found);
    assert!(
        found.iter().any(|(name, _)| name == "index.html"),
        "{} has no index.html; run `cargo xtask wasm` first",
        folder.display()
    );
    found.sort();
    let list: String = found
        .iter()
        .map(|(name, path)| format!("({name:?}, include_bytes!({path:?}).as_slice()),\n"))
        .collect();
    format!("Some(EmbeddedFiles::new(&[\n{list}]))")
}

/// Adds what browsers ask for; declarations are for programmers.
fn add(folder: &Path, below: &str, found: &mut Vec<(String, PathBuf)>) {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a folder can be read to its end");
        let name = entry.file_name();
        let name = name.to_str().expect("names of the page are UTF-8");
        let name = format!("{below}{name}");
        let path = entry.path();
        if path.is_dir() {
            add(&path, &format!("{name}/"), found);
        } else if !name.ends_with(".d.ts") {
            found.push((name, path));
        }
    }
}
