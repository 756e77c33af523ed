import init, { start } from "/vestibule/vestibule.js";

await init({
  module_or_path: fetch("/vestibule/vestibule_bg.wasm", { integrity: "sha384-…" }),
});
