// The landing page as a custom element, `<vestibule-launch>`, for the pages of others.
// Bundled by `cargo xtask package`, which makes files.js, markup.js and policy.js for it.

import init, { start } from "./vestibule.js";
import { files } from "./files.js";
import { again, apply, spoken, texts } from "./language.js";
import { lazily } from "./lazily.js";
import { address, use } from "./load.js";
import { css, markup } from "./markup.js";
import { policy } from "./policy.js";
import { script } from "./script.js";

use(script);

/** The properties, and the attributes that they stand for. */
const ATTRIBUTES = {
  link: "link",
  node: "node",
  launchApi: "launch-api",
  language: "language",
  handOver: "hand-over",
  connectBase: "connect-base",
  connectForm: "connect-form",
  deviceCheck: "device-check",
  hospital: "hospital",
  logo: "logo",
};

/** What a page can style from outside by `::part()`. */
const PARTS = {
  ".header": "header",
  "[data-brand=logo]": "logo",
  "[data-brand=name]": "name",
  ".main": "main",
  h1: "heading",
  label: "label",
  input: "field",
  "button:not(.quiet), a.button": "button",
  "button.quiet": "button quiet",
  ".progress": "progress",
  ".fault": "fault",
  "[data-list]": "list",
  "[data-failure]": "failure",
};

/** Elements in the document: what ends their visit, and the promise of it. */
const lives = new WeakMap();
/** A shim that has not started after so long is given up, in ms. */
const LONGEST_START = 20000;
let loaded;
let sheet;

const wasm = (name) => {
  const file = `${name}_bg.wasm`;
  return { module_or_path: fetch(address(file), { integrity: files[file].integrity }) };
};

/**
 * Loads the shim once for all elements; what has failed or takes too long is tried again by
 * the next.
 */
const ready = () => {
  loaded =
    loaded ||
    new Promise((resolve, reject) => {
      init(wasm("vestibule")).then(resolve, reject);
      setTimeout(() => reject(new Error("the module takes too long")), LONGEST_START);
    });
  loaded.catch(() => {
    loaded = undefined;
  });
  return loaded;
};

/** Shows one of the screens before the shim does, or instead of it. */
const show = (root, name) => {
  for (const section of root.querySelectorAll("section")) {
    section.hidden = section.dataset.screen !== name;
    if (!section.hidden) section.querySelector("h1").focus();
  }
  again(root);
};

const style = (root) => {
  if ("adoptedStyleSheets" in root) {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }
    root.adoptedStyleSheets = [sheet];
    return;
  }
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.crossOrigin = "anonymous";
  link.integrity = files["css/element.css"].integrity;
  link.href = address("css/element.css");
  root.insertBefore(link, root.firstChild);
};

/** Puts the page into the element, as it is before anything has happened. */
const furnish = (element, root) => {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML("") : markup;
  const page = template.content;
  const { hospital, logo } = element;
  const picture = page.querySelector("[data-brand=logo]");
  picture.hidden = !logo;
  if (logo) picture.src = logo;
  const name = page.querySelector("[data-brand=name]");
  name.hidden = !hospital;
  name.removeAttribute("data-text");
  name.textContent = hospital;
  page.querySelector(".header").hidden = !logo && !hospital;
  for (const selector in PARTS) {
    for (const part of page.querySelectorAll(selector)) {
      part.setAttribute("part", PARTS[selector]);
    }
  }
  for (const section of page.querySelectorAll("section")) {
    section.setAttribute("part", `screen ${section.dataset.screen}`);
  }
  // The frame's document is styled and sized from here, so it has to come from here.
  const frame = page.querySelector("[data-failure]");
  frame.dataset.failure = address("error-frame.html");
  root.textContent = "";
  root.appendChild(page);
  style(root);
};

/** The language of the element: its own, that of the page around it, the browser's; or none. */
const languageOf = (element) => {
  const around = element.parentElement && element.parentElement.closest("[lang]");
  const wanted = [element.language, around && around.lang, ...navigator.languages];
  return wanted.map(spoken).find(Boolean);
};

/** Nothing waits for it; the English texts stay where it fails. */
async function speak(element, root, language) {
  if (language !== "en") {
    try {
      apply(root, await texts(`locales/${language}.json`));
      again(root);
    } catch (_) {
      return;
    }
  }
  element.lang = language;
  element.dir = language === "ar" ? "rtl" : "ltr";
}

/** What the page is told where the shim itself cannot run. */
const broken = (error) =>
  Object.assign(new Error("internal_error"), {
    name: "LaunchError",
    code: "internal_error",
    requestId: "",
    utcTime: new Date().toISOString(),
    retryable: false,
    cause: error,
  });

const tell = (element, type, detail) =>
  element.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));

const begin = (element) => {
  const { link } = element;
  const controller = new AbortController();
  const { signal } = controller;
  const root = element.shadowRoot || element.attachShadow({ mode: "open" });
  furnish(element, root);
  const own = languageOf(element);
  let language = own || "en";
  speak(element, root, language);
  const node = element.node || undefined;
  const { prepareErrorPage, renderErrorPage, checkDevices } = lazily({
    begin: (script, name) => script.default(wasm(name)),
    language: () => language,
    sample: "error-page_bg.wasm",
  });

  const options = {
    link: link || undefined,
    node,
    launchApi: element.launchApi || undefined,
    handOver: element.handOver || undefined,
    connect: { base: element.connectBase || "", form: element.connectForm || "webapp3" },
    deviceCheck: element.deviceCheck || undefined,
    root,
    host: element,
    signal,
    prepareErrorPage,
    renderErrorPage,
    checkDevices: (section, at) => checkDevices(section, { node: at, signal }),
    speak(wish) {
      if (own || !spoken(wish)) return;
      language = spoken(wish);
      speak(element, root, language);
    },
  };

  // Until the shim is there, its button to cancel is seen to here.
  let begun;
  const cancelled = new Promise((resolve) => {
    root.querySelector("[data-action=cancel]").addEventListener("click", () => {
      if (begun || signal.aborted) return;
      controller.abort();
      for (const part of root.querySelectorAll("[data-when=over]")) part.hidden = false;
      show(root, "left");
      tell(element, "vestibule-ended");
      resolve();
    });
  });
  const started = ready().then(() => {
    if (signal.aborted) return undefined;
    begun = true;
    return start(options);
  });

  const visit = Promise.race([cancelled, started])
    .then(
      (session) => {
        if (!session && !signal.aborted) tell(element, "vestibule-ended");
        return session;
      },
      (error) => {
        if (signal.aborted) return undefined;
        const known = error && error.name === "LaunchError";
        if (!known) show(root, "unsupported");
        const failure = known ? error : broken(error);
        tell(element, "vestibule-failed", failure);
        throw failure;
      },
    );
  // Whoever only listens to the events has not forgotten anything.
  visit.catch(() => {});
  lives.set(element, { controller, visit });
  // A link may hold a PIN or a ticket: it stays in the document no longer than in the
  // address of a page.
  if (link) element.removeAttribute("link");
};

const end = (element) => {
  const life = lives.get(element);
  lives.delete(element);
  if (life) life.controller.abort();
};

/** A server that renders the page around may import this, and has no elements. */
const Element = typeof HTMLElement === "undefined" ? class {} : HTMLElement;

class VestibuleLaunch extends Element {
  static get observedAttributes() {
    return ["link"];
  }

  /** What becomes of the visit; undefined while the element is in no document. */
  get visit() {
    const life = lives.get(this);
    return life && life.visit;
  }

  connectedCallback() {
    if (!lives.has(this)) begin(this);
  }

  disconnectedCallback() {
    // An element that is only moved keeps its visit.
    Promise.resolve().then(() => {
      if (!this.isConnected) end(this);
    });
  }

  /** Another link while a visit is there: that visit goes first. */
  attributeChangedCallback(_, before, link) {
    if (link && lives.has(this)) {
      end(this);
      begin(this);
    }
  }
}

for (const property in ATTRIBUTES) {
  const attribute = ATTRIBUTES[property];
  Object.defineProperty(VestibuleLaunch.prototype, property, {
    configurable: true,
    enumerable: true,
    get() {
      return this.getAttribute(attribute);
    },
    set(value) {
      if (value === null || value === undefined) this.removeAttribute(attribute);
      else this.setAttribute(attribute, value);
    },
  });
}

if (typeof customElements !== "undefined" && !customElements.get("vestibule-launch")) {
  customElements.define("vestibule-launch", VestibuleLaunch);
}

export { VestibuleLaunch };
