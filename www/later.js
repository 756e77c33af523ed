// What a successful launch in English does not need, in one script: boot.js loads it when
// something of it is needed.
import { choose, speak } from "./language.js";
import { lazily } from "./lazily.js";
import { use } from "./load.js";

export { choose, speak, use };

export const { prepareErrorPage, renderErrorPage, checkDevices } = lazily({
  // The page's own scripts know where their wasm is, unless it was asked for already.
  begin: (script, name, bytes) => script.default(bytes),
  language: () => document.documentElement.lang || "en",
  sample: "error-page.wasm",
});
