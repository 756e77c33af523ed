//! How a served module starts: its wasm is fetched by the name and the hash that this
//! build gave it. wasm-bindgen's own start, which takes a module in any form, is for
//! embedders.

use anyhow::{Context, Result};

use super::served::Served;

/// The end of wasm-bindgen's glue.
const EXPORTS: &str = "export { initSync, __wbg_init as default };";

/// The glue with a default export that starts the module, once, again where that has failed.
/// It fetches the wasm unless it is given a promise of its bytes; `root` leads from the glue
/// to the served folder. What is left without a use by it is dropped when the glue is
/// bundled.
///
/// The wasm is not compiled while it comes in: a server that calls it by a wrong
/// content type would make that fail, and it is small.
pub(super) fn fetching(glue: &str, root: &str, wasm: &Served) -> Result<String> {
    let (before, after) = halves(glue)?;
    let url = serde_json::to_string(&format!("{root}{}", wasm.file))?;
    let integrity = serde_json::to_string(&wasm.integrity)?;
    Ok(format!(
        "{before}let started;
export default function startModule(asked) {{
  if (!started) {{
    started = (
      asked ||
      fetch(new URL({url}, import.meta.url), {{
        credentials: \"same-origin\",
        integrity: {integrity},
      }}).then((response) => response.arrayBuffer())
    )
      .then((bytes) => WebAssembly.instantiate(bytes, __wbg_get_imports()))
      .then((built) => __wbg_finalize_init(built.instance, built.module));
    started.catch(() => {{
      started = undefined;
    }});
  }}
  return started;
}}
{after}"
    ))
}

/// The glue of the page's entry, likewise. Its default export is called once, with a promise
/// of the compiled module: the page asks for it before this script is there.
pub(super) fn fetching_ahead(glue: &str) -> Result<String> {
    let (before, after) = halves(glue)?;
    Ok(format!(
        "{before}export default function startModule(asked) {{
  return Promise.resolve(asked).then((module) =>
    WebAssembly.instantiate(module, __wbg_get_imports()).then((instance) =>
      __wbg_finalize_init(instance, module)
    )
  );
}}
{after}"
    ))
}

/// What stands before the glue's exports, and after them.
fn halves(glue: &str) -> Result<(&str, &str)> {
    glue.split_once(EXPORTS)
        .context("the glue does not end in its exports as expected")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_fetched_by_its_name_and_hash() {
        let wasm = Served {
            file: "visit.0123456789.wasm".to_owned(),
            integrity: "sha384-abc".to_owned(),
        };
        let glue = fetching(&format!("let wasm;\n{EXPORTS}\n"), "./", &wasm).unwrap();
        assert!(glue.contains("new URL(\"./visit.0123456789.wasm\", import.meta.url)"));
        assert!(glue.contains("integrity: \"sha384-abc\""));
        assert!(!glue.contains("initSync"));
        assert!(fetching("let wasm;", "./", &wasm).is_err());
    }

    #[test]
    fn the_entry_takes_the_wasm_that_the_page_has_asked_for() {
        let glue = fetching_ahead(&format!("let wasm;\n{EXPORTS}\n")).unwrap();
        assert!(glue.contains("Promise.resolve(asked)"));
        assert!(!glue.contains("initSync"));
        assert!(fetching_ahead("let wasm;").is_err());
    }
}
