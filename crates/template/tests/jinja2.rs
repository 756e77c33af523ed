//! Compares with Python's Jinja2: every template of the corpus must give the
//! same text, or an error, in both.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use vestibule_python_judge::Judge;
use vestibule_template::{Escaping, Template, TemplateError, defaults, limits};

use generator::Generator;

#[path = "jinja2/generator.rs"]
mod generator;

const CONTEXT: &str = include_str!("jinja2/context.json");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jinja2");
/// Jinja2 and MarkupSafe, which escapes for it.
const JUDGE: Judge<'static> = Judge {
    program: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jinja2/judge.py"),
    packages: &["jinja2==3.1.6", "markupsafe==3.0.4"],
    environments: env!("CARGO_TARGET_TMPDIR"),
};

/// How many templates are generated, and from which number unless `TEMPLATE_SEED` is set.
const GENERATED: usize = 3_000;
const SEED: u64 = 20_261_121;

/// A template and whether it is rendered for HTML.
type Case = (String, bool);

/// What Jinja2 makes of a template: a text or an error.
type Judgement = Result<String, String>;

#[test]
fn every_template_of_the_corpus_renders_as_in_jinja2() {
    let known = differences();
    let cases: Vec<Case> = corpus()
        .into_iter()
        .filter(|(source, _)| !known.iter().any(|known| known.template == *source))
        .collect();
    assert!(cases.len() >= 300, "{}", cases.len());
    compare(&cases, "");
}

#[test]
fn generated_templates_render_as_in_jinja2() {
    let seed = match env::var("TEMPLATE_SEED") {
        Ok(seed) => seed.parse().expect("TEMPLATE_SEED is a number"),
        Err(_) => SEED,
    };
    let mut generator = Generator::new(seed);
    let cases: Vec<Case> = (0..GENERATED)
        .map(|index| (generator.template(), index % 3 == 0))
        .collect();
    compare(&cases, &format!("TEMPLATE_SEED={seed}: "));
}

#[test]
fn error_pages_render_as_in_jinja2_in_every_branch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/seeds");
    let documented = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}: it is needed", folder.display()))
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .find_map(|text| {
            let start = text.find("<!DOCTYPE html>")?;
            let end = text[start..].find("</html>")?;
            Some(text[start..start + end].to_owned())
        })
        .expect("one of the documents has the default template");
    let mut cases = Vec::new();
    for page in [documented.as_str(), defaults::ERROR_PAGE] {
        for error_name in [
            "BorvoGetTelehealthDirectLaunchTokenError",
            "launch_used",
            "x",
        ] {
            for language in ["none", "'es-MX'", "'ar'"] {
                for debug in ["none", "'<b>'"] {
                    let set = format!(
                        "{{% set error_name = '{error_name}' %}}{{% set language = {language} %}}{{% set detailed_debug_information = {debug} %}}{{% set telehealth_request_id = 'id' %}}{{% set utc_time = '\"' %}}"
                    );
                    // The limit counts characters of one template.
                    let room = limits::MAX_SOURCE_CHARS - set.len();
                    let page: String = page.chars().take(room).collect();
                    let end = page.rfind("</main>").unwrap_or(page.len());
                    cases.push((set + &page[..end], true));
                }
            }
        }
    }
    compare(&cases, "");
}

/// Every difference that is meant is one, and still as it is written down.
#[test]
fn what_differs_from_jinja2_on_purpose_does() {
    let known = differences();
    let cases: Vec<Case> = known
        .iter()
        .map(|known| (known.template.clone(), known.html))
        .collect();
    let context = context();
    for (known, judged) in known.iter().zip(judge(&cases)) {
        assert!(!known.reason.is_empty());
        let ours = ours(&known.template, known.html, &context);
        assert_eq!(
            ours.as_deref().ok(),
            known.ours.as_deref(),
            "{}: {ours:?}",
            known.template
        );
        assert_ne!(
            ours.ok(),
            judged.ok(),
            "{} differs no longer",
            known.template
        );
    }
}

#[derive(serde::Deserialize)]
struct Difference {
    template: String,
    #[serde(default)]
    html: bool,
    /// What we make of it; nothing where it is refused.
    ours: Option<String>,
    reason: String,
}

fn differences() -> Vec<Difference> {
    let text =
        fs::read_to_string(format!("{FOLDER}/differences.json")).expect("the table is there");
    serde_json::from_str(&text).expect("the table is JSON of its shape")
}

fn context() -> Value {
    serde_json::from_str(CONTEXT).expect("the context is JSON")
}

fn corpus() -> Vec<Case> {
    let mut files: Vec<PathBuf> = fs::read_dir(format!("{FOLDER}/corpus"))
        .expect("the corpus is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let html = file.file_stem().is_some_and(|name| name == "html");
        let text = fs::read_to_string(&file).expect("a file of the corpus can be read");
        let templates: Vec<String> = serde_json::from_str(&text).expect("it is a list of texts");
        cases.extend(templates.into_iter().map(|source| (source, html)));
    }
    let mut sources: Vec<&str> = cases.iter().map(|(source, _)| source.as_str()).collect();
    sources.sort_unstable();
    let count = sources.len();
    sources.dedup();
    assert_eq!(sources.len(), count, "every template is there once");
    cases
}

fn ours(source: &str, html: bool, context: &Value) -> Result<String, TemplateError> {
    let escaping = if html { Escaping::Html } else { Escaping::None };
    Template::parse(source)?.render(escaping, context)
}

fn compare(cases: &[Case], hint: &str) {
    let context = context();
    let mut different = Vec::new();
    for ((source, html), judged) in cases.iter().zip(judge(cases)) {
        let ours = ours(source, *html, &context);
        if ours.as_deref().ok() != judged.as_deref().ok() {
            let ours = ours.unwrap_or_else(|error| format!("{error:?}"));
            let theirs = judged.unwrap_or_else(|error| error);
            different.push(format!(
                "{source}\n  ours:   {ours:?}\n  jinja2: {theirs:?}"
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{hint}{} of {} differ:\n{}",
        different.len(),
        cases.len(),
        different.join("\n")
    );
}

/// What Jinja2 makes of the templates.
fn judge(cases: &[Case]) -> Vec<Judgement> {
    let case = serde_json::json!({ "context": context(), "templates": cases });
    let judged: Vec<(Option<String>, Option<String>)> = JUDGE.judge(&case);
    assert_eq!(judged.len(), cases.len());
    judged
        .into_iter()
        .map(|(text, error)| text.ok_or_else(|| error.unwrap_or_default()))
        .collect()
}
