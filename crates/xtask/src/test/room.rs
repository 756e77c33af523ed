//! How much room is left for files: where it runs out, tests fail for other reasons than they
//! say.

use std::{env, path::Path};

use nix::sys::statvfs::statvfs;

/// The free room where builds and tests write, such as
/// `free: 12.3 GB in /tmp, 0.1 GB in /dev/shm`.
pub(super) fn told(target: &Path) -> String {
    let temporary = env::temp_dir();
    let places = [target, &temporary, Path::new("/dev/shm")];
    let told: Vec<String> = places
        .into_iter()
        .filter_map(|place| {
            let bytes = free(place)?;
            // Tenths of a gigabyte, by whole numbers.
            let tenths = bytes / 100_000_000;
            let place = place.display();
            Some(format!("{}.{} GB in {place}", tenths / 10, tenths % 10))
        })
        .collect();
    format!("free: {}", told.join(", "))
}

/// In bytes, for whoever is not root; nothing where there is no such folder.
fn free(place: &Path) -> Option<u64> {
    let of_file_system = statvfs(place).ok()?;
    Some(of_file_system.blocks_available() * of_file_system.fragment_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_room_is_told_of_each_place_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let told = told(folder.path());
        let place = format!(" GB in {}", folder.path().display());
        assert!(
            told.starts_with("free: ") && told.contains(&place),
            "{told}"
        );
        assert_eq!(free(&folder.path().join("none")), None);
    }
}
