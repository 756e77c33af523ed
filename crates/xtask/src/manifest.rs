//! `wasm-pack.toml`: what the landing page consists of, and how large it may be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use wasmparser::WasmFeatures;

use crate::workspace::Workspace;

/// Name of the file, in the root of the work tree.
pub(crate) const FILE: &str = "wasm-pack.toml";

/// The whole of `wasm-pack.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Manifest {
    /// Folder that is served, relative to the root; replaced by every build.
    pub(crate) output: PathBuf,
    /// Folder with the modules for embedders, relative to the root; replaced likewise.
    pub(crate) package: PathBuf,
    /// Folder with pages, style sheets and scripts, relative to the root.
    pub(crate) pages: PathBuf,
    /// Scripts of that folder for every browser, served each by itself. The others are
    /// ECMAScript modules and become part of what is made of an entry.
    pub(crate) classic_scripts: Vec<String>,
    /// Classic scripts that are not served: they stand in the pages that refer to them.
    pub(crate) inline_scripts: Vec<String>,
    /// ECMAScript modules of that folder that are bundled and served by themselves.
    pub(crate) lazy_scripts: Vec<String>,
    /// Files, and folders with a slash at the end, that scripts load when they are
    /// needed: `files.js` tells them their names and hashes.
    pub(crate) loaded: Vec<String>,
    /// Cargo profile of the modules.
    pub(crate) profile: String,
    /// Features that rustc uses, which are lowered to those below.
    pub(crate) compiler_features: Vec<WasmFeature>,
    /// Features beyond WebAssembly 1.0 that the modules may use.
    pub(crate) wasm_features: Vec<WasmFeature>,
    /// Passes and options of wasm-opt.
    pub(crate) wasm_opt: Vec<String>,
    /// What is built.
    #[serde(rename = "module")]
    pub(crate) modules: Vec<Module>,
    /// What is downloaded together.
    #[serde(rename = "group")]
    pub(crate) groups: Vec<Group>,
}

/// One wasm module with its JavaScript glue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Module {
    /// Stem of the files: `name.js`, `name.wasm`.
    pub(crate) name: String,
    /// Package whose library it is.
    pub(crate) package: String,
    /// Script among the pages that starts it, where it is served as one with the
    /// module's glue. Without one the glue is served by itself.
    pub(crate) entry: Option<String>,
}

/// Files that are downloaded together, and what they may weigh.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Group {
    /// What the report calls it.
    pub(crate) name: String,
    /// Files of the output folder; a folder with everything below it where the
    /// name ends in a slash.
    pub(crate) files: Vec<String>,
    /// Upper limit in bytes after brotli compression; none where the files are
    /// only told.
    pub(crate) brotli_budget: Option<usize>,
    /// The same for each of the files, of which a visit loads one.
    pub(crate) brotli_budget_each: Option<usize>,
}

/// A feature that browsers have had for long enough. The names are wasm-opt's.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WasmFeature {
    BulkMemory,
    Multivalue,
    MutableGlobals,
    NontrappingFloatToInt,
    ReferenceTypes,
    SignExt,
}

impl Manifest {
    /// Reads the manifest of the work tree.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let text = fs::read_to_string(workspace.path(FILE))
            .with_context(|| format!("cannot read {FILE}"))?;
        Self::parse(&text).with_context(|| format!("{FILE} is not as it should be"))
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml_edit::de::from_str(text)?;
        let mut seen = BTreeSet::new();
        for file in manifest.groups.iter().flat_map(|group| &group.files) {
            ensure!(seen.insert(file), "`{file}` is in two groups");
        }
        Ok(manifest)
    }
}

impl Group {
    /// Whether a file, as a path with slashes relative to the output folder,
    /// belongs to this group.
    pub(crate) fn contains(&self, file: &str) -> bool {
        self.files.iter().any(|entry| entry_means(entry, file))
    }

    /// Names in this group for which there is no file.
    pub(crate) fn unmet<T>(&self, files: &BTreeMap<String, T>) -> Vec<&str> {
        self.files
            .iter()
            .filter(|entry| !files.keys().any(|file| entry_means(entry, file)))
            .map(String::as_str)
            .collect()
    }
}

impl WasmFeature {
    /// The option by which wasm-opt may use the feature.
    pub(crate) fn wasm_opt_flag(self) -> &'static str {
        match self {
            Self::BulkMemory => "--enable-bulk-memory",
            Self::Multivalue => "--enable-multivalue",
            Self::MutableGlobals => "--enable-mutable-globals",
            Self::NontrappingFloatToInt => "--enable-nontrapping-float-to-int",
            Self::ReferenceTypes => "--enable-reference-types",
            Self::SignExt => "--enable-sign-ext",
        }
    }

    /// The flag by which the validator accepts the feature.
    pub(crate) fn validator_flag(self) -> WasmFeatures {
        match self {
            Self::BulkMemory => WasmFeatures::BULK_MEMORY,
            Self::Multivalue => WasmFeatures::MULTI_VALUE,
            Self::MutableGlobals => WasmFeatures::MUTABLE_GLOBAL,
            Self::NontrappingFloatToInt => WasmFeatures::SATURATING_FLOAT_TO_INT,
            Self::ReferenceTypes => WasmFeatures::REFERENCE_TYPES,
            Self::SignExt => WasmFeatures::SIGN_EXTENSION,
        }
    }
}

fn entry_means(entry: &str, file: &str) -> bool {
    entry == file || (entry.ends_with('/') && file.starts_with(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_packages_and_a_profile_that_exist() {
        let workspace = Workspace::new();
        let manifest = Manifest::read(&workspace).unwrap();
        let lock = fs::read_to_string(workspace.path("Cargo.lock")).unwrap();
        for module in &manifest.modules {
            let entry = format!("[[package]]\nname = \"{}\"\n", module.package);
            assert!(lock.contains(&entry), "{} is no package", module.package);
        }
        let cargo = fs::read_to_string(workspace.path("Cargo.toml")).unwrap();
        assert!(cargo.contains(&format!("[profile.{}]", manifest.profile)));
    }

    #[test]
    fn the_first_line_of_the_manifest_says_who_reads_it() {
        let text = fs::read_to_string(Workspace::new().path(FILE)).unwrap();
        let first = text.lines().next().unwrap();
        assert!(first.starts_with('#') && first.contains("`cargo xtask wasm`"));
    }

    #[test]
    fn every_module_counts_towards_a_budget() {
        let manifest = Manifest::read(&Workspace::new()).unwrap();
        for module in &manifest.modules {
            for file in [
                format!("{}.js", module.name),
                format!("{}.wasm", module.name),
            ] {
                assert!(
                    manifest
                        .groups
                        .iter()
                        .any(|group| group.brotli_budget.is_some() && group.contains(&file)),
                    "{file} has no budget"
                );
            }
        }
    }

    #[test]
    fn a_file_may_be_in_one_group_only() {
        let group = "[[group]]\nname = \"g\"\nfiles = [\"boot.js\"]\n";
        let head = "output = \"o\"\npackage = \"a\"\npages = \"p\"\nclassic-scripts = []\n\
                    inline-scripts = []\nlazy-scripts = []\nloaded = []\nprofile = \"wasm\"\ncompiler-features = []\n\
                    wasm-features = []\nwasm-opt = []\nmodule = []\n";
        assert!(Manifest::parse(&format!("{head}{group}")).is_ok());
        let error = Manifest::parse(&format!("{head}{group}{group}")).unwrap_err();
        assert!(error.to_string().contains("two groups"), "{error}");
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let text = "output = \"o\"\nouput = \"o\"\n";
        assert!(Manifest::parse(text).is_err());
    }

    #[test]
    fn a_folder_stands_for_everything_below_it() {
        let group = Group {
            name: "on demand".to_owned(),
            files: vec!["locales/".to_owned(), "app.css".to_owned()],
            brotli_budget: None,
            brotli_budget_each: None,
        };
        assert!(group.contains("locales/de.json"));
        assert!(group.contains("app.css"));
        assert!(!group.contains("locales.js"));
        assert!(!group.contains("other/app.css"));
    }
}
