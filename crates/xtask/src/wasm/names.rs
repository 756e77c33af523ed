//! Short names between a module and its glue. wasm-bindgen's own carry hashes,
//! which no compression makes smaller.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// The pass of wasm-opt that shortens the names and prints what became of them.
pub(super) const PASS: &str = "--minify-imports-and-exports-and-modules";

/// What that pass calls the only module that imports come from.
const GLUE: &str = "a";
/// The glue's variable with the exports of the module.
const EXPORTS: &str = "wasm";

/// The short names of a module's imports and exports, by the long ones.
#[derive(Debug)]
pub(super) struct ShortNames {
    /// Where the imports come from by their long names: `./name_bg.js`.
    origin: String,
    imports: BTreeMap<String, String>,
    exports: BTreeMap<String, String>,
}

/// What the pass prints.
#[derive(Deserialize)]
struct Printed {
    imports: Vec<(String, String, String)>,
    exports: Vec<(String, String)>,
}

/// An identifier in a script, with what stands around it.
struct Word<'a> {
    before: &'a str,
    text: &'a str,
    after: &'a str,
}

impl ShortNames {
    /// Reads what the pass printed about the module of this name.
    pub(super) fn parse(printed: &str, module: &str) -> Result<Self> {
        let Printed { imports, exports } =
            serde_json::from_str(printed).context("wasm-opt did not print the short names")?;
        let mut names = Self {
            origin: format!("./{module}_bg.js"),
            imports: BTreeMap::new(),
            exports: exports.into_iter().collect(),
        };
        for (origin, long, short) in imports {
            ensure!(
                origin == names.origin,
                "`{long}` is imported from `{origin}`, but short names are only for what comes \
                 from `{}`",
                names.origin
            );
            names.imports.insert(long, short);
        }
        Ok(names)
    }

    /// The short names of the exports.
    pub(super) fn exports(&self) -> impl Iterator<Item = &str> {
        self.exports.values().map(String::as_str)
    }

    /// Renames in the glue, which must be free of comments: each import where
    /// the glue offers it, each export where the glue uses it.
    pub(super) fn rename_in_glue(&self, glue: &str) -> Result<String> {
        let mut renamed = String::with_capacity(glue.len());
        let mut offered = BTreeSet::new();
        let mut rest = glue;
        while let Some(word) = next_word(rest) {
            renamed.push_str(word.before);
            rest = word.after;
            if let Some(short) = self.imports.get(word.text) {
                ensure!(
                    word.is_key() && offered.insert(word.text),
                    "the glue has the import `{}` elsewhere than once as a key",
                    word.text
                );
                renamed.push_str(short);
            } else if word.is_exports() {
                let (short, after) = self.export_of(word.after)?;
                write!(renamed, "{EXPORTS}.{short}")?;
                rest = after;
            } else {
                renamed.push_str(word.text);
            }
        }
        renamed.push_str(rest);
        for import in self.imports.keys() {
            ensure!(
                offered.contains(import.as_str()),
                "the module imports `{import}`, which the glue does not offer"
            );
        }
        self.rename_origin(&renamed)
    }

    /// The short name of the export that is used after the variable, and what
    /// comes behind.
    fn export_of<'a>(&self, after: &'a str) -> Result<(&str, &'a str)> {
        match after.strip_prefix('.').and_then(next_word) {
            Some(property) if property.before.is_empty() => {
                let short = self.exports.get(property.text).with_context(|| {
                    format!(
                        "the glue uses `{EXPORTS}.{}`, which the module does not export",
                        property.text
                    )
                })?;
                Ok((short, property.after))
            }
            _ => bail!("the glue uses an export otherwise than as `{EXPORTS}.name`"),
        }
    }

    fn rename_origin(&self, glue: &str) -> Result<String> {
        let key = format!("\"{}\":", self.origin);
        ensure!(
            glue.matches(&key).count() == 1,
            "the glue does not have the key {key} exactly once"
        );
        Ok(glue.replace(&key, &format!("{GLUE}:")))
    }
}

/// Takes the raw exports out of a module's TypeScript declarations: their names
/// change with every build.
pub(super) fn hide_exports(declarations: &str) -> Result<String> {
    const HEAD: &str = "export interface InitOutput {\n";
    const FOOT: &str = "\n}\n";
    let (before, body) = declarations
        .split_once(HEAD)
        .with_context(|| format!("the declarations have no `{}`", HEAD.trim_end()))?;
    let (_, after) = body
        .split_once(FOOT)
        .context("the declarations of the exports do not end")?;
    Ok(format!(
        "{before}/** The module's exports, whose names differ from build to build. */\n\
         export interface InitOutput {{}}\n{after}"
    ))
}

impl Word<'_> {
    fn is_key(&self) -> bool {
        !self.is_property() && self.after.trim_start().starts_with(':')
    }

    /// Whether this is the variable with the exports, and one of them is used.
    fn is_exports(&self) -> bool {
        self.text == EXPORTS && !self.is_property() && self.after.starts_with(['.', '[', '?'])
    }

    fn is_property(&self) -> bool {
        self.before.ends_with('.') && !self.before.ends_with("...")
    }
}

/// The first identifier of a script; keywords, numbers and the words of strings
/// also pass for such.
fn next_word(script: &str) -> Option<Word<'_>> {
    let is_part = |character: char| character.is_alphanumeric() || "_$".contains(character);
    let (before, from) = script.split_at(script.find(is_part)?);
    let length = from.find(|character| !is_part(character));
    let (text, after) = from.split_at(length.unwrap_or(from.len()));
    Some(Word {
        before,
        text,
        after,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = r#"{
 "imports": [
  ["./visit_bg.js", "__wbg_then_656f253a5dd7d8ea", "a"],
  ["./visit_bg.js", "__wbg_then_656f253a5dd7d8ea_1", "b"]
 ],
"exports": [
  ["memory", "c"],
  ["start", "d"],
  ["__wbindgen_free", "e"]
 ]
}
"#;

    const GLUE: &str = r#"export function start(options) {
  return wasm.start(options);
}
function __wbg_get_imports() {
  const import0 = {
    __proto__: null,
    __wbg_then_656f253a5dd7d8ea: function(arg0) {
      return memory(arg0.wasm.start, [...wasm.memory]);
    },
    __wbg_then_656f253a5dd7d8ea_1: function(arg0) {
    }
  };
  return { __proto__: null, "./visit_bg.js": import0 };
}
let wasm;
const url = new URL("visit_bg.wasm", import.meta.url);
"#;

    fn names() -> ShortNames {
        ShortNames::parse(PRINTED, "visit").unwrap()
    }

    fn fault(glue: &str) -> String {
        names().rename_in_glue(glue).unwrap_err().to_string()
    }

    #[test]
    fn the_glue_gets_the_names_of_the_module_and_keeps_its_own() {
        let expected = r#"export function start(options) {
  return wasm.d(options);
}
function __wbg_get_imports() {
  const import0 = {
    __proto__: null,
    a: function(arg0) {
      return memory(arg0.wasm.start, [...wasm.c]);
    },
    b: function(arg0) {
    }
  };
  return { __proto__: null, a: import0 };
}
let wasm;
const url = new URL("visit_bg.wasm", import.meta.url);
"#;
        assert_eq!(names().rename_in_glue(GLUE).unwrap(), expected);
        assert_eq!(names().exports().collect::<String>(), "ecd");
    }

    #[test]
    fn an_import_that_the_glue_lacks_or_has_twice_is_refused() {
        let key = "__wbg_then_656f253a5dd7d8ea_1:";
        assert!(fault(&GLUE.replace(key, "other:")).contains("does not offer"));
        let twice = format!("{GLUE}({{ {key} 1 }})");
        assert!(fault(&twice).contains("elsewhere than once as a key"));
        let used = format!("{GLUE}import0.__wbg_then_656f253a5dd7d8ea");
        assert!(fault(&used).contains("elsewhere than once as a key"));
    }

    #[test]
    fn an_export_that_is_unknown_or_used_by_a_computed_name_is_refused() {
        let unknown = format!("{GLUE}wasm.__wbindgen_malloc(1);");
        assert!(fault(&unknown).contains("wasm.__wbindgen_malloc"));
        for other in ["wasm['memory']", "wasm?.memory", "wasm. memory"] {
            assert!(fault(&format!("{GLUE}{other};")).contains("otherwise"));
        }
    }

    #[test]
    fn imports_of_a_second_script_are_refused() {
        let snippet = PRINTED.replacen("./visit_bg.js", "./snippets/a.js", 1);
        let error = ShortNames::parse(&snippet, "visit").unwrap_err();
        assert!(error.to_string().contains("./snippets/a.js"), "{error}");
        let without_key = GLUE.replace("./visit_bg.js", "./snippets/a.js");
        assert!(fault(&without_key).contains("./visit_bg.js"));
    }

    #[test]
    fn other_output_is_not_taken_for_names() {
        assert!(ShortNames::parse("warning: no passes specified", "visit").is_err());
        assert!(ShortNames::parse("", "visit").is_err());
    }

    #[test]
    fn declarations_keep_the_api_and_lose_the_raw_exports() {
        let declarations = "export function start(): void;\n\nexport interface InitOutput {\n    \
                            readonly memory: WebAssembly.Memory;\n    readonly start: () => \
                            void;\n}\n\nexport function initSync(): InitOutput;\n";
        let hidden = hide_exports(declarations).unwrap();
        assert!(hidden.starts_with("export function start(): void;\n"));
        assert!(hidden.ends_with("{}\n\nexport function initSync(): InitOutput;\n"));
        assert!(!hidden.contains("readonly"));
        assert!(hide_exports("export {};").is_err());
    }
}
