//! `cargo xtask test`: every check and test there is, each as one step.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use vestibule_test_log::FOLDER_VARIABLE;

use crate::{
    dist, fuzz,
    log_search::Logs,
    manifest::Manifest,
    process,
    progress::{Progress, Seconds},
    setup::{
        browser::Browser, debian, deny, firefox::Firefox, fuzzer, nginx, node::NodeTools, openssl,
        postgresql, python, wasm_target, webkit::WebKit,
    },
    wasm,
    workspace::Workspace,
};

mod failures;
mod on_postgresql;
mod room;

/// How long each fuzz target runs.
const FUZZ_SECONDS: u32 = 5;

/// The tests of the wasm modules in a browser: package, test.
const BROWSER_TESTS: [(&str, &str); 4] = [
    ("vestibule", "browser"),
    ("vestibule", "page"),
    ("vestibule-error-page", "browser"),
    ("vestibule-device-check", "browser"),
];

/// One step, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Step {
    /// Formatting of all code
    Fmt,
    /// Lints of all code that runs on this machine
    Clippy,
    /// Lints of the wasm modules
    ClippyWasm,
    /// Dependencies: none that is banned, licences, sources
    Deny,
    /// Landing page and wasm modules, within their size budgets
    Wasm,
    /// The server and the sandbox EHR, as the tests start them
    Binaries,
    /// Tests on this machine, those of the whole system among them
    Tests,
    /// Tests of the wasm modules in a browser
    BrowserTests,
    /// The Debian package: installed, launched from, upgraded, removed and purged
    Dist,
    /// A few seconds of hostile input for what reads from outside
    Fuzz,
    /// Documentation of all code
    Doc,
}

/// What a step needs on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    WasmTarget,
    Node,
    Browser,
    Firefox,
    WebKit,
    Openssl,
    Nginx,
    Postgresql,
    Python,
    Fuzzer,
    Deny,
    Debian,
}

/// What was found or installed of the needs.
#[derive(Default)]
struct Machine {
    node: Option<NodeTools>,
    browser: Option<Browser>,
    firefox: Option<Firefox>,
    webkit: Option<WebKit>,
    fuzzer: Option<PathBuf>,
    deny: Option<PathBuf>,
    missing: BTreeSet<Need>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// Something that it needs is missing.
    NotRun,
}

struct Row {
    name: String,
    outcome: Outcome,
    elapsed: Duration,
}

/// Runs the steps named, or all; every one of them even where an earlier one
/// has failed.
pub(crate) fn run(workspace: &Workspace, steps: &[Step]) -> Result<ExitCode> {
    let steps = chosen(steps);
    let needs: BTreeSet<Need> = steps.iter().flat_map(|step| step.needs()).collect();
    let mut progress = Progress::new(needs.len() + steps.len());
    let mut rows = Vec::new();
    let mut machine = Machine::default();

    for need in needs {
        let what = format!("set up {}", need.name());
        let (result, elapsed) = progress.timed_step(&what, || machine.set_up(workspace, need));
        rows.push(Row::new(what, &result, elapsed));
        if result.is_err() {
            machine.missing.insert(need);
        }
    }
    for step in steps {
        let what = step.name();
        if machine.blocks(step) {
            rows.push(Row::not_run(what));
            continue;
        }
        let (result, elapsed) = progress.timed_step(&what, || step.perform(workspace, &machine));
        rows.push(Row::new(what, &result, elapsed));
        if result.is_err() {
            eprintln!("{}", room::told(workspace.target()));
        }
    }

    print!("\n{}", table(&rows));
    Ok(if rows.iter().all(|row| row.outcome == Outcome::Passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Step {
    fn name(self) -> String {
        let value = self.to_possible_value().expect("no step is hidden");
        value.get_name().to_owned()
    }

    fn needs(self) -> Vec<Need> {
        match self {
            Self::Fmt | Self::Clippy | Self::Binaries | Self::Doc => vec![],
            Self::ClippyWasm => vec![Need::WasmTarget],
            Self::Wasm => vec![Need::WasmTarget, Need::Node],
            Self::Tests => {
                vec![
                    Need::Node,
                    Need::Browser,
                    Need::Firefox,
                    Need::WebKit,
                    Need::Openssl,
                    Need::Nginx,
                    Need::Postgresql,
                    Need::Python,
                ]
            }
            Self::BrowserTests => vec![Need::WasmTarget, Need::Browser],
            Self::Deny => vec![Need::Deny],
            Self::Dist => vec![Need::Debian],
            Self::Fuzz => vec![Need::Fuzzer],
        }
    }

    /// Steps whose results this one uses: left out, it would use those of an
    /// earlier build.
    fn builds_upon(self) -> &'static [Self] {
        match self {
            Self::Tests | Self::Dist => &[Self::Wasm, Self::Binaries],
            _ => &[],
        }
    }

    fn perform(self, workspace: &Workspace, machine: &Machine) -> Result<()> {
        let cargo = |arguments: &str| workspace.cargo(arguments.split(' '));
        match self {
            Self::Fmt => {
                let mut fmt = cargo("fmt --all --check");
                if !process::succeeds(&mut cargo("fmt --version")) {
                    // A toolchain chosen from outside may lack rustfmt; the
                    // one of rust-toolchain.toml has it.
                    fmt.env_remove("RUSTUP_TOOLCHAIN");
                }
                process::run(&mut fmt)
            }
            Self::Clippy => process::run(&mut cargo(
                "clippy --quiet --workspace --all-targets -- -D warnings",
            )),
            Self::ClippyWasm => {
                let mut clippy = cargo("clippy --quiet --lib --target");
                clippy.arg(wasm_target::TARGET);
                for (package, test) in BROWSER_TESTS {
                    clippy.args(["--package", package, "--test", test]);
                }
                process::run(clippy.args(["--", "-D", "warnings"]))
            }
            Self::Wasm => {
                let manifest = Manifest::read(workspace)?;
                let sizes = wasm::build(workspace, &manifest, machine.node.as_ref())?;
                wasm::report(&manifest, &sizes)
            }
            Self::Binaries => process::run(&mut cargo(
                "build --quiet --package vestibule-server --package vestibule-sandbox",
            )),
            Self::Tests => {
                let logs = Logs::begin(workspace.target())?;
                let mut tests = cargo("test --workspace --no-fail-fast");
                tests.env(FOLDER_VARIABLE, logs.folder());
                let log = workspace.target().join("tests.log");
                let all = failures::run(tests.envs(machine.variables()), &log);
                let on_postgresql = on_postgresql::run(workspace, logs.folder());
                all_of([all, on_postgresql, logs.search()])
            }
            Self::BrowserTests => browser_tests(workspace, machine),
            Self::Deny => {
                let program = machine.deny.as_ref().context("there is no cargo-deny")?;
                let mut deny = workspace.command(program);
                deny.args(["--workspace", "--locked", "--log-level", "error", "check"]);
                process::run(deny.args(["bans", "licenses", "sources"]))
            }
            Self::Dist => dist::trial::run(workspace),
            Self::Fuzz => {
                let tools = machine.fuzzer.as_ref().context("there is no cargo-fuzz")?;
                fuzz::run_all(workspace, tools, FUZZ_SECONDS)
            }
            Self::Doc => process::run(
                cargo("doc --quiet --no-deps --workspace").env("RUSTDOCFLAGS", "-Dwarnings"),
            ),
        }
    }
}

/// What is wrong with any of them, and not only with the first.
fn all_of<const N: usize>(results: [Result<()>; N]) -> Result<()> {
    let errors: Vec<String> = results
        .into_iter()
        .filter_map(Result::err)
        .map(|error| format!("{error:#}"))
        .collect();
    ensure!(errors.is_empty(), "{}", errors.join("\n"));
    Ok(())
}

/// The wasm modules' own tests, in a browser without a screen, through the
/// runner that `.cargo/config.toml` names.
fn browser_tests(workspace: &Workspace, machine: &Machine) -> Result<()> {
    let browser = machine.browser.as_ref().context("there is no browser")?;
    let capabilities = browser.write_capabilities(workspace)?;
    // The runner kills the driver, which then leaves its files behind. Not in
    // the target folder: the browser's socket there might have too long a path.
    let temporary = tempfile::Builder::new().prefix("vestibule-").tempdir()?;
    for (package, name) in BROWSER_TESTS {
        let mut test = workspace.cargo(["test", "--package", package, "--target"]);
        test.args([wasm_target::TARGET, "--test", name])
            .env("CHROMEDRIVER", &browser.chromedriver)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities)
            .env("TMPDIR", temporary.path());
        // The runner would prefer these.
        for variable in [
            "GECKODRIVER",
            "GECKODRIVER_REMOTE",
            "SAFARIDRIVER",
            "NO_HEADLESS",
        ] {
            test.env_remove(variable);
        }
        process::run(&mut test)?;
    }
    Ok(())
}

impl Need {
    fn name(self) -> &'static str {
        match self {
            Self::WasmTarget => "the wasm target",
            Self::Node => "Node.js",
            Self::Browser => "Chromium",
            Self::Firefox => "Firefox",
            Self::WebKit => "WebKitGTK",
            Self::Openssl => "openssl and curl",
            Self::Nginx => "nginx",
            Self::Postgresql => "PostgreSQL",
            Self::Python => "Python",
            Self::Fuzzer => "cargo-fuzz",
            Self::Deny => "cargo-deny",
            Self::Debian => "Debian's packaging tools",
        }
    }
}

impl Machine {
    fn set_up(&mut self, workspace: &Workspace, need: Need) -> Result<()> {
        match need {
            Need::WasmTarget => wasm_target::ensure(workspace)?,
            Need::Node => self.node = Some(NodeTools::ensure(workspace)?),
            Need::Browser => self.browser = Some(Browser::ensure(workspace)?),
            Need::Firefox => self.firefox = Some(Firefox::ensure(workspace)?),
            Need::WebKit => self.webkit = Some(WebKit::ensure(workspace)?),
            Need::Openssl => openssl::ensure(workspace)?,
            Need::Nginx => nginx::ensure(workspace)?,
            Need::Postgresql => postgresql::ensure(workspace)?,
            Need::Python => python::ensure(workspace)?,
            Need::Fuzzer => self.fuzzer = Some(fuzzer::ensure(workspace)?),
            Need::Deny => self.deny = Some(deny::ensure(workspace)?),
            Need::Debian => debian::ensure(workspace)?,
        }
        Ok(())
    }

    /// Whether a step makes no sense on this machine. Most tests need nothing,
    /// and those that miss something fail by themselves.
    fn blocks(&self, step: Step) -> bool {
        step != Step::Tests && step.needs().iter().any(|need| self.missing.contains(need))
    }

    /// Where the whole-system tests find the browsers.
    fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = Vec::new();
        let mut tell = |name, path: &Path| variables.push((name, path.into()));
        if let Some(browser) = &self.browser {
            tell("VESTIBULE_CHROMIUM", &browser.chromium);
            tell("VESTIBULE_CHROMEDRIVER", &browser.chromedriver);
        }
        if let Some(browser) = &self.firefox {
            tell("VESTIBULE_FIREFOX", &browser.firefox);
            tell("VESTIBULE_GECKODRIVER", &browser.geckodriver);
        }
        if let Some(browser) = &self.webkit {
            tell("VESTIBULE_MINI_BROWSER", &browser.mini_browser);
            tell("VESTIBULE_WEBKIT_DRIVER", &browser.driver);
        }
        variables
    }
}

impl Row {
    /// Of a step that was tried; says at once why where it failed.
    fn new(name: String, result: &Result<()>, elapsed: Duration) -> Self {
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                Outcome::Failed
            }
        };
        Self {
            name,
            outcome,
            elapsed,
        }
    }

    fn not_run(name: String) -> Self {
        eprintln!("error: {name} could not run: what it needs is missing");
        Self {
            name,
            outcome: Outcome::NotRun,
            elapsed: Duration::ZERO,
        }
    }
}

/// The steps named, or all, and what they build upon, in their order.
fn chosen(steps: &[Step]) -> Vec<Step> {
    let named = |step: &Step| {
        let builds_on_it = |other: &Step| other.builds_upon().contains(step);
        steps.contains(step) || steps.iter().any(builds_on_it)
    };
    Step::value_variants()
        .iter()
        .copied()
        .filter(|step| steps.is_empty() || named(step))
        .collect()
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    rows.iter()
        .map(|row| {
            let outcome = match row.outcome {
                Outcome::Passed => "ok",
                Outcome::Failed => "FAILED",
                Outcome::NotRun => "NOT RUN",
            };
            let elapsed = Seconds(row.elapsed);
            format!("{:<width$}  {outcome:<7} {elapsed:>9}\n", row.name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn steps_run_in_their_order_and_all_of_them_where_none_is_named() {
        assert_eq!(
            chosen(&[Step::Doc, Step::Fmt, Step::Doc]),
            [Step::Fmt, Step::Doc]
        );
        assert_eq!(chosen(&[]).len(), Step::value_variants().len());
    }

    #[test]
    fn the_native_tests_never_run_against_an_earlier_build() {
        assert_eq!(
            chosen(&[Step::Tests]),
            [Step::Wasm, Step::Binaries, Step::Tests]
        );
        assert_eq!(chosen(&[Step::BrowserTests]), [Step::BrowserTests]);
    }

    #[test]
    fn what_is_missing_blocks_the_steps_that_need_it_but_never_the_native_tests() {
        let machine = Machine {
            missing: [Need::Browser].into(),
            ..Machine::default()
        };
        assert!(machine.blocks(Step::BrowserTests));
        assert!(!machine.blocks(Step::Tests));
        assert!(!machine.blocks(Step::Wasm));
    }

    #[test]
    fn of_several_things_that_are_wrong_each_is_told() {
        all_of([Ok(()), Ok(())]).unwrap();
        let error = all_of([Err(anyhow!("one")), Ok(()), Err(anyhow!("two"))]).unwrap_err();
        assert_eq!(error.to_string(), "one\ntwo");
    }

    #[test]
    fn the_table_tells_a_failure_from_a_step_that_could_not_run() {
        let rows = [
            Row::new("fmt".to_owned(), &Ok(()), Duration::from_millis(1500)),
            Row::new("clippy".to_owned(), &Err(anyhow!("no")), Duration::ZERO),
            Row::not_run("browser-tests".to_owned()),
        ];
        assert_eq!(
            table(&rows),
            "fmt            ok          1.5 s\n\
             clippy         FAILED      0.0 s\n\
             browser-tests  NOT RUN     0.0 s\n"
        );
    }
}
