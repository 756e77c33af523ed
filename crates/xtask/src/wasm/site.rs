//! The landing page as it is served, and the modules as embedders get them.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    bindings, compress, inline, links, lower, optimise, paths,
    publish::{Staging, copy_below, empty, files_below},
    served::ServedFiles,
    start, texts, trial,
};
use crate::{
    manifest::{Manifest, Module},
    report::SizesByFile,
    setup::node::NodeTools,
    workspace::Workspace,
};

/// Where scripts are served from when there is nothing to bundle them with.
const UNBUNDLED: &str = "unbundled";
/// The texts that stand in the page.
const ENGLISH: &str = "locales/en.json";

/// A build that comes about.
pub(super) struct Site<'a> {
    workspace: &'a Workspace,
    manifest: &'a Manifest,
    tools: Option<&'a NodeTools>,
    staging: Staging,
    package: Staging,
    served: ServedFiles,
    /// The pages' ECMAScript modules, until the entry is bundled.
    scripts: PathBuf,
    /// What stands in pages, by the names that they refer to it by.
    inline: BTreeMap<String, String>,
}

impl<'a> Site<'a> {
    /// Nothing yet, in empty folders.
    pub(super) fn new(
        workspace: &'a Workspace,
        manifest: &'a Manifest,
        tools: Option<&'a NodeTools>,
    ) -> Result<Self> {
        let staging = Staging::new(&workspace.path(&manifest.output))?;
        let scripts = workspace.scratch()?.join("scripts");
        empty(&scripts)?;
        Ok(Self {
            workspace,
            manifest,
            tools,
            served: ServedFiles::new(staging.path()),
            staging,
            package: Staging::new(&workspace.path(&manifest.package))?,
            scripts,
            inline: BTreeMap::new(),
        })
    }

    /// Pages, style sheets, pictures and texts; the scripts are kept for the entry.
    pub(super) fn add_pages(&mut self) -> Result<()> {
        let folder = self.staging.path().to_path_buf();
        self.staging
            .add_pages(&self.workspace.path(&self.manifest.pages))?;
        let mut files = files_below(&folder)?;
        files.sort();
        let english = fs::read_to_string(folder.join(ENGLISH)).context(ENGLISH)?;
        for path in files {
            let file = relative(&folder, &path);
            let is_classic = self.manifest.classic_scripts.contains(&file);
            if has_ending(&path, "js") && !is_classic {
                fs::rename(&path, self.scripts.join(&file))
                    .with_context(|| format!("{file} does not stand beside the pages"))?;
                continue;
            }
            match self.tools {
                Some(tools) if is_classic => optimise::classic_script(tools, &path)?,
                Some(tools) => optimise::page(tools, &path)?,
                None => {}
            }
            if self.tools.is_some() && has_ending(&path, "html") {
                optimise::rewrite(&path, |page| texts::without_keys(page, &english))?;
            }
            if self.manifest.inline_scripts.contains(&file) {
                let text = fs::read_to_string(&path).with_context(|| file.clone())?;
                self.inline.insert(file, text);
                fs::remove_file(&path).context("cannot remove a script")?;
            } else if !has_ending(&path, "html") {
                self.served.name(&file)?;
            }
        }
        Ok(())
    }

    /// A module that Cargo has built: its wasm, and its glue or the entry with it.
    pub(super) fn add_module(&mut self, module: &Module, built: &Path) -> Result<()> {
        let name = &module.name;
        let work = self.workspace.scratch()?.join("modules").join(name);
        empty(&work)?;
        let lowered = work.join("lowered.wasm");
        match self.tools {
            Some(tools) => lower::lower(tools, self.manifest, built, &lowered)?,
            None => lower::keep(built, &lowered)?,
        }
        let (page, package) = (work.join("page"), work.join("package"));
        bindings::generate(&lowered, name, &page, false)?;
        bindings::generate(&lowered, name, &package, true)?;
        let bound = format!("{name}_bg.wasm");
        let wasm = page.join(&bound);
        let mut features = &self.manifest.compiler_features;
        let mut names = None;
        if let Some(tools) = self.tools {
            features = &self.manifest.wasm_features;
            names = Some(optimise::wasm(tools, self.manifest, name, &wasm)?);
        }
        optimise::validate(&wasm, features)?;
        paths::check(self.workspace, &wasm)?;
        fs::copy(&wasm, package.join(&bound))?;

        let served = self.staging.path().join(format!("{name}.wasm"));
        fs::rename(&wasm, &served).with_context(|| format!("cannot move {bound}"))?;
        let root = if self.tools.is_some() { "./" } else { "../" };
        let fetched = self.served.name(&format!("{name}.wasm"))?;
        let glue = |folder: &Path| folder.join(format!("{name}.js"));
        optimise::rewrite(&glue(&page), |text| match module.entry {
            Some(_) => start::fetching_ahead(text),
            None => start::fetching(text, root, fetched),
        })?;
        if let (Some(tools), Some(names)) = (self.tools, &names) {
            optimise::glue(tools, names, &glue(&page))?;
            optimise::glue(tools, names, &glue(&package))?;
            let declarations = |ending: &str| package.join(format!("{name}{ending}"));
            optimise::declarations(&declarations(".d.ts"), &declarations("_bg.wasm.d.ts"))?;
        }
        self.add_package(module, &package)?;
        if let (Some(tools), Some(names)) = (self.tools, &names) {
            let file = |ending: &str| self.package.path().join(format!("{name}{ending}"));
            trial::start(
                self.workspace,
                tools,
                names,
                &file(".js"),
                &file("_bg.wasm"),
            )?;
        }
        self.add_script(module, &page)
    }

    /// Compresses everything and puts it in the place of the last build. The sizes go
    /// by the names that sources know.
    pub(super) fn publish(self) -> Result<SizesByFile> {
        let folder = self.staging.path();
        for path in files_below(folder)? {
            if has_ending(&path, "html") {
                let exists =
                    |name: &str| self.inline.contains_key(name) || folder.join(name).exists();
                optimise::rewrite(&path, |page| {
                    inline::scripts(&links::rename(page, &self.served, exists)?, &self.inline)
                })?;
            }
        }
        let sizes = self.served.sizes(&compress::compress_folder(folder)?);
        self.package.publish()?;
        self.staging.publish()?;
        Ok(sizes)
    }

    /// The shape that `wasm-pack build --target web` gives a package: the glue, with the
    /// module's own scripts in it, looks for its wasm beside itself.
    fn add_package(&self, module: &Module, from: &Path) -> Result<()> {
        let to = self.package.path();
        let Some(tools) = self.tools else {
            return copy_below(from, to);
        };
        let script = format!("{}.js", module.name);
        optimise::bundle(tools, &from.join(&script), &to.join(script))?;
        for file in [
            format!("{}_bg.wasm", module.name),
            format!("{}.d.ts", module.name),
        ] {
            fs::copy(from.join(&file), to.join(&file))
                .with_context(|| format!("cannot copy {file}"))?;
        }
        Ok(())
    }

    /// What of a module's scripts is served, from the folder with its glue.
    fn add_script(&mut self, module: &Module, from: &Path) -> Result<()> {
        let script = format!("{}.js", module.name);
        let mut entry = &script;
        if let Some(page_entry) = &module.entry {
            let root = if self.tools.is_some() { "./" } else { "../" };
            copy_below(&self.scripts, from)?;
            let files = self.served.script(root, &self.manifest.loaded)?;
            fs::write(from.join("files.js"), files).context("cannot write files.js")?;
            entry = page_entry;
        }
        if self.tools.is_none() {
            copy_below(from, &self.staging.path().join(UNBUNDLED))?;
        }
        self.add_entry(from, entry, &script)?;
        if module.entry.is_some() {
            for lazy in &self.manifest.lazy_scripts {
                self.add_entry(from, lazy, lazy)?;
            }
        }
        Ok(())
    }

    /// A script with what it imports, served under this name.
    fn add_entry(&mut self, from: &Path, entry: &str, name: &str) -> Result<()> {
        let folder = self.staging.path();
        if let Some(tools) = self.tools {
            optimise::bundle(tools, &from.join(entry), &folder.join(name))?;
            self.served.name(name)?;
        } else {
            self.served.name_as(name, &format!("{UNBUNDLED}/{entry}"))?;
        }
        Ok(())
    }
}

/// A path with slashes relative to the folder that it is below.
pub(crate) fn relative(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder)
        .expect("files below a folder begin with its path")
        .to_string_lossy()
        .replace('\\', "/")
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension() == Some(OsStr::new(ending))
}
