//! The software bill of materials: CycloneDX 1.6 in JSON (ECMA-424).

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    c_library::{self, CLibrary},
    made_of::{Crate, MadeOf},
};

/// What the bill is for.
pub(super) struct Subject {
    /// The package's version, with its revision: `0.1.0-1`.
    pub(super) version: String,
    /// As Debian names it: `amd64`.
    pub(super) architecture: String,
    /// SHA-256 of the program, in hexadecimal.
    pub(super) hash: String,
    /// Seconds since 1970.
    pub(super) date: u64,
}

/// The document. The same for the same subject.
pub(super) fn document(made_of: &MadeOf, subject: &Subject) -> Result<String> {
    let program = made_of.program()?;
    let Subject {
        version,
        architecture,
        hash,
        date,
    } = subject;
    let package = format!("pkg:deb/vestibule@{version}?arch={architecture}");
    let rust = format!("pkg:generic/rust@{}", made_of.rust);
    let mut components: Vec<Value> = made_of.crates.iter().map(component).collect();
    let libraries = c_library::of(made_of)?;
    components.extend(libraries.iter().map(c_component));
    components.push(json!({
        "type": "library",
        "bom-ref": rust,
        "name": "rust",
        "version": made_of.rust,
        "description": "The standard library of Rust",
        "purl": rust,
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
    }));
    let of_id = |id: &String| made_of.crates.iter().find(|one| one.id == *id).map(purl);
    let mut dependencies: Vec<Value> = made_of
        .crates
        .iter()
        .map(|one| {
            let mut uses: Vec<String> = one.uses.iter().filter_map(of_id).collect();
            let brought = libraries.iter().filter(|it| it.crate_id == one.id);
            uses.extend(brought.map(c_purl));
            json!({ "ref": purl(one), "dependsOn": uses })
        })
        .collect();
    dependencies.push(json!({ "ref": package, "dependsOn": [purl(program), rust] }));
    let seconds = i64::try_from(*date).context("the date is out of range")?;
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": jiff::Timestamp::from_second(seconds)?.to_string(),
            "component": {
                "type": "application",
                "bom-ref": package,
                "name": "vestibule",
                "version": version,
                "purl": package,
                "licenses": [{ "expression": "MIT OR Apache-2.0" }],
                "hashes": [{ "alg": "SHA-256", "content": hash }],
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    document["serialNumber"] = serial_number(&document).into();
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn component(one: &Crate) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(one),
        "name": one.name,
        "version": one.version,
        "purl": purl(one),
    });
    if let Some(description) = &one.description {
        let words: Vec<&str> = description.split_whitespace().collect();
        component["description"] = words.join(" ").into();
    }
    if let Some(license) = &one.license {
        component["licenses"] = json!([{ "expression": expression(license) }]);
    }
    if let Some(checksum) = &one.checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = &one.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

fn c_component(library: &CLibrary) -> Value {
    json!({
        "type": "library",
        "bom-ref": c_purl(library),
        "name": library.name,
        "version": library.version,
        "purl": c_purl(library),
        "description": library.description,
        "licenses": [c_license(&library.license)],
        "externalReferences": [{ "type": "vcs", "url": library.repository }],
    })
}

/// One licence stands by its id, several as an expression.
fn c_license(license: &str) -> Value {
    if license.contains(' ') {
        json!({ "expression": license })
    } else {
        json!({ "license": { "id": license } })
    }
}

/// There is no registry of libraries in C.
fn c_purl(library: &CLibrary) -> String {
    format!("pkg:generic/{}@{}", library.name, library.version)
}

/// The package URL, which also refers to the crate within the document.
fn purl(one: &Crate) -> String {
    // Cargo allows a plus sign in versions; package URLs want it encoded.
    format!("pkg:cargo/{}@{}", one.name, one.version.replace('+', "%2B"))
}

/// As SPDX writes it: some crates still put a slash between alternatives.
fn expression(license: &str) -> String {
    license
        .split('/')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" OR ")
}

/// A UUID that belongs to what is in the document.
fn serial_number(document: &Value) -> String {
    let hash = Sha256::digest(document.to_string());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes)
        .into_uuid()
        .urn()
        .to_string()
}

#[cfg(test)]
mod tests {
    use vestibule_python_judge::Judge;

    use super::*;
    use crate::{manifest::Manifest, workspace::Workspace};

    fn subject() -> Subject {
        Subject {
            version: "0.1.0-1".to_owned(),
            architecture: "amd64".to_owned(),
            hash: "0".repeat(64),
            date: 1_700_000_000,
        }
    }

    #[test]
    fn cyclonedx_own_library_takes_the_document_for_a_bill_of_version_1_6() {
        let workspace = Workspace::new();
        let manifest = Manifest::read(&workspace).unwrap();
        let made_of = MadeOf::of(&workspace, &manifest).unwrap();
        let document = document(&made_of, &subject()).unwrap();
        let environments = workspace.scratch().unwrap();
        let judge = Judge {
            program: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judge_sbom.py"),
            packages: &["cyclonedx-python-lib[json-validation]==11.12.0"],
            environments: environments.to_str().unwrap(),
        };
        let wrong = document.replace("\"SHA-256\"", "\"SHA-257\"");
        let dangling = document.replacen("\"ref\": \"pkg:cargo/", "\"ref\": \"pkg:other/", 1);
        let judged: Vec<Value> = judge.judge(&[&document, &wrong, &dangling]);
        assert_eq!(judged[0]["fault"], Value::Null, "{}", judged[0]);
        let libraries = c_library::of(&made_of).unwrap();
        let count = made_of.crates.len() + libraries.len() + 1;
        assert_eq!(judged[0]["components"], count);
        for library in &libraries {
            let purl = format!("\"purl\": \"{}\"", c_purl(library));
            assert!(document.contains(&purl), "{library:?}");
        }
        assert_ne!(judged[1]["fault"], Value::Null);
        assert_ne!(judged[2]["fault"], Value::Null);
    }

    #[test]
    fn alternatives_and_versions_are_written_as_their_standards_want_it() {
        assert_eq!(expression("MIT/Apache-2.0"), "MIT OR Apache-2.0");
        assert_eq!(expression("MIT OR Apache-2.0"), "MIT OR Apache-2.0");
        let one = Crate {
            id: String::new(),
            name: "libz-sys".to_owned(),
            version: "1.1.0+zlib".to_owned(),
            license: None,
            description: None,
            repository: None,
            manifest_path: String::new(),
            source: None,
            checksum: None,
            uses: Vec::new(),
        };
        assert_eq!(purl(&one), "pkg:cargo/libz-sys@1.1.0%2Bzlib");
    }

    #[test]
    fn the_serial_number_changes_with_the_document_only() {
        let one = serial_number(&json!({ "a": 1 }));
        assert_eq!(one, serial_number(&json!({ "a": 1 })));
        assert_ne!(one, serial_number(&json!({ "a": 2 })));
        assert!(one.starts_with("urn:uuid:"), "{one}");
    }
}
