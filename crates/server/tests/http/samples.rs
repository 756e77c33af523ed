//! The sample files in docs/samples.

use std::path::Path;

use vestibule_server::{config::Config, profile::Profile};

#[test]
fn the_samples_are_valid() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/samples");
    let config = Config::read(&samples.join("vestibule.toml")).unwrap();
    let profile = Profile::read(&config.profile).unwrap();
    assert_eq!(profile.uuid.to_string(), crate::support::UUID);
    assert!(profile.uses_ticket(vestibule_launch::EhrRole::Patient));
}
