//! As whom PostgreSQL runs.

use std::{os::unix::process::CommandExt as _, path::Path, process::Command};

use nix::unistd::{Uid, User, chown, geteuid};

/// The user that PostgreSQL runs as, where that is not the user of the tests.
pub(crate) struct Other(User);

impl Other {
    /// Whom root hands it over to; nobody, where the tests do not run as root.
    ///
    /// # Panics
    /// Where there is no such user.
    pub(crate) fn needed() -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let found = ["postgres", "nobody"].into_iter().find_map(|name| {
            let user = User::from_name(name).ok().flatten()?;
            (user.uid != Uid::from_raw(0)).then_some(user)
        });
        let user = found.expect(
            "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`",
        );
        Some(Self(user))
    }

    /// Gives a file or folder to the user.
    pub(crate) fn own(&self, path: &Path) {
        chown(path, Some(self.0.uid), Some(self.0.gid)).expect("root gives files away");
    }

    /// Lets a program run as the user.
    pub(crate) fn run(&self, command: &mut Command) {
        command.uid(self.0.uid.as_raw()).gid(self.0.gid.as_raw());
    }
}
