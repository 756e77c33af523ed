//! Packages of Debian and its relatives.

use std::{fs, process::Command, time::Duration};

use anyhow::{Result, bail};

use crate::{
    process::{find_on_path, run_logged, succeeds},
    workspace::Workspace,
};

const DEADLINE: Duration = Duration::from_secs(900);

/// Installs packages, where this user may do so without being asked for a
/// password.
pub(super) fn install(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    if find_on_path("apt-get").is_none() {
        bail!("not installed by this command, because this machine has no apt-get");
    }
    let sudo = !nix::unistd::geteuid().is_root();
    if sudo && !succeeds(Command::new("sudo").args(["-n", "true"])) {
        bail!(
            "not installed by this command, because this user is neither root nor may use sudo \
             without a password"
        );
    }
    eprintln!("      Installing {} with apt-get", packages.join(", "));
    let log = workspace.scratch()?.join("apt.log");
    run_logged(&mut apt_get(workspace, sudo, &["update"]), &log, DEADLINE)?;
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    run_logged(&mut apt_get(workspace, sudo, &arguments), &log, DEADLINE)
}

/// Whether this is Ubuntu, whose browser packages are not the browser but
/// fetch a snap.
pub(super) fn is_ubuntu() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|text| names_ubuntu(&text))
}

fn apt_get(workspace: &Workspace, sudo: bool, arguments: &[&str]) -> Command {
    let mut command = workspace.command(if sudo { "sudo" } else { "env" });
    if sudo {
        command.args(["-n", "env"]);
    }
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"])
        .args(["-o", "DPkg::Lock::Timeout=120"])
        .args(["-o", "Acquire::http::Timeout=30"])
        .args(["-o", "Acquire::https::Timeout=30"])
        .args(arguments);
    command
}

fn names_ubuntu(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(key, _)| matches!(*key, "ID" | "ID_LIKE"))
        .flat_map(|(_, value)| value.trim_matches('"').split(' '))
        .any(|name| name == "ubuntu")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ubuntu_and_its_descendants_are_told_from_debian() {
        assert!(names_ubuntu("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n"));
        assert!(names_ubuntu("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!names_ubuntu(
            "NAME=\"Debian GNU/Linux\"\nID=debian\nHOME_URL=\"https://not.ubuntu/\"\n"
        ));
    }
}
