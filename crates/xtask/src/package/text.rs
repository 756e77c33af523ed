//! What tells npm and programmers about the package.

use std::path::Path;

use anyhow::Result;
use serde_json::json;
use vestibule_landing_page::error_frame_policy;

use super::element::{self, integrity};

/// The name of the package.
pub(super) const NAME: &str = "vestibule-launch";
/// Where a hash goes in the README and in the documentation.
const HASH: &str = "sha384-…";
/// How a page has the element without a bundler.
const ELEMENT: &str = include_str!("snippet-element.html");
/// How a page has the shim without the element and without a bundler.
const MODULE: &str = include_str!("snippet-module.js");
/// How the browser is told the hash of the shim's script then.
const PRELOAD: &str = include_str!("snippet-preload.html");
/// What a page must allow at least.
const POLICY: &str = "script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    connect-src 'self'; frame-src 'self'; require-trusted-types-for 'script'; \
    trusted-types vestibule";

/// `package.json`: each entry point with its declarations.
pub(super) fn package_json() -> Result<String> {
    let entry =
        |name: &str| json!({"types": format!("./{name}.d.ts"), "default": format!("./{name}.js")});
    let package = json!({
        "name": NAME,
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Joins a telehealth visit from a join link: the shim and <vestibule-launch>",
        "license": "MIT OR Apache-2.0",
        "type": "module",
        "main": "./vestibule.js",
        "module": "./vestibule.js",
        "types": "./vestibule.d.ts",
        "exports": {
            ".": entry("vestibule"),
            "./element": entry("vestibule-element"),
            "./error-page": entry("error-page"),
            "./device-check": entry("device-check"),
            "./vestibule_bg.wasm": "./vestibule_bg.wasm",
            "./error-page_bg.wasm": "./error-page_bg.wasm",
            "./device-check_bg.wasm": "./device-check_bg.wasm",
            "./error-frame.html": "./error-frame.html",
            "./css/*": "./css/*",
            "./locales/*": "./locales/*",
        },
        // The element defines itself when it is imported.
        "sideEffects": ["./vestibule-element.js"],
        "files": [
            "*.js",
            "*.d.ts",
            "*.wasm",
            "error-frame.html",
            "css/",
            "locales/",
            "LICENSE-*",
        ],
    });
    Ok(serde_json::to_string_pretty(&package)? + "\n")
}

/// The README, with the hashes of this very package in its snippets.
pub(super) fn readme(folder: &Path) -> Result<String> {
    let hash = |file: &str| integrity(&folder.join(file));
    let element = ELEMENT.replace(HASH, &hash(element::SCRIPT)?);
    let module = MODULE.replace(HASH, &hash("vestibule_bg.wasm")?);
    let preload = PRELOAD.replace(HASH, &hash("vestibule.js")?);
    Ok(include_str!("README.md")
        .replace("ELEMENT_SNIPPET", element.trim_end())
        .replace("MODULE_SNIPPET", module.trim_end())
        .replace("PRELOAD_SNIPPET", preload.trim_end())
        .replace("FRAME_POLICY", &frame_policy())
        .replace("POLICY", POLICY)
        .replace("NAME", NAME))
}

/// What the document in the frame may do: what the server lets it do, in pages of its own
/// origin.
fn frame_policy() -> String {
    error_frame_policy(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = include_str!("../../../../www/element.js");
    const STYLE: &str = include_str!("../../../../www/css/landing.css");
    const TYPES: &str = include_str!("element.d.ts");
    const EMBEDDING: &str = include_str!("../../../../docs/topics/embedding.md");

    #[test]
    fn the_documentation_has_the_snippets_of_the_package() {
        for snippet in [ELEMENT, MODULE, PRELOAD, POLICY, &frame_policy()] {
            assert!(EMBEDDING.contains(snippet), "{snippet}");
        }
    }

    #[test]
    fn the_documentation_has_every_attribute_event_part_and_custom_property() {
        let quoted = |name: &str| EMBEDDING.contains(&format!("`{name}`"));
        let list = |name: &str| {
            let start = format!("const {name} = {{\n");
            let (_, rest) = SCRIPT.split_once(&start).unwrap();
            let (list, _) = rest.split_once("\n};").unwrap();
            let values = list.lines().filter_map(|line| line.split('"').rev().nth(1));
            values.collect::<Vec<_>>()
        };
        let (attributes, parts) = (list("ATTRIBUTES"), list("PARTS"));
        assert!(attributes.contains(&"hand-over") && parts.contains(&"heading"));
        for name in attributes.into_iter().chain(parts) {
            assert!(quoted(name), "{name}");
        }
        let events = TYPES.lines().filter(|line| line.contains(": CustomEvent<"));
        let events: Vec<_> = events.filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(events.len(), 4);
        for event in events {
            assert!(quoted(event), "{event}");
        }
        let properties = STYLE.lines().filter_map(|line| line.trim().split_once(':'));
        for (name, _) in properties.filter(|(name, _)| name.starts_with("--")) {
            assert!(quoted(name), "{name}");
        }
    }

    /// A package of the files whose hashes the README has.
    fn package() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in [element::SCRIPT, "vestibule.js", "vestibule_bg.wasm"] {
            std::fs::write(folder.path().join(file), file).unwrap();
        }
        folder
    }

    /// So a template's logo is shown in somebody else's page as it is on the landing page.
    #[test]
    fn the_frame_of_an_embedded_page_may_do_what_the_landing_page_s_may() {
        let text = readme(package().path()).unwrap();
        let policy = error_frame_policy(&[]);
        assert!(text.contains(&format!("`{policy}`")), "{text}");
        assert!(policy.contains("; img-src data:;"), "{policy}");
    }

    #[test]
    fn the_readme_has_the_hashes_of_the_files_beside_it() {
        let folder = package();
        let text = readme(folder.path()).unwrap();
        for file in [element::SCRIPT, "vestibule.js", "vestibule_bg.wasm"] {
            let hash = integrity(&folder.path().join(file)).unwrap();
            assert!(text.contains(&hash), "{file}");
        }
        assert!(!text.contains(HASH) && !text.contains("_SNIPPET"), "{text}");
    }
}
