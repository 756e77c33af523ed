//! The branding packages of the Connect web apps: what an administrator uploads on the
//! Management Node.
//!
//! The third web app's manifest has the keys of Pexip's own examples (the repositories
//! pexip/plugin-interpretation-webapp3 and pexip/webapp3-plugin-set-clock on GitHub);
//! `appTitle` and `images.logo` are told by others only. The second one's files are
//! those of developer.pexip.com.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vestibule_landing_page::{Colour, LogoImage, palette};

use super::config::BrandingConfig;

/// The accent of the landing page where none is configured.
const ACCENT: Colour = Colour::new(0x0b, 0x5c, 0x6b);

/// What the landing page is called where no name is configured.
const NAME: &str = "Video visit";

/// The files of the package for the third web app, by their paths.
pub(super) fn webapp3(
    config: &BrandingConfig,
    logo: Option<&LogoImage>,
) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut images = Map::new();
    let only_published = config.webapp3.published_keys_only;
    if let Some(logo) = logo.filter(|_| !only_published) {
        let name = format!("images/logo.{}", logo.kind().extension());
        images.insert("logo".to_owned(), format!("./{name}").into());
        files.insert(format!("webapp3/branding/{name}"), logo.bytes().to_vec());
    }
    let page = &config.landing_page;
    let name = page.hospital.as_deref().unwrap_or(NAME);
    let accent = page.accent.unwrap_or(ACCENT);
    let palette = palette(accent).map(|colour| colour.to_string().to_ascii_uppercase());
    let mut manifest = json!({
        "version": 0,
        "meta": {"name": name, "brandVersion": "1", "baseColor": accent},
        "brandName": name,
        "images": images,
        "translations": {},
        "applicationConfig": {},
        "defaultUserConfig": {},
        "colorPalette": palette,
        "plugins": [],
    });
    if !only_published {
        manifest["appTitle"] = name.into();
    }
    merge(
        &mut manifest,
        &Value::Object(config.webapp3.manifest.clone()),
    );
    files.insert(
        "webapp3/branding/manifest.json".to_owned(),
        pretty(&manifest),
    );
    files
}

/// The files of the package for the second web app, by their paths.
pub(super) fn webapp2(config: &BrandingConfig) -> BTreeMap<String, Vec<u8>> {
    let manifest = json!({
        "brandingID": config.webapp2.branding_id,
        "isSettingsBranded": true,
    });
    let mut settings = json!({"plugins": []});
    merge(
        &mut settings,
        &Value::Object(config.webapp2.settings.clone()),
    );
    [
        ("webapp2/manifest.json".to_owned(), pretty(&manifest)),
        ("webapp2/settings.json".to_owned(), pretty(&settings)),
    ]
    .into()
}

/// Puts values in the place of others; tables are gone through, lists are not.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.as_str()).or_insert(Value::Null), value);
            }
        }
        (into, from) => into.clone_from(from),
    }
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> BrandingConfig {
        toml_edit::de::from_str(text).unwrap()
    }

    fn manifest(text: &str) -> Value {
        let logo = LogoImage::new("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".into()).unwrap();
        let files = webapp3(&read(text), Some(&logo));
        serde_json::from_slice(&files["webapp3/branding/manifest.json"]).unwrap()
    }

    #[test]
    fn the_third_web_app_gets_name_logo_and_eleven_colours() {
        let manifest =
            manifest("[landing_page]\nhospital = \"Healthcare Org\"\naccent = \"#3d5a76\"");
        assert_eq!(manifest["brandName"], "Healthcare Org");
        assert_eq!(manifest["appTitle"], "Healthcare Org");
        assert_eq!(manifest["meta"]["baseColor"], "#3d5a76");
        assert_eq!(manifest["images"]["logo"], "./images/logo.svg");
        let colours = manifest["colorPalette"].as_array().unwrap();
        assert_eq!(colours.len(), 11);
        assert_eq!(colours[5], "#3D5A76");
        for colour in colours {
            assert!(
                colour.as_str().unwrap().parse::<Colour>().is_ok(),
                "{colour}"
            );
        }
    }

    /// The keys of the manifest that stands in Pexip's own repository.
    #[test]
    fn a_manifest_of_published_keys_has_no_others() {
        let manifest = manifest("[webapp3]\npublished_keys_only = true");
        let mut keys: Vec<_> = manifest.as_object().unwrap().keys().collect();
        keys.sort();
        let published = [
            "applicationConfig",
            "brandName",
            "colorPalette",
            "defaultUserConfig",
            "images",
            "meta",
            "plugins",
            "translations",
            "version",
        ];
        assert_eq!(keys, published);
        assert_eq!(manifest["images"], json!({}));
    }

    #[test]
    fn what_the_configuration_says_of_the_manifest_counts_and_the_rest_stays() {
        let manifest = manifest(
            "[webapp3.manifest]\nappTitle = \"Visit\"\n\
             applicationConfig = { disconnectDestination = \"https://portal.example.org\" }\n\
             meta = { brandVersion = \"2\" }",
        );
        assert_eq!(manifest["appTitle"], "Visit");
        let destination = &manifest["applicationConfig"]["disconnectDestination"];
        assert_eq!(destination, "https://portal.example.org");
        assert_eq!(manifest["meta"]["brandVersion"], "2");
        assert_eq!(manifest["meta"]["name"], NAME);
    }

    #[test]
    fn the_second_web_app_gets_its_two_files() {
        let files = webapp2(&read(
            "[webapp2]\nsettings = { plugins = [{ id = \"x\" }] }",
        ));
        let value = |name: &str| -> Value { serde_json::from_slice(&files[name]).unwrap() };
        let expected = json!({"brandingID": "10000000", "isSettingsBranded": true});
        assert_eq!(value("webapp2/manifest.json"), expected);
        assert_eq!(
            value("webapp2/settings.json"),
            json!({"plugins": [{"id": "x"}]})
        );
    }
}
