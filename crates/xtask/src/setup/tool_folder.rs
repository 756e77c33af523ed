//! Where tools that take long to build are kept: a folder of the user, which outlives
//! clones and their target folders.

use std::{
    env,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// Names the folder in place of the usual one.
const VARIABLE: &str = "VESTIBULE_TOOLS";

/// A folder of tools, each in a folder of its own.
pub(super) struct ToolFolder(PathBuf);

impl ToolFolder {
    /// The folder of this user, which is made where it is missing.
    pub(super) fn of_user() -> Result<Self> {
        let variable = |name: &str| env::var_os(name);
        let folder = usual(variable).with_context(|| {
            format!("neither HOME nor {VARIABLE} says where to keep tools; set one of them")
        })?;
        Self::at(folder)
    }

    fn at(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }

    /// The folder of the tool `name`, in which `works` finds what it should. Where it does
    /// not, `build` makes the tool in an empty folder, which is then put in place as a
    /// whole. Who comes at the same time waits, and finds it.
    pub(super) fn ensure(
        &self,
        name: &str,
        works: impl Fn(&Path) -> bool,
        build: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let folder = self.0.join(name);
        if works(&folder) {
            return Ok(folder);
        }
        let _alone = self.lock(name)?;
        if works(&folder) {
            return Ok(folder);
        }
        let built = TempDir::with_prefix_in(format!(".{name}-"), &self.0)
            .with_context(|| format!("cannot write to {}", self.0.display()))?;
        build(built.path())?;
        if folder.exists() {
            // What does not work here may be somebody else's who still runs it.
            let replaced = TempDir::with_prefix_in(format!(".{name}-"), &self.0)?;
            fs::rename(&folder, replaced.path().join("old"))
                .with_context(|| format!("cannot replace {}", folder.display()))?;
        }
        let built = built.keep();
        fs::rename(&built, &folder)
            .with_context(|| format!("cannot put {} in place", folder.display()))?;
        Ok(folder)
    }

    fn lock(&self, name: &str) -> Result<File> {
        let path = self.0.join(format!(".{name}.lock"));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        file.lock()
            .with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }
}

/// As the XDG Base Directory Specification says, unless our own variable does.
fn usual(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| {
        let value = variable(name).map(PathBuf::from);
        // A relative path there is to be ignored.
        value.filter(|path| path.is_absolute())
    };
    path(VARIABLE).or_else(|| {
        let caches = path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")))?;
        Some(caches.join("vestibule"))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use anyhow::bail;

    use super::*;

    fn works(folder: &Path) -> bool {
        fs::read(folder.join("tool")).is_ok_and(|tool| tool == b"good")
    }

    fn build(folder: &Path) -> Result<()> {
        Ok(fs::write(folder.join("tool"), "good")?)
    }

    #[test]
    fn the_folder_is_the_users_cache_unless_a_variable_names_another() {
        let all = [
            (VARIABLE, "/tools"),
            ("XDG_CACHE_HOME", "/cache"),
            ("HOME", "/home/a"),
        ];
        let usual = |variables: &[(&str, &str)]| {
            usual(|name| {
                let mut found = variables.iter().filter(|(key, _)| *key == name);
                found.next().map(|(_, value)| value.into())
            })
        };
        assert_eq!(usual(&all), Some("/tools".into()));
        assert_eq!(usual(&all[1..]), Some("/cache/vestibule".into()));
        assert_eq!(usual(&all[2..]), Some("/home/a/.cache/vestibule".into()));
        let relative = [("XDG_CACHE_HOME", "cache"), ("HOME", "/home/a")];
        assert_eq!(usual(&relative), Some("/home/a/.cache/vestibule".into()));
        assert_eq!(usual(&[]), None);
    }

    #[test]
    fn of_many_at_once_one_builds_and_all_find_the_tool() {
        let folder = tempfile::tempdir().unwrap();
        let built = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let tools = ToolFolder::at(folder.path().to_owned()).unwrap();
                    let found = tools.ensure("tool-1", works, |folder| {
                        built.fetch_add(1, Ordering::Relaxed);
                        build(folder)
                    });
                    assert!(works(&found.unwrap()));
                });
            }
        });
        assert_eq!(built.into_inner(), 1);
    }

    #[test]
    fn a_tool_that_does_not_work_is_replaced_and_a_failed_build_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let tools = ToolFolder::at(folder.path().to_owned()).unwrap();
        let place = folder.path().join("tool-1");
        fs::create_dir(&place).unwrap();
        fs::write(place.join("tool"), "of another machine").unwrap();
        let failed = tools.ensure("tool-1", works, |_| bail!("no network"));
        assert_eq!(failed.unwrap_err().to_string(), "no network");
        assert!(place.join("tool").exists());
        assert!(works(&tools.ensure("tool-1", works, build).unwrap()));
        let left = fs::read_dir(folder.path()).unwrap().flatten();
        let mut left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        left.sort();
        assert_eq!(left, [".tool-1.lock", "tool-1"]);
    }
}
