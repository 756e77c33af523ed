// Files that a successful launch does not need, loaded when they are needed. Only files of
// this build are loaded, each with its hash.

import { files } from "./files.js";

let script;

/** Tells how scripts are loaded: `script.js` has it, which the page has but once. */
export const use = (loader) => {
  script = loader;
};

/** The address of a file of this build. */
export const address = (name) => new URL(files[name].url, import.meta.url).href;

/** The exports of a script of this build. Of a wasm module, `default()` starts it. */
export const load = (name) => script(address(name), files[name].integrity);
