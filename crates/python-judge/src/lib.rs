//! Python programs that judge what this project makes, in its tests: an independent
//! implementation gets the same input. A judge reads one JSON value from its standard
//! input and writes one to its standard output.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

/// Tests run at the same time, and one of them makes an environment.
static ENVIRONMENTS: Mutex<()> = Mutex::new(());

/// A judge.
pub struct Judge<'a> {
    /// The program's source, as a file.
    pub program: &'a str,
    /// What it needs from the Python package index, such as `jinja2==3.1.6`: the first
    /// names the environment. Nothing, for what Python has by itself.
    pub packages: &'a [&'a str],
    /// A folder that is the test's own and stays, such as `CARGO_TARGET_TMPDIR`.
    pub environments: &'a str,
}

impl Judge<'_> {
    /// What the judge makes of a case.
    ///
    /// # Panics
    /// Where there is no Python, its packages cannot be installed, or the judge fails:
    /// the test has not been decided then.
    pub fn judge<T: DeserializeOwned>(&self, case: &impl Serialize) -> T {
        let case = serde_json::to_vec(case).expect("the case is JSON");
        let mut child = Command::new(self.python())
            .arg("-I")
            .arg(self.program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("Python does not start: {error}; {ADVICE}"));
        let mut input = child.stdin.take().expect("standard input is piped");
        // The judge may answer before it has read all.
        let writer = std::thread::spawn(move || input.write_all(&case));
        let output = child.wait_with_output().expect("the judge ends");
        let written = writer.join().expect("the writer ends");
        assert!(
            output.status.success(),
            "the judge failed; see its message above"
        );
        written.expect("the judge reads its case");
        serde_json::from_slice(&output.stdout).expect("the judge answers in JSON")
    }

    /// Python with the packages, in a virtual environment that is made once.
    fn python(&self) -> PathBuf {
        if self.packages.is_empty() {
            return "python3".into();
        }
        let _alone = ENVIRONMENTS.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Path::new(self.environments).join(self.packages.join("-"));
        let python = folder.join("bin/python");
        let ready = folder.join("ready");
        if !ready.exists() {
            self.run(
                Command::new("python3")
                    .args(["-m", "venv", "--clear"])
                    .arg(&folder),
            );
            let install = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ];
            self.run(Command::new(&python).args(install).args(self.packages));
            fs::write(&ready, "").expect("the virtual environment can be written to");
        }
        python
    }

    fn run(&self, command: &mut Command) {
        let done = command.status().is_ok_and(|status| status.success());
        assert!(
            done,
            "{} could not be installed to compare with; a Python package index is needed, and \
             {ADVICE} ({command:?} failed)",
            self.packages.join(", ")
        );
    }
}

const ADVICE: &str = "python3 with venv, which `cargo xtask test` installs";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Answers before it reads, with more than a pipe holds.
    const TALKATIVE: &str = "\
import json, sys
sys.stdout.write('[\"' + 'a' * 200_000 + '\",')
sys.stdout.flush()
print(len(json.load(sys.stdin)), ']')
";

    fn judged(program: &str, case: &Value) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let program_file = folder.path().join("judge.py");
        fs::write(&program_file, program).unwrap();
        let judge = Judge {
            program: program_file.to_str().unwrap(),
            packages: &[],
            environments: folder.path().to_str().unwrap(),
        };
        judge.judge(case)
    }

    #[test]
    fn a_long_case_and_a_long_answer_pass_each_other() {
        let judged = judged(TALKATIVE, &json!(vec!["b"; 100_000]));
        assert_eq!(judged[0].as_str().map(str::len), Some(200_000));
        assert_eq!(judged[1], 100_000);
    }

    #[test]
    #[should_panic = "the judge failed"]
    fn a_judge_that_fails_decides_nothing() {
        judged("print('[]'); raise SystemExit(1)", &json!([]));
    }
}
