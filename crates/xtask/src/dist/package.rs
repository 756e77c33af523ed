//! The Debian package: a tree of files, what dpkg has to know of it, and what it does as
//! it comes and goes. `dpkg-deb` puts it together.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{copyright, made_of::MadeOf, manual, notices, sbom::Subject, tree::Tree};
use crate::{
    process::{output, run_logged},
    wasm::publish::files_below,
    workspace::Workspace,
};

const SERVICE: &str = include_str!("debian/vestibule.service");
const CONFIGURATION: &str = include_str!("debian/vestibule.toml");
/// What dpkg calls, by name.
const SCRIPTS: [(&str, &str); 3] = [
    ("postinst", include_str!("debian/postinst")),
    ("prerm", include_str!("debian/prerm")),
    ("postrm", include_str!("debian/postrm")),
];
/// What the administrator may change, and an upgrade does not.
const CONFFILES: &str = "/etc/vestibule/vestibule.toml\n";
const DEADLINE: Duration = Duration::from_secs(600);

/// How much time is spent on making the package small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// As much as it takes.
    Small,
    /// Little, for a package that is used once.
    Fast,
}

/// What is packaged.
pub(super) struct Package<'a> {
    /// The program, without symbols.
    pub(super) program: &'a Path,
    pub(super) made_of: &'a MadeOf,
    /// Counts the packages of one version, from 1.
    pub(super) revision: u32,
    /// What all its files are dated, in seconds since 1970.
    pub(super) date: u64,
    pub(super) compression: Compression,
}

impl Package<'_> {
    /// Builds the package into a folder, and answers where it is.
    pub(super) fn build(&self, workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
        let scratch = TempDir::with_prefix_in("dist-", workspace.scratch()?)?;
        let root = scratch.path().join("tree");
        fs::create_dir(&root)?;
        let tree = Tree::new(&root)?;
        self.lay_out(workspace, &tree)?;
        let control = self.control(&tree, &depends(workspace, scratch.path(), self.program)?)?;
        tree.file("DEBIAN/control", control.as_bytes())?;

        let name = format!("vestibule_{}_{}.deb", self.version(), architecture()?);
        let path = folder.join(name);
        let mut dpkg_deb = workspace.command("dpkg-deb");
        dpkg_deb
            .env("SOURCE_DATE_EPOCH", self.date.to_string())
            .arg("--root-owner-group")
            .args(match self.compression {
                Compression::Small => ["-Zxz", "-z6"],
                Compression::Fast => ["-Zgzip", "-z1"],
            })
            .arg("--build")
            .args([tree.root(), &path]);
        let log = workspace.scratch()?.join("dpkg-deb.log");
        run_logged(&mut dpkg_deb, &log, DEADLINE)?;
        Ok(path)
    }

    /// What the bill of materials is for.
    pub(super) fn sbom_subject(&self) -> Result<Subject> {
        let bytes = fs::read(self.program)
            .with_context(|| format!("cannot read {}", self.program.display()))?;
        Ok(Subject {
            version: self.version(),
            architecture: architecture()?,
            hash: hexadecimal(&Sha256::digest(bytes)),
            date: self.date,
        })
    }

    fn version(&self) -> String {
        format!("{}-{}", self.made_of.version, self.revision)
    }

    fn lay_out(&self, workspace: &Workspace, tree: &Tree) -> Result<()> {
        let read = |name: &str| {
            let path = workspace.path(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        tree.program("usr/bin/vestibule", &fs::read(self.program)?)?;
        tree.file(
            "usr/lib/systemd/system/vestibule.service",
            SERVICE.as_bytes(),
        )?;
        tree.file("etc/vestibule/vestibule.toml", CONFIGURATION.as_bytes())?;
        tree.folder("etc/vestibule/profiles")?;
        manual::add(workspace, self.program, tree)?;
        let documents = "usr/share/doc/vestibule";
        let add =
            |name: &str, text: &str| tree.file(&format!("{documents}/{name}"), text.as_bytes());
        add("copyright", &copyright::text(&read("LICENSE-MIT")?))?;
        add("vestibule.toml", &read("docs/samples/vestibule.toml")?)?;
        let profile = "profiles/healthcare-org.toml";
        add(profile, &read(&format!("docs/samples/{profile}"))?)?;
        for (name, text) in [
            ("licences.gz", notices::text(self.made_of)?),
            ("changelog.gz", read("CHANGELOG.md")?),
            ("changelog.Debian.gz", self.changelog()?),
        ] {
            tree.compressed(&format!("{documents}/{name}"), text.as_bytes())?;
        }
        let sums = sums(workspace, tree.root())?;
        tree.file("DEBIAN/md5sums", sums.as_bytes())?;
        tree.file("DEBIAN/conffiles", CONFFILES.as_bytes())?;
        for (name, text) in SCRIPTS {
            tree.program(&format!("DEBIAN/{name}"), text.as_bytes())?;
        }
        Ok(())
    }

    /// As deb-control(5) has it. The size is in units of 1024 bytes.
    fn control(&self, tree: &Tree, depends: &str) -> Result<String> {
        let mut size = 0;
        for file in files_below(tree.root())? {
            size += fs::metadata(file)?.len().div_ceil(1024);
        }
        Ok(format!(
            "Package: vestibule\n\
             Version: {}\n\
             Architecture: {}\n\
             Maintainer: {}\n\
             Installed-Size: {size}\n\
             Depends: {depends}, adduser, ca-certificates\n\
             Section: net\n\
             Priority: optional\n\
             Description: from a telehealth launch in the EHR to the right video visit\n \
             Takes launches from an electronic health record by SMART on FHIR, signs\n \
             in, makes the conference and its join links, serves the landing page on\n \
             which the visit begins, and tells the record who is connected.\n \
             .\n \
             The landing page is in the program. TLS ends there, or at a proxy in front.\n",
            self.version(),
            architecture()?,
            MAINTAINER,
        ))
    }

    /// As deb-changelog(5) has it: what changed stands in the changelog beside it.
    fn changelog(&self) -> Result<String> {
        let seconds = i64::try_from(self.date).context("the date is out of range")?;
        let date = jiff::Timestamp::from_second(seconds)?.to_zoned(jiff::tz::TimeZone::UTC);
        Ok(format!(
            "vestibule ({}) stable; urgency=medium\n\n  * See changelog.gz.\n\n -- {}  {}\n",
            self.version(),
            MAINTAINER,
            date.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        ))
    }
}

/// Whom to ask is said where the package comes from.
const MAINTAINER: &str = "The Vestibule authors <vestibule@localhost>";

/// As Debian names this machine's.
fn architecture() -> Result<String> {
    output(std::process::Command::new("dpkg").arg("--print-architecture"))
}

/// The packages of the libraries that a program uses, with their oldest versions.
fn depends(workspace: &Workspace, scratch: &Path, program: &Path) -> Result<String> {
    // dpkg-shlibdeps wants to be called where a source package is.
    fs::create_dir(scratch.join("debian"))?;
    fs::write(
        scratch.join("debian/control"),
        "Source: vestibule\n\nPackage: vestibule\nArchitecture: any\n",
    )?;
    let mut shlibdeps = workspace.command("dpkg-shlibdeps");
    let found = output(shlibdeps.current_dir(scratch).arg("-O").arg(program))?;
    let found = found
        .lines()
        .find_map(|line| line.strip_prefix("shlibs:Depends="));
    found
        .map(str::to_owned)
        .context("dpkg-shlibdeps names no libraries")
}

/// The files below a root as md5sum lists them, for `dpkg --verify`.
fn sums(workspace: &Workspace, root: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> = files_below(root)?
        .iter()
        .map(|file| file.strip_prefix(root).map(Path::to_owned))
        .collect::<Result<_, _>>()?;
    files.retain(|file| !file.starts_with("etc"));
    files.sort();
    let mut md5sum = workspace.command("md5sum");
    let mut sums = output(md5sum.current_dir(root).args(files))?;
    sums.push('\n');
    Ok(sums)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
