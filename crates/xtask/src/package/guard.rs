//! The entry of a module in the package: its exports, and a sentence for whoever calls
//! one before the module is there.

/// The script, which imports the glue `script` from the folder `from`. `api` is the glue's
/// declarations, which name the exported functions.
pub(super) fn script(script: &str, from: &str, api: &str) -> String {
    let names: Vec<&str> = functions(api).collect();
    let imports: String = names
        .iter()
        .map(|name| format!(", {name} as call_{name}"))
        .collect();
    let mut text = format!(
        "import load, {{ initSync as loadSync{imports} }} from \"{from}{script}\";
let ready = false;
const call = (name, it, given) => {{
  if (!ready) throw new Error(`${{name}}() was called too early: call the default export of {script}, init(), and await it first.`);
  return it(...given);
}};
export default async function init(module) {{
  const exports = await load(module);
  ready = true;
  return exports;
}}
export function initSync(module) {{
  const exports = loadSync(module);
  ready = true;
  return exports;
}}
"
    );
    for name in names {
        text.push_str(&format!(
            "export const {name} = (...given) => call(\"{name}\", call_{name}, given);\n"
        ));
    }
    text
}

/// The names of the functions that are exported, but those that load the module.
fn functions(api: &str) -> impl Iterator<Item = &str> {
    api.lines()
        .filter_map(|line| line.strip_prefix("export function "))
        .filter_map(|line| line.split('(').next())
        .filter(|name| *name != "initSync")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_but_those_that_load_is_guarded() {
        let api = "export interface A {}\nexport function start(options: A): void;\n\
                   export function initSync(module: B): C;\nexport default function init(): D;\n";
        let text = script("visit.js", "../built/", api);
        assert!(
            text.contains("initSync as loadSync, start as call_start }"),
            "{text}"
        );
        assert_eq!(text.matches("export const ").count(), 1, "{text}");
    }
}
