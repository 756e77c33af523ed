//! `cargo xtask dist`: a program with everything in it, a Debian package of it, and the
//! list of what it is made of.

mod c_library;
mod copyright;
mod made_of;
mod manual;
mod notices;
mod package;
mod sbom;
mod tree;
pub(crate) mod trial;

use std::{env, fs, path::Path};

use anyhow::{Context, Result};

use self::{
    made_of::MadeOf,
    package::{Compression, Package},
};
use crate::{
    manifest::Manifest,
    process::{self, output},
    progress::Progress,
    setup::{debian, node::NodeTools, wasm_target},
    wasm::{self, paths},
    workspace::Workspace,
};

/// The package of the workspace whose binary is handed out, and that binary.
const PACKAGED: &str = "vestibule-packaged";
/// The variable from which that package knows where the landing page is.
const EMBED: &str = "VESTIBULE_EMBED_WWW";
/// The profile of what is handed out.
const PROFILE: &str = "dist";

/// Runs the command.
pub(crate) fn run(workspace: &Workspace, output: &Path, revision: u32) -> Result<()> {
    let mut progress = Progress::new(7);
    progress.step("Looking for the wasm target", || {
        wasm_target::ensure(workspace)
    })?;
    let tools = progress.step("Looking for Node.js and its tools", || {
        NodeTools::ensure(workspace)
    })?;
    progress.step("Looking for Debian's packaging tools", || {
        debian::ensure(workspace)
    })?;
    let manifest = Manifest::read(workspace)?;
    progress.step("Building the landing page", || {
        let sizes = wasm::build(workspace, &manifest, Some(&tools))?;
        wasm::report(&manifest, &sizes)
    })?;
    let output = workspace.path(output);
    fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
    let program = output.join("vestibule");
    progress.step("Building the program", || {
        let flags = paths::rustflags(workspace)?;
        build(workspace, &manifest, PROFILE, Some(&flags), &[], &program)
    })?;
    let made_of = MadeOf::of(workspace, &manifest)?;
    let package = Package {
        program: &program,
        made_of: &made_of,
        revision,
        date: source_date(workspace)?,
        compression: Compression::Small,
    };
    let built = progress.step("Building the package", || package.build(workspace, &output))?;
    progress
        .step("Listing what it is made of", || {
            let sbom = sbom::document(&made_of, &package.sbom_subject()?)?;
            let path = built.with_extension("cdx.json");
            fs::write(&path, sbom).with_context(|| format!("cannot write {}", path.display()))?;
            anyhow::Ok(path)
        })
        .and_then(|bill| report(&[&program, &built, &bill]))
}

/// Says what was made, and how large it is.
fn report(made: &[&Path]) -> Result<()> {
    for path in made {
        let bytes = fs::metadata(path)?.len();
        println!("{:>9} KB  {}", bytes.div_ceil(1000), path.display());
    }
    Ok(())
}

/// Builds the program with the landing page in it, to `to` and without symbols. Cargo
/// chooses features for it and the packages `beside` it together.
fn build(
    workspace: &Workspace,
    manifest: &Manifest,
    profile: &str,
    rustflags: Option<&str>,
    beside: &[&str],
    to: &Path,
) -> Result<()> {
    let mut cargo = workspace.cargo(["build", "--quiet", "--locked", "--package", PACKAGED]);
    for package in beside {
        cargo.args(["--package", package]);
    }
    cargo
        .args(["--profile", profile])
        .env(EMBED, workspace.path(&manifest.output));
    if let Some(rustflags) = rustflags {
        cargo.env("CARGO_ENCODED_RUSTFLAGS", rustflags);
    }
    process::run(&mut cargo)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let built = workspace.target().join(folder).join(PACKAGED);
    // Not by the profile: the tests package a program of a profile that keeps symbols.
    let mut strip = workspace.command("strip");
    process::output(strip.arg("-o").args([to, &built])).map(drop)
}

/// The time that everything in the package has, in seconds since 1970: of the last
/// commit, or as `SOURCE_DATE_EPOCH` says (reproducible-builds.org).
fn source_date(workspace: &Workspace) -> Result<u64> {
    let text = match env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => output(workspace.command("git").args(["log", "-1", "--format=%ct"]))
            .context("there is no commit to take the time from; set SOURCE_DATE_EPOCH")?,
    };
    text.trim()
        .parse()
        .context("SOURCE_DATE_EPOCH is not a number of seconds")
}
