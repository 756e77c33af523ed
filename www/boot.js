// Starts the shim. Everything that a successful launch in English does not need is loaded
// from here when it is needed; where the shim cannot run, legacy.js takes over.
import init, { start } from "./vestibule.js";
import { script } from "./script.js";
import { wanted } from "./wanted.js";

// The shim takes the link out of the address.
let { href } = location;
const find = (selector) => document.querySelector(selector);
const parsed = new Promise((done) => {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", done);
  else done();
});
let choice;
let loaded;
let asked;

/** Calls a function of later.js, whose place and hash stand in the page. */
const later = (name, ...values) => {
  if (!loaded) {
    const { src, integrity } = find("[type=later]");
    loaded = script(src, integrity).then((exports) => {
      exports.use(script);
      return exports;
    });
    loaded.catch(() => (loaded = 0));
  }
  return loaded.then((exports) => exports[name](...values));
};

/** The bytes of the error module, which need not wait for the scripts that start it. */
const errorModule = () => {
  if (!asked) {
    const { href, integrity } = find("[rel=later]");
    asked = fetch(href, { integrity }).then((answer) => answer.arrayBuffer());
    asked.catch(() => (asked = 0));
  }
  return asked;
};

/** Where not even the script comes, the page is what it was. */
const change = (name, wish) =>
  later(name, document, wish).catch(() => (choice.value = document.documentElement.lang));

const speak = (tags, fallback) => {
  tags.push(fallback);
  if (!/^en\b/i.test(tags[0] || "en")) change("speak", tags);
};

const said = find("meta[name=vestibule]");
const options = said ? JSON.parse(said.content) : {};

/** Once. To lay the choice out takes the fonts of all languages, so nothing waits for it. */
const offerLanguages = () => {
  if (choice) return;
  choice = find("[data-language]");
  choice.value = "en";
  choice.onchange = () => change("choose", choice.value);
  choice.parentNode.hidden = false;
  speak(wanted(href), options.language);
  href = "";
};

// The module is on its way already, and nothing that it does not need comes before it.
Promise.all([init(vestibuleFallback.wasm), parsed])
  .then(() => {
    document.documentElement.dataset.visit = "";
    const visit = start({
      ...options,
      root: document,
      // What has failed is tried again when the page is to be rendered.
      prepareErrorPage: () => later("prepareErrorPage", errorModule()).catch(() => {}),
      renderErrorPage: (page) => later("renderErrorPage", page, errorModule()),
      checkDevices: (section, node) => later("checkDevices", section, { node }),
      // By now the link is gone, and a language may have been chosen.
      speak: (language) => speak(wanted(location.href), language || options.language),
    });
    offerLanguages();
    return visit;
  })
  .catch((error) => {
    if (error.name !== "LaunchError") {
      console.error(error);
      vestibuleFallback(true);
      parsed.then(offerLanguages);
    }
  });
