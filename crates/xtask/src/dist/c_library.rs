//! The libraries in C that are compiled into the program: cargo knows only the crates that
//! bring them along.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::made_of::{Crate, MadeOf};

/// A library in C, as its own headers name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CLibrary {
    /// The crate that brings it, by its id.
    pub(super) crate_id: String,
    pub(super) name: &'static str,
    pub(super) version: String,
    /// As SPDX writes it.
    pub(super) license: String,
    pub(super) description: &'static str,
    /// Where it comes from.
    pub(super) repository: &'static str,
}

/// Where a crate keeps a library, and how that says which version it is.
struct Place {
    of_crate: &'static str,
    header: &'static str,
    define: &'static str,
    name: &'static str,
    /// Nothing where the crate's own says it of its library too.
    license: Option<&'static str>,
    description: &'static str,
    repository: &'static str,
}

const PLACES: [Place; 2] = [
    Place {
        of_crate: "aws-lc-sys",
        header: "aws-lc/include/openssl/base.h",
        define: "AWSLC_VERSION_NUMBER_STRING",
        name: "aws-lc",
        license: None,
        description: "AWS-LC, the cryptographic library",
        repository: "https://github.com/aws/aws-lc",
    },
    Place {
        of_crate: "libsqlite3-sys",
        header: "sqlite3/sqlite3.h",
        define: "SQLITE_VERSION",
        name: "sqlite",
        license: Some("blessing"),
        description: "SQLite, the embedded database",
        repository: "https://sqlite.org/src",
    },
];

/// Those that crates of the program bring, by name.
pub(super) fn of(made_of: &MadeOf) -> Result<Vec<CLibrary>> {
    let found = PLACES.iter().flat_map(|place| {
        let crates = made_of.crates.iter();
        crates
            .filter(|one| one.name == place.of_crate)
            .map(|one| place.library(one))
    });
    found.collect()
}

impl Place {
    fn library(&self, one: &Crate) -> Result<CLibrary> {
        let folder = Path::new(&one.manifest_path).parent();
        let header = folder
            .context("a manifest is in a folder")?
            .join(self.header);
        let text = fs::read_to_string(&header)
            .with_context(|| format!("cannot read {}", header.display()))?;
        let version = defined(&text, self.define);
        let version = version
            .with_context(|| format!("{} does not define {}", header.display(), self.define))?;
        let license = self.license.or(one.license.as_deref());
        Ok(CLibrary {
            crate_id: one.id.clone(),
            name: self.name,
            version: version.to_owned(),
            license: license.context("the crate names no licence")?.to_owned(),
            description: self.description,
            repository: self.repository,
        })
    }
}

/// The text that a header defines under a name: `#define NAME "text"`.
fn defined<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix("#define")?.trim_start();
        let rest = rest.strip_prefix(name)?;
        let text = rest.trim().strip_prefix('"')?.strip_suffix('"')?;
        rest.starts_with(char::is_whitespace).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{manifest::Manifest, process::output, workspace::Workspace};

    #[test]
    fn a_definition_is_found_by_its_whole_name() {
        let header = "#define LIB_VERSION_NUMBER 3051003\n  #define LIB_VERSION   \"3.51.3\"\n";
        assert_eq!(defined(header, "LIB_VERSION"), Some("3.51.3"));
        assert_eq!(defined(header, "LIB_VERSION_NUMBER"), None);
        assert_eq!(defined(header, "LIB"), None);
    }

    #[test]
    fn every_crate_of_the_program_that_compiles_c_is_known_with_its_library() {
        let workspace = Workspace::new();
        let manifest = Manifest::read(&workspace).unwrap();
        let made_of = MadeOf::of(&workspace, &manifest).unwrap();
        let libraries = of(&made_of).unwrap();
        for library in &libraries {
            let mut numbers = library.version.split('.');
            assert!(numbers.all(|it| it.parse::<u32>().is_ok()), "{library:?}");
            assert!(!library.license.is_empty(), "{library:?}");
        }
        // Whatever is built with a compiler of C.
        let mut tree = workspace.cargo(["tree", "--locked", "--package", super::super::PACKAGED]);
        tree.args(["--invert", "cc", "--edges", "normal,build", "--depth", "1"]);
        let tree = output(tree.args(["--prefix", "none", "--format", "{p}"])).unwrap();
        for one in &made_of.crates {
            let begins = format!("{} v{}", one.name, one.version);
            let compiles_c = tree.lines().any(|line| line.starts_with(&begins));
            let is_known = libraries.iter().any(|library| library.crate_id == one.id);
            assert!(!compiles_c || is_known, "{begins} compiles C");
        }
        assert_eq!(libraries.len(), PLACES.len());
    }
}
