//! `cargo xtask package`: what a page of somebody else needs of the landing page, as a
//! package that npm understands: the modules in the layout of `wasm-pack build --target
//! web`, and `<vestibule-launch>`, the page as a custom element.

mod declarations;
mod element;
mod guard;
mod markup;
mod text;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{
    manifest::Manifest,
    setup::node::NodeTools,
    wasm::{
        optimise,
        publish::{Staging, copy_below, files_below},
        site::relative,
    },
    workspace::Workspace,
};
use markup::Markup;

/// What else of the pages belongs to the package, under the names that it has there.
const PAGES: [(&str, &str); 4] = [
    ("error-frame.html", "error-frame.html"),
    ("css/device-check.css", "css/device-check.css"),
    ("../LICENSE-APACHE", "LICENSE-APACHE"),
    ("../LICENSE-MIT", "LICENSE-MIT"),
];
/// The texts of the page, and of the device check.
const LOCALES: [&str; 2] = ["locales", "locales/devices"];

/// Runs the command: makes everything anew in `output`.
pub(crate) fn run(workspace: &Workspace, output: &Path) -> Result<()> {
    let tools = NodeTools::ensure(workspace)?;
    let files = build(workspace, &tools, &workspace.path(output))?;
    println!("{}: {} files", output.display(), files.len());
    Ok(())
}

/// Makes the package, and answers the files in it.
pub(crate) fn build(
    workspace: &Workspace,
    tools: &NodeTools,
    output: &Path,
) -> Result<Vec<String>> {
    let manifest = Manifest::read(workspace)?;
    let built = workspace.path(&manifest.package);
    let pages = workspace.path(&manifest.pages);
    let staging = Staging::new(output)?;
    let folder = staging.path();
    let scratch = TempDir::with_prefix_in("package-", workspace.scratch()?)?;
    let scratch = scratch.path();

    let index = read(&pages.join("index.html"))?;
    let markup = Markup::of(&index).context("index.html is not as the element needs it")?;
    ensure!(
        built.is_dir(),
        "{} is missing; run `cargo xtask wasm` first",
        built.display()
    );
    // Of one build, even where the next one is put in its place meanwhile.
    copy_below(&built, &scratch.join("built"))?;
    let built = scratch.join("built");
    for module in &manifest.modules {
        let name = &module.name;
        let script = format!("{name}.js");
        let wasm = format!("{name}_bg.wasm");
        copy(&built.join(&wasm), &folder.join(&wasm))?;
        let types = format!("{name}.d.ts");
        let api = read(&built.join(&types))?;
        let entry = scratch.join("guarded").join(&script);
        write(&entry, &guard::script(&script, "../built/", &api))?;
        optimise::bundle(tools, &entry, &folder.join(&script))?;
        write(&folder.join(&types), &declarations::checked(&api)?)?;
    }
    for (from, to) in PAGES {
        copy(&pages.join(from), &folder.join(to))?;
    }
    for locales in LOCALES {
        for file in list(&pages.join(locales))? {
            let to = folder
                .join(locales)
                .join(file.file_name().context("a name")?);
            copy(&file, &to)?;
        }
    }
    let style = markup::style(&read(&pages.join("css/landing.css"))?)?;
    write(&folder.join(element::STYLE), &style)?;
    for file in files_below(folder)? {
        if has_ending(&file, &["css", "json", "html"]) {
            optimise::page(tools, &file)?;
        }
    }
    element::bundle(tools, &pages, scratch, folder, &markup.html)?;
    let screens = markup.screens.iter().map(String::as_str);
    let types = include_str!("package/element.d.ts");
    let union = declarations::union(screens);
    write(
        &folder.join("vestibule-element.d.ts"),
        &types.replacen("\"SCREENS\"", &union, 1),
    )?;
    write(&folder.join("package.json"), &text::package_json()?)?;
    write(&folder.join("README.md"), &text::readme(folder)?)?;

    let mut files: Vec<String> = files_below(folder)?
        .iter()
        .map(|path| relative(folder, path))
        .collect();
    files.sort();
    staging.publish()?;
    Ok(files)
}

/// The files of a folder, without those of folders in it.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension()
        .is_some_and(|ending| endings.iter().any(|it| ending == *it))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    make_folder_of(to)?;
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("cannot copy {}", from.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    make_folder_of(path)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn make_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().context("a file is in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
