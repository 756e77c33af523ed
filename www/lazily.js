// What only some visits need, the error page and the device check: loaded when they do, and
// again where that has failed.
import { files } from "./files.js";
import { texts } from "./language.js";
import { address, load } from "./load.js";

const STYLES = "css/device-check.css";
const modules = {};

/**
 * The loaders. `begin(script, name, bytes)` starts the wasm module whose script this is; the
 * promise of its bytes is there where they were asked for already. `language()` is that of the page, and `sample` the name of the file by which throughput is
 * measured.
 */
export function lazily({ begin, language, sample }) {
  /** A module, once for all who need it. */
  const module = (name, bytes) => {
    modules[name] =
      modules[name] ||
      load(`${name}.js`).then((script) => begin(script, name, bytes).then(() => script));
    modules[name].catch(() => (modules[name] = undefined));
    return modules[name];
  };

  return {
    /** Nobody waits for it, so nobody is told where it fails. */
    prepareErrorPage: (bytes) => module("error-page", bytes).then(() => {}, () => {}),
    renderErrorPage: async (page, bytes) =>
      (await module("error-page", bytes)).render(page, language()),
    /** Runs the device check in a section of the page. `node` is the base URL of the node. */
    async checkDevices(section, { node, signal }) {
      const css = { url: address(STYLES), integrity: files[STYLES].integrity };
      let known;
      const translate = async () => {
        const asked = language();
        const file = `locales/devices/${asked}.json`;
        // English texts are its own; so they are where others cannot be had.
        const detail = files[file] && (await texts(file).catch(() => undefined));
        if (asked !== language()) return;
        known = detail;
        section.dispatchEvent(new CustomEvent("vestibule-texts", { detail }));
      };
      addEventListener("vestibule-language", translate);
      try {
        const [{ check }] = await Promise.all([
          module("device-check"),
          translate(),
          // The styles are there when the check begins; without them it is only less neat.
          fetch(css.url, { integrity: css.integrity }).catch(() => undefined),
        ]);
        return await check(section, { texts: known, css, node, sample: address(sample), signal });
      } finally {
        removeEventListener("vestibule-language", translate);
      }
    },
  };
}
