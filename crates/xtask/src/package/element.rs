//! The custom element's script: `www/element.js` and what it imports, with the markup,
//! the style sheet and the hash of each file that it loads in it.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha384};

use super::{read, write};
use crate::{
    setup::node::NodeTools,
    wasm::{optimise, publish::files_below, site::relative},
};

/// The element's script in the package.
pub(super) const SCRIPT: &str = "vestibule-element.js";
/// The element's style sheet in the package, for browsers that cannot make one.
pub(super) const STYLE: &str = "css/element.css";
/// The scripts of the pages that the element shares, and its own.
const SHARED: [&str; 6] = [
    "element.js",
    "language.js",
    "lazily.js",
    "load.js",
    "script.js",
    "wanted.js",
];

/// Bundles the element. Everything else is in `package` already.
pub(super) fn bundle(
    tools: &NodeTools,
    pages: &Path,
    scratch: &Path,
    package: &Path,
    markup: &str,
) -> Result<()> {
    let work = scratch.join("element");
    for script in SHARED {
        write(&work.join(script), &read(&pages.join(script))?)?;
    }
    write(&work.join("policy.js"), include_str!("policy.js"))?;
    // The shim is in the element's own script: one file less to wait for, and its hash is
    // that of the script.
    fs::copy(package.join("vestibule.js"), work.join("vestibule.js"))
        .context("cannot copy vestibule.js")?;
    let css = read(&package.join(STYLE))?;
    write(
        &work.join("markup.js"),
        &format!(
            "export const markup = {};\nexport const css = {};\n",
            serde_json::to_string(markup)?,
            serde_json::to_string(css.trim_end())?
        ),
    )?;
    write(&work.join("files.js"), &files(package)?)?;
    optimise::bundle(tools, &work.join("element.js"), &package.join(SCRIPT))
}

/// Addresses from the element's script on, and hashes, of all that it may load.
fn files(package: &Path) -> Result<String> {
    let mut list = serde_json::Map::new();
    for path in files_below(package)? {
        let file = relative(package, &path);
        if file.ends_with(".ts") || file.starts_with("LICENSE") {
            continue;
        }
        let value = serde_json::json!({
            "url": format!("./{file}"),
            "integrity": integrity(&path)?,
        });
        list.insert(file, value);
    }
    Ok(format!(
        "export const files = {};\n",
        serde_json::Value::Object(list)
    ))
}

/// Subresource Integrity of a file.
pub(super) fn integrity(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(format!(
        "sha384-{}",
        BASE64_STANDARD.encode(Sha384::digest(bytes))
    ))
}
