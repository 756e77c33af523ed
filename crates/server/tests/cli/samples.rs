//! What the documentation shows is taken by the program.

use std::{fs, path::Path};

use crate::support::{Home, Profile};

fn topic(name: &str) -> String {
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/topics");
    fs::read_to_string(topics.join(name)).unwrap()
}

/// The first block of TOML.
fn toml_of(name: &str) -> String {
    let text = topic(name);
    let (_, rest) = text.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_profile_for_zooms_urls_is_good() {
    let home = Home::empty();
    home.write("profiles/zoom.toml", &toml_of("zoom.md"));
    let checked = home.run(&["profile", "check"]).good();
    assert!(
        checked.contains("good") && !checked.contains("warning"),
        "{checked}"
    );
}

#[test]
fn the_configuration_for_pexip_infinity_is_taken() {
    let home = Home::with(&Profile::usual());
    home.configure(&toml_of("pexip-infinity.md"));
    home.run(&["profile", "check"]).good();
    let ran = home.run(&["doctor"]);
    ran.line("ok    pexip ");
    ran.line("ok    routing rule ");
}

#[test]
fn links_between_the_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut followed = 0;
    for folder in ["docs/setup", "docs/topics", "docs/reference"] {
        for page in fs::read_dir(root.join(folder)).unwrap() {
            let page = page.unwrap().path();
            let text = fs::read_to_string(&page).unwrap();
            for part in text.split("](").skip(1) {
                let target = part.split(')').next().unwrap();
                let file = target.split('#').next().unwrap();
                if file.is_empty() || file.contains("://") {
                    continue;
                }
                let there = page.parent().unwrap().join(file).exists();
                assert!(there, "{}: {target}", page.display());
                followed += 1;
            }
        }
    }
    assert!(followed > 10, "{followed}");
}
