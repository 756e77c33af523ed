//! What `cargo xtask branding` makes: a hospital's branding, as a TOML file.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};
use vestibule_landing_page::{Configuration, LogoImage, LogoSource, Origin};

/// The configuration. Everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BrandingConfig {
    /// The landing page, as in `vestibule.toml`.
    #[serde(default)]
    pub(crate) landing_page: Configuration,
    /// Who may embed the landing page, as in `vestibule.toml`.
    #[serde(default)]
    pub(crate) frame_ancestors: Vec<Origin>,
    /// The web server in front of the Connect web app.
    #[serde(default)]
    pub(crate) nginx: NginxConfig,
    /// The package for the third web app.
    #[serde(default)]
    pub(crate) webapp3: Webapp3Config,
    /// The package for the second web app.
    #[serde(default)]
    pub(crate) webapp2: Webapp2Config,
}

/// What the reverse proxy's configuration names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NginxConfig {
    /// Where the folder `landing` of the package is put.
    pub(crate) root: String,
    /// The Vestibule server.
    pub(crate) vestibule: Origin,
    /// The Conferencing Node, which serves the Connect web app as well.
    pub(crate) node: Origin,
}

/// The package for the third web app.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webapp3Config {
    /// Leaves out the keys that no manifest of Pexip's own shows.
    pub(crate) published_keys_only: bool,
    /// More keys of the manifest, or other values.
    pub(crate) manifest: Map<String, Value>,
}

/// The package for the second web app.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webapp2Config {
    /// `brandingID` of the manifest.
    pub(crate) branding_id: String,
    /// More keys of the settings, or other values.
    pub(crate) settings: Map<String, Value>,
}

impl BrandingConfig {
    /// Reads the file; relative paths in it start at its folder. The image comes with
    /// it where there is a logo.
    pub(crate) fn read(path: Option<&Path>) -> Result<(Self, Option<LogoImage>)> {
        let Some(path) = path else {
            return Ok((Self::default(), None));
        };
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let config: Self = toml_edit::de::from_str(&text)
            .with_context(|| format!("{} cannot be used", path.display()))?;
        let root = &config.nginx.root;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
        ensure!(
            root.starts_with('/') && root.bytes().all(is_plain),
            "{}: nginx.root: write an absolute path of letters, digits, dots, hyphens and underscores",
            path.display()
        );
        let folder = path.parent().unwrap_or(Path::new(""));
        let read = |logo: &LogoSource| logo.load(|file| fs::read(folder.join(file)));
        let logo = config.landing_page.logo.as_ref().map(read).transpose()?;
        Ok((config, logo))
    }
}

impl Default for NginxConfig {
    fn default() -> Self {
        let origin = |text: &str| Origin::try_from(text.to_owned()).expect("it is an origin");
        Self {
            root: "/usr/share/vestibule/landing".to_owned(),
            vestibule: origin("http://127.0.0.1:7080"),
            node: origin("https://node.example.org"),
        }
    }
}

impl Default for Webapp2Config {
    fn default() -> Self {
        Self {
            branding_id: "10000000".to_owned(),
            settings: Map::new(),
        }
    }
}
