// Starts a module through its glue, which fails where an import is missing, and
// looks for its exports.
// Arguments: the glue, the module, the names of the exports separated by commas.

import { readFile } from "node:fs/promises";

const [gluePath, wasmPath, exportNames] = process.argv.slice(2);
// From a data URL, since Node.js takes a file with the ending .js for CommonJS.
const glue = await readFile(gluePath, "base64");
const { default: initialise } = await import(`data:text/javascript;base64,${glue}`);
const exports = await initialise({ module_or_path: await readFile(wasmPath) });

const missing = exportNames.split(",").filter((name) => !(name in exports));
if (missing.length > 0) {
  throw new Error(`the module does not export ${missing.join(", ")}`);
}
