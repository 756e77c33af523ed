//! The package that `cargo xtask package` makes of the last `cargo xtask wasm`, judged by
//! the tools of those who use it: npm, the TypeScript compiler and Node.js.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use serde_json::Value;

const XTASK: &str = env!("CARGO_BIN_EXE_xtask");
/// A project that has the package installed.
static PROJECT: LazyLock<PathBuf> = LazyLock::new(project);
const INSTALLED: &str = "node_modules/vestibule-launch";
/// How a project may have told the compiler to find packages.
const RESOLUTIONS: [[&str; 2]; 2] = [["nodenext", "nodenext"], ["esnext", "bundler"]];
/// What stands before each line that the compiler has to refuse.
const EXPECTED: &str = "// @ts-expect-error:";

#[test]
fn what_users_may_write_compiles_and_what_is_wrong_does_not() {
    let uses = ["module.ts", "element.ts", "refused.ts"];
    for resolution in RESOLUTIONS {
        for name in uses {
            fs::copy(source(name), PROJECT.join(name)).unwrap();
        }
        let output = compile(resolution, &uses);
        assert!(output.status.success(), "{resolution:?}: {}", said(&output));
    }
}

#[test]
fn the_compiler_finds_just_the_errors_that_are_expected() {
    let text = fs::read_to_string(source("refused.ts")).unwrap();
    fs::write(PROJECT.join("bare.ts"), text.replace(EXPECTED, "//")).unwrap();
    let expected: BTreeSet<usize> = text
        .lines()
        .zip(2..)
        .filter(|(line, _)| line.starts_with(EXPECTED))
        .map(|(_, next)| next)
        .collect();
    assert!(expected.len() > 10, "{expected:?}");
    let output = compile(RESOLUTIONS[0], &["bare.ts"]);
    assert!(!output.status.success());
    let found: BTreeSet<usize> = said(&output)
        .lines()
        .filter_map(|line| line.strip_prefix("bare.ts(")?.split(',').next())
        .map(|line| line.parse().unwrap())
        .collect();
    assert_eq!(found, expected, "{}", said(&output));
}

#[test]
fn npm_packs_just_what_is_there() {
    let package = PROJECT.join(INSTALLED);
    let output = Command::new("npm")
        .args(["pack", "--dry-run", "--json", "--offline"])
        .current_dir(&package)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let packed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packed: BTreeSet<&str> = packed[0]["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    let there = files_below(&package, &package);
    assert_eq!(packed, there.iter().map(String::as_str).collect());

    for file in [
        "README.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "error-frame.html",
        "css/device-check.css",
        "css/element.css",
        "locales/ar.json",
        "locales/devices/ar.json",
        "package.json",
        "vestibule-element.d.ts",
        "vestibule-element.js",
    ] {
        assert!(packed.contains(file), "{file}");
    }
    for module in ["vestibule", "error-page", "device-check"] {
        for ending in [".js", ".d.ts", "_bg.wasm"] {
            let file = format!("{module}{ending}");
            assert!(packed.contains(file.as_str()), "{file}");
        }
    }
}

#[test]
fn every_entry_point_is_a_file() {
    node(
        "import { createRequire } from 'node:module';
        import { readFileSync } from 'node:fs';
        const { resolve } = createRequire(`${process.cwd()}/project.js`);
        const file = 'node_modules/vestibule-launch/package.json';
        const { exports, version } = JSON.parse(readFileSync(file));
        const names = Object.keys(exports).map((name) => name.replace('*', 'element.css'));
        for (const name of names.filter((name) => !name.startsWith('./locales'))) {
          readFileSync(resolve(`vestibule-launch${name.slice(1)}`));
        }
        readFileSync(resolve('vestibule-launch/locales/devices/de.json'));
        if (!/^\\d+\\.\\d+\\.\\d+/.test(version)) throw new Error(version);",
    );
}

#[test]
fn a_function_that_is_called_before_the_module_is_there_says_what_to_call() {
    node(
        "import { start } from 'vestibule-launch';
        import { check } from 'vestibule-launch/device-check';
        import { render } from 'vestibule-launch/error-page';
        for (const [name, it] of Object.entries({ start, check, render })) {
          let said;
          try {
            it({});
          } catch (error) {
            said = error.message;
          }
          const wanted = new RegExp(`^${name}\\\\(\\\\) was called too early: call .*init\\\\(\\\\)`);
          if (!wanted.test(said)) throw new Error(`${name}: ${said}`);
        }",
    );
}

#[test]
fn a_module_that_was_loaded_from_bytes_works() {
    node(
        "import { initSync, render } from 'vestibule-launch/error-page';
        import { readFileSync } from 'node:fs';
        const file = 'node_modules/vestibule-launch/error-page_bg.wasm';
        initSync({ module: readFileSync(file) });
        const page = render(
          {
            error_name: 'ConferenceNotFound',
            telehealth_request_id: '614221f4-3a5c-4d1f-8df6-3ae27188df54',
            utc_time: '2026-03-14T09:26:53Z',
            template: '<p>{{ error_name }}</p>',
          },
          'de',
        );
        if (!page.includes('<p>ConferenceNotFound</p>')) throw new Error(page);",
    );
}

/// A server that renders pages imports what it will send to the browser.
#[test]
fn the_element_can_be_imported_where_there_are_no_elements() {
    node(
        "import { VestibuleLaunch } from 'vestibule-launch/element';
        if (typeof VestibuleLaunch !== 'function') throw new Error('no class');",
    );
}

fn project() -> PathBuf {
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
    fs::create_dir_all(project.join("node_modules")).expect("a folder can be made");
    let made = Command::new(XTASK)
        .args(["package", "--output"])
        .arg(project.join(INSTALLED))
        .output()
        .expect("the program can be started");
    assert!(made.status.success(), "{}", said(&made));
    project
}

/// A file of the tests of the package.
fn source(name: &str) -> PathBuf {
    root().join("tests/package").join(name)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn compile([module, resolution]: [&str; 2], files: &[&str]) -> Output {
    Command::new("node")
        .arg(root().join("node_modules/typescript/bin/tsc"))
        .args(["--noEmit", "--strict", "--exactOptionalPropertyTypes"])
        // Nothing is known of Node.js, as in a browser.
        .args(["--typeRoots", "none", "--lib", "es2020,dom,dom.iterable"])
        .args(["--target", "es2019", "--module", module])
        .args(["--moduleResolution", resolution])
        .args(files)
        .current_dir(&*PROJECT)
        .output()
        .expect("the program can be started")
}

/// Runs a module of the project.
fn node(script: &str) {
    let output = Command::new("node")
        .args(["--input-type=module", "--eval", script])
        .current_dir(&*PROJECT)
        .output()
        .expect("the program can be started");
    assert!(output.status.success(), "{}", said(&output));
}

/// Paths of the files in a folder and below it, from `base` on.
fn files_below(base: &Path, folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            files.extend(files_below(base, &path));
        } else {
            let relative = path.strip_prefix(base).expect("it is below");
            files.insert(relative.to_str().expect("names are UTF-8").to_owned());
        }
    }
    files
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes))
        .concat()
}
