//! `cargo xtask branding`: a hospital's branding of the Connect web apps, and its landing
//! page for a web server in front of them.

mod archive;
mod config;
mod nginx;
mod packages;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use vestibule_landing_page::{LogoImage, Page, apply, brotli, gzip};

use crate::{manifest::Manifest, workspace::Workspace};
use config::BrandingConfig;

/// Makes everything anew in `output`.
pub(crate) fn run(workspace: &Workspace, config: Option<&Path>, output: &Path) -> Result<()> {
    let (config, logo) = BrandingConfig::read(config)?;
    let www = workspace.path(Manifest::read(workspace)?.output);
    let index = www.join("index.html");
    ensure!(
        index.is_file(),
        "{} is missing; run `cargo xtask wasm` first",
        index.display()
    );
    let index_html =
        fs::read_to_string(&index).with_context(|| format!("cannot read {}", index.display()))?;
    let page = apply(&index_html, &config.landing_page, logo.as_ref())?;

    write(
        &output.join("webapp3.zip"),
        &archive::zip(&packages::webapp3(&config, logo.as_ref()))?,
    )?;
    write(
        &output.join("webapp2.zip"),
        &archive::zip(&packages::webapp2(&config))?,
    )?;
    add_landing(&config, &page, &www, &output.join("landing"))?;
    for (name, text) in nginx_files(&config, &page) {
        write(&output.join("nginx").join(name), text.as_bytes())?;
    }
    report(&config, logo.as_ref(), output);
    Ok(())
}

/// The files for nginx, by name.
fn nginx_files(config: &BrandingConfig, page: &Page) -> [(&'static str, String); 2] {
    [
        ("vestibule-http.conf", nginx::http(config, page)),
        ("vestibule-server.conf", nginx::server(config)),
    ]
}

/// The landing page and its files as the web server finds them: in the folder of their
/// own path.
fn add_landing(config: &BrandingConfig, page: &Page, www: &Path, landing: &Path) -> Result<()> {
    if landing.exists() {
        fs::remove_dir_all(landing)
            .with_context(|| format!("cannot remove {}", landing.display()))?;
    }
    let assets = config.landing_page.assets();
    let folder = landing.join(assets.as_str().trim_matches('/'));
    copy(www, &folder)?;
    let html = page.html.as_bytes();
    write(&folder.join("index.html"), html)?;
    write(&folder.join("index.html.br"), &brotli(html)?)?;
    write(&folder.join("index.html.gz"), &gzip(html)?)
}

/// Copies what browsers ask for; declarations are for programmers.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))?;
    for entry in entries {
        let from = entry?.path();
        let name = from.file_name().context("a file in a folder has a name")?;
        if from.is_dir() {
            copy(&from, &to.join(name))?;
        } else if !name.to_string_lossy().ends_with(".d.ts") {
            let bytes =
                fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
            write(&to.join(name), &bytes)?;
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn report(config: &BrandingConfig, logo: Option<&LogoImage>, output: &Path) {
    let name = config.landing_page.hospital.as_deref().unwrap_or("no name");
    let logo = logo.map_or("no logo", |logo| logo.kind().media_type());
    println!("{}: {name}, {logo}", output.display());
    for (what, file) in [
        ("for webapp3, to be uploaded", "webapp3.zip"),
        ("for webapp2, to be uploaded", "webapp2.zip"),
        ("the landing page, to be served", "landing/"),
        ("what nginx needs for that", "nginx/"),
    ] {
        println!("  {file:<12} {what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// What stands in the samples for the hash of the page's own script, which differs
    /// from build to build.
    const HASH: &str = "'sha256-HASH_OF_THE_SCRIPT_IN_THE_PAGE'";

    fn sample() -> (BrandingConfig, Page) {
        let path = root().join("docs/samples/branding.toml");
        let (config, logo) = BrandingConfig::read(Some(&path)).unwrap();
        let page = "<head><title>Video visit</title><script>watch()</script></head>";
        let mut page = apply(page, &config.landing_page, logo.as_ref()).unwrap();
        assert_eq!(page.script_hashes.len(), 1);
        page.script_hashes = vec![HASH.to_owned()];
        (config, page)
    }

    /// What a sample says of itself.
    fn remark(text: &str) -> String {
        let remark = "# HASH_OF_THE_SCRIPT_IN_THE_PAGE stands for what `cargo xtask branding` \
             writes there:\n# as printed here, the page is left without its script.\n";
        if text.contains(HASH) {
            [remark, text].concat()
        } else {
            text.to_owned()
        }
    }

    /// `UPDATE_DOCS=1` renews them.
    #[test]
    fn the_samples_for_nginx_are_those_of_the_sample_configuration() {
        let (config, page) = sample();
        for (name, text) in nginx_files(&config, &page) {
            let path = root().join("docs/samples/nginx").join(name);
            let text = remark(&text);
            if std::env::var_os("UPDATE_DOCS").is_some() {
                write(&path, text.as_bytes()).unwrap();
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "{name}");
        }
    }

    #[test]
    fn the_sample_configuration_has_every_key() {
        let path = root().join("docs/samples/branding.toml");
        let text = fs::read_to_string(path).unwrap();
        for key in [
            "frame_ancestors = ",
            "[landing_page]",
            "[nginx]",
            "root = ",
            "vestibule = ",
            "node = ",
            "[webapp3]",
            "published_keys_only = ",
            "[webapp3.manifest]",
            "[webapp2]",
            "branding_id = ",
            "settings = ",
        ] {
            let is_there = |line: &str| line.trim_start_matches('#').starts_with(key);
            assert!(text.lines().any(is_there), "{key}");
        }
    }

    #[test]
    fn a_fault_names_the_file_and_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("branding.toml");
        fs::write(&path, "[landing_page]\naccent = \"teal\"\n").unwrap();
        let fault = format!("{:#}", BrandingConfig::read(Some(&path)).unwrap_err());
        assert!(fault.contains("branding.toml"), "{fault}");
        assert!(
            fault.contains("accent") && fault.contains("hexadecimal"),
            "{fault}"
        );
    }
}
