//! Independent judges: Pexip's own validators, and payloads captured from a real node.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

/// Values to be judged by Pexip's validators, by name.
#[derive(Default)]
pub(crate) struct Judge(String);

impl Judge {
    pub(crate) fn add(&mut self, validator: &str, value: &Value) {
        let line = json!({ "validator": validator, "value": value });
        writeln!(self.0, "{line}").unwrap();
    }

    /// Fails where one of them was found wrong.
    pub(crate) fn decide(&self) {
        let output = node("validate.mjs", &[], &self.0);
        assert!(
            output.status.success(),
            "Pexip's validators object:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
}

/// Runs a script of tests/pexip with Node.
pub(crate) fn node(script: &str, arguments: &[&str], input: &str) -> Output {
    let root = root();
    assert!(
        root.join("node_modules/@pexip/infinity-api").is_dir(),
        "Pexip's client package is missing: run `npm ci`"
    );
    let mut child = Command::new("node")
        .arg(root.join("tests/pexip").join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need Node: install it and run `npm ci`");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// A payload captured from a real node.
pub(crate) fn captured(name: &str) -> Value {
    let path = root().join("../shared/vectors/pexip-client-api").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "the captured payload {} is missing: {error}",
            path.display()
        )
    });
    serde_json::from_str(&text).unwrap()
}

/// Fails where `ours` and `captured` have a key in common whose values differ in
/// JSON type. Gives the keys that only `ours` has.
pub(crate) fn compare_types(ours: &Value, captured: &Value) -> Vec<String> {
    let (Some(fields), Some(known)) = (ours.as_object(), captured.as_object()) else {
        panic!("not objects: {ours} and {captured}");
    };
    let mut unknown = Vec::new();
    for (key, value) in fields {
        match known.get(key) {
            Some(known) => assert_eq!(kind(value), kind(known), "{key}"),
            None => unknown.push(key.clone()),
        }
    }
    unknown
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
