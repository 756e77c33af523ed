//! Compares with Python's Jinja2: every template of the corpus must give the
//! same text, or an error, in both.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use vestibule_template::{Escaping, Template};

const CORPUS: &str = include_str!("jinja2/corpus.json");
const JUDGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jinja2/judge.py");
const VERSION: &str = "3.1.6";
/// Of MarkupSafe, which escapes for Jinja2.
const MARKUPSAFE_VERSION: &str = "3.0.4";

#[test]
fn every_template_of_the_corpus_renders_as_in_jinja2() {
    let corpus: Value = serde_json::from_str(CORPUS).expect("the corpus is JSON");
    let judged = judge();
    let mut different = Vec::new();
    for (list, escaping) in [
        ("templates", Escaping::None),
        ("html_templates", Escaping::Html),
    ] {
        let templates = corpus[list].as_array().expect("a list of templates");
        let judged = judged[list].as_array().expect("a list of judgements");
        assert_eq!(templates.len(), judged.len());
        for (source, judged) in templates.iter().zip(judged) {
            let source = source.as_str().expect("a template is text");
            let ours = Template::parse(source)
                .and_then(|template| template.render(escaping, &corpus["context"]));
            if ours.as_deref().ok() != judged[0].as_str() {
                let ours = ours.unwrap_or_else(|error| format!("{error:?}"));
                let theirs = judged[0]
                    .as_str()
                    .or(judged[1].as_str())
                    .unwrap_or_default();
                different.push(format!(
                    "{source}\n  ours:   {ours:?}\n  jinja2: {theirs:?}"
                ));
            }
        }
    }
    assert!(
        different.is_empty(),
        "{} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}

/// What Jinja2 makes of the corpus.
fn judge() -> Value {
    let mut child = Command::new(python())
        .args(["-I", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the virtual environment's Python starts");
    let mut input = child.stdin.take().expect("standard input is piped");
    let writer = std::thread::spawn(move || input.write_all(CORPUS.as_bytes()));
    let output = child.wait_with_output().expect("the judge ends");
    writer
        .join()
        .expect("the writer ends")
        .expect("the judge reads the corpus");
    assert!(
        output.status.success(),
        "the judge failed; see its message above"
    );
    serde_json::from_slice(&output.stdout).expect("the judge answers in JSON")
}

/// Python with Jinja2, in a virtual environment that is made once.
fn python() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("jinja2-{VERSION}-{MARKUPSAFE_VERSION}"));
    let python = directory.join("bin/python");
    let ready = directory.join("ready");
    if !ready.exists() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&directory));
        run(Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .arg(format!("jinja2=={VERSION}"))
            .arg(format!("markupsafe=={MARKUPSAFE_VERSION}")));
        fs::write(&ready, VERSION).expect("the virtual environment can be written to");
    }
    python
}

fn run(command: &mut Command) {
    let done = command.status().is_ok_and(|status| status.success());
    assert!(
        done,
        "Jinja2 {VERSION} could not be installed to compare with; this test needs python3 with venv (Debian: the package python3-venv) and a Python package index ({command:?} failed)"
    );
}
