// The shim's only hand on the browser: page, storage, clock, and by network.js the network.
// It decides nothing: what happens goes to `receive`, and what is to be shown comes from
// there.
// Everything of the page is looked up inside `root`, so that the page can stand in a
// custom element as well.
//
// ES2019 syntax, because what is served is lowered no further than that.

import { attempt, parse } from "./json.js";
import { network } from "./network.js";

// Topics of `receive`, the same as in browser.rs; the others are in network.js.
/** A button was pressed (index in `ACTIONS`, uuid of a provider). */
const CLICKED = 10;
/** A form was sent (index in `FORMS`, text). */
const SUBMITTED = 11;
/** The sign-in is over (1, token; or 0, why not). */
const SIGNED_IN = 12;
/** The page is being left. */
const CLOSED = 13;
/** The page has come back from the page cache. */
const RESTORED = 14;
/** The page is visible again (how long it was hidden, in ms), or the browser online (-1). */
const WOKEN = 15;
/** The browser is offline. */
const OFFLINE = 16;
/** Another tab says something (0, three numbers). */
const TAB = 17;
/** A timer is due (its number). */
const TIMER = 18;
/** The error page is rendered (1, HTML), or could not be (0). */
const ERROR_HTML = 19;
/** The device check is over (0, its result; none where it failed). */
const DEVICES = 20;
/** Another link was opened in this tab (0, its address). */
const OTHER_LINK = 21;
/** The page was given back: nothing more is told. */
const GIVEN_BACK = 22;

/** What buttons do, as CLICKED numbers it; the same as in browser.rs. */
const ACTIONS =
  "leave cancel retry rejoin check-devices take-over join host guest back provider".split(" ");
/** The forms, as SUBMITTED numbers them. */
const FORMS = ["name", "pin", "extension"];
/** The place of the PIN's form. */
const PIN_FORM = 1;
/** After so long a wait the page says that it takes longer than usual, in ms. */
const LONG_WAIT = 15000;
/** Buttons that led nowhere can be pressed again after so long, in ms. */
const PRESSED = 5000;
/** Without an error page after so long the page's own words are shown, in ms. */
const LONGEST_RENDERING = 8000;

/**
 * How the page wants the shim to run, as far as it matters here.
 * @typedef {object} Options
 * @property {EventTarget} [host] what events are dispatched on; default: the window
 * @property {() => void} [prepareErrorPage] an error page will be rendered soon
 * @property {(page: object) => Promise<string>} renderErrorPage renders an error page to HTML
 * @property {(section: Element, node?: string) => Promise<object>} [checkDevices] runs the
 *   device check, with the node at this base URL
 * @property {(language: string) => void} [speak] the launch's wish for a language
 * @property {string} [deviceCheck] `offer` or `before`: the device check can be had
 * @property {string} [link] the join link; default: the page's address, which then loses it
 * @property {AbortSignal} [signal] gives the page back
 *
 * @typedef {(topic: number, number?: number, value?: unknown) => void} Tell
 * @typedef {Document | ShadowRoot} Root
 */

/** @type {(within: ParentNode, selector: string) => HTMLElement[]} */
const all = (within, selector) => Array.from(within.querySelectorAll(selector));

/** @type {(within: ParentNode, selector: string) => HTMLElement | undefined} */
const find = (within, selector) => all(within, selector)[0];

/** @type {(within: ParentNode, selector: string, hidden: boolean) => void} */
const hide = (within, selector, hidden) => {
  for (const element of all(within, selector)) element.hidden = hidden;
};

/** @type {(within: ParentNode, selector: string, text: string | null) => void} */
const write = (within, selector, text) => {
  for (const element of all(within, selector)) element.textContent = text;
};

/** @type {(parent: Element, name: string, text?: string) => HTMLElement} a new last child */
const append = (parent, name, text = "") => {
  const child = parent.appendChild(document.createElement(name));
  child.textContent = text;
  return child;
};

/** @type {(root: Root, name: string, url: string) => void} where the links of this name lead */
const lead = (root, name, url) => {
  for (const link of all(root, `[data-link=${name}]`)) link.setAttribute("href", url);
};

/** @type {(base: string | undefined) => URL | Location} the page itself where it is none */
const at = (base) => attempt(() => new URL(base || "", location.href)) || location;

/**
 * Adds a listener, and to `undo` what takes it off.
 * @typedef {(target: EventTarget, type: string, listener: (event: Event) => void) => void} Listen
 * @type {(undo: (() => void)[]) => Listen}
 */
const listening = (undo) => (target, type, listener) => {
  target.addEventListener(type, listener);
  undo.push(() => target.removeEventListener(type, listener));
};

/** Address, storage, clock and the other tabs. */
const surroundings = (
  /** @type {Tell} */ tell,
  /** @type {Root} */ root,
  /** @type {Options} */ options,
  /** @type {(() => void)[]} */ undo,
) => {
  /** @type {Record<number, number>} */
  const timers = {};
  /** @type {BroadcastChannel | undefined} */
  let tabs;
  const storage = (/** @type {boolean} */ lasting) => (lasting ? localStorage : sessionStorage);
  undo.push(() => tabs && tabs.close());

  return {
    href: () => options.link || location.href,
    host: (/** @type {string | undefined} */ base) => at(base).host,
    replaceAddress(/** @type {string} */ href) {
      if (!options.link) history.replaceState(history.state, "", href);
    },
    /** Leaves the page; the link to the same address stays where that does not work. */
    go(/** @type {string} */ url) {
      lead(root, "go", url);
      location.replace(url);
    },
    /** `lasting`: kept when the tab is closed. */
    recall(/** @type {string} */ key, /** @type {boolean} */ lasting) {
      const text = attempt(() => storage(lasting).getItem(key)) || null;
      const object = parse(text);
      return typeof object === "object" ? object : text;
    },
    /** Objects are kept as JSON text. Forgets the key where there is no value. */
    remember(
      /** @type {string} */ key,
      /** @type {string | object | undefined} */ value,
      /** @type {boolean} */ lasting,
    ) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      attempt(() =>
        text === undefined ? storage(lasting).removeItem(key) : storage(lasting).setItem(key, text),
      );
    },
    /** 128 bits as hexadecimal digits, or a UUID (RFC 9562 section 5.4). */
    random(/** @type {boolean} */ uuid) {
      const digits = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
        (byte + 256).toString(16).slice(1),
      ).join("");
      return uuid ? digits.replace(/(.{8})(.{4}).(.{3}).(.{3})/, "$1-$2-4$3-8$4-") : digits;
    },
    /** Tells whoever looks for a fault in a link which part of it was not used. */
    remark: (/** @type {string} */ parameter) => console.warn("Not used of the link: " + parameter),
    /** RFC 3339, UTC. */
    now: () => new Date().toISOString(),
    /** One timer a number; negative milliseconds stop it. */
    timer(/** @type {number} */ number, /** @type {number} */ milliseconds) {
      clearTimeout(timers[number]);
      if (milliseconds >= 0) timers[number] = setTimeout(() => tell(TIMER, number), milliseconds);
    },
    /** A random number; 0 where there are no channels between tabs. */
    channel(/** @type {string} */ name) {
      tabs = attempt(() => new BroadcastChannel(name));
      if (tabs) tabs.onmessage = (event) => tell(TAB, 0, event.data);
      return tabs ? Math.ceil(Math.random() * 2 ** 31) : 0;
    },
    tell(/** @type {number[]} */ ...numbers) {
      if (tabs) tabs.postMessage(numbers);
    },
  };
};

/** What the person sees. */
const page = (
  /** @type {Tell} */ tell,
  /** @type {Root} */ root,
  /** @type {Options} */ options,
  /** @type {(() => void)[]} */ undo,
) => {
  const listen = listening(undo);
  const emit = (/** @type {string} */ type, /** @type {unknown} */ detail) => {
    const event = new CustomEvent(type, { detail, bubbles: true, composed: true });
    (options.host || window).dispatchEvent(event);
  };
  /** @type {HTMLButtonElement[]} */
  let pressed = [];
  let pressTimer = 0;
  let waitTimer = 0;
  /** @type {string[] | undefined} the names of the others who were here */
  let present;
  /** @type {string | false | undefined} what is shown, where nothing is wrong with it */
  let showing;

  const say = (/** @type {string | null} */ text) => write(root, "#announcement", text);

  /** One of the page's own words. */
  const word = (/** @type {string} */ key) => {
    const element = find(root, `[data-say=${key}]`);
    return (element && element.textContent) || "";
  };

  /** The document's title follows the screen, where the document is all ours. */
  const entitle = () => {
    const heading = find(root, "[data-screen]:not([hidden]) h1:not([hidden])");
    const name = find(root, "[data-brand=name]");
    if (root === document && heading && name) {
      document.title = `${heading.textContent} – ${name.textContent}`;
    }
  };

  const release = () => {
    clearTimeout(pressTimer);
    for (const section of all(root, "[aria-busy]")) section.removeAttribute("aria-busy");
    for (const button of pressed) button.disabled = false;
    pressed = [];
  };

  /** Every button of the screen waits until the next one is shown. */
  const press = (/** @type {Element} */ element) => {
    const section = /** @type {Element} */ (element.closest("[data-screen]"));
    release();
    section.setAttribute("aria-busy", "true");
    pressed = /** @type {HTMLButtonElement[]} */ (all(section, "button:enabled"));
    for (const button of pressed) button.disabled = true;
    pressTimer = setTimeout(release, PRESSED);
  };

  const fill = (/** @type {string} */ key, /** @type {string} */ text = "") =>
    write(root, `[data-fill=${key}]`, text);

  let frame = /** @type {HTMLIFrameElement | undefined} */ (find(root, "[data-failure]"));

  /**
   * Puts a frame in its place. Even an empty one would keep an old phone busy for longer
   * than all of the other elements.
   */
  const makeFrame = (/** @type {Element} */ place) => {
    const made = document.createElement("iframe");
    for (const { name, value } of Array.from(place.attributes)) made.setAttribute(name, value);
    /** @type {Element} */ (place.parentElement).replaceChild(made, place);
    return made;
  };

  /** As high as its content: the page is what scrolls. */
  const fit = () => {
    const inner = frame && frame.contentDocument;
    if (frame && inner && !frame.hidden) {
      // The last time beside the scroll bar that this may have brought up.
      frame.height = "0";
      for (let time = 0; time < 2; time++) {
        frame.height = String(inner.documentElement.scrollHeight);
      }
    }
  };

  /** @type {Record<string, string>} what the error page is rendered of */
  let failed;

  /** Renders the error page in the language of the page. */
  const render = () => {
    const host = /** @type {ShadowRoot} */ (root).host || document.documentElement;
    const lang = /** @type {HTMLElement} */ (host).lang || undefined;
    const time = new Date(failed.utc_time);
    fill("local_time", time.toLocaleString(lang, { timeZoneName: "short" }));
    return new Promise((resolve) => resolve(options.renderErrorPage(failed)));
  };

  /**
   * Shows the error page, or the page's own words where there is no `html`. The
   * frame's document has a content security policy of its own, and its sandbox
   * allows no script: a template can be styled but never act.
   */
  const showFailure = (/** @type {string | undefined} */ html) => {
    if (!frame) return;
    const framed = (/** @type {boolean} */ on) => {
      frame.hidden = !on;
      hide(root, "[data-own]", on);
      /** @type {Element} */ (frame.parentElement).classList.toggle("framed", on);
    };
    framed(false);
    if (html === undefined) return;
    if (frame.localName !== "iframe") frame = makeFrame(frame);
    frame.onload = () => {
      const inner = frame.contentDocument;
      if (!inner) return;
      framed(true);
      // The document's root as well has a language and a direction.
      const outer = inner.documentElement;
      for (const name of ["lang", "dir"]) {
        const found = new RegExp(`<html[^>]* ${name}="?([\\w-]+)`, "i").exec(html);
        if (found) outer.setAttribute(name, found[1]);
      }
      outer.innerHTML = html;
      inner.head.appendChild(inner.createElement("base")).target = "_blank";
      inner.addEventListener("load", fit, true);
      fit();
    };
    frame.src = frame.dataset.failure || "";
  };

  // Signing in at an identity provider

  /** @type {{url: string, origin: string, popup: boolean} | undefined} */
  let signing;
  /** @type {Window | null} */
  let popup = null;
  let popupTimer = 0;

  const endSignIn = () => {
    clearInterval(popupTimer);
    if (popup) popup.close();
    popup = null;
    signing = undefined;
  };

  /** Where the browser allows no window the link opens a tab. */
  const openSignIn = (/** @type {Event} */ event) => {
    if (!signing || !signing.popup) return;
    clearInterval(popupTimer);
    popup = window.open(signing.url, "vestibule-sign-in", "popup,width=520,height=720");
    if (!popup) return;
    event.preventDefault();
    popupTimer = setInterval(() => {
      if (popup && popup.closed) {
        clearInterval(popupTimer);
        tell(SIGNED_IN, 0, "closed");
      }
    }, 500);
  };

  listen(root, "click", (event) => {
    // The second click of a double click was not meant for what the first has shown.
    if (/** @type {MouseEvent} */ (event).detail > 1) return event.preventDefault();
    const clicked = /** @type {Element} */ (event.target);
    if (clicked.closest("[data-link=sign-in]")) openSignIn(event);
    // What the page offers without the module is not for it.
    const button = clicked.closest("[data-screen]:not([data-screen=unsupported]) [data-action]");
    const action = button && button.getAttribute("data-action");
    if (!button || !action) return;
    const words = find(root, "[data-own] dl");
    const selection = getSelection();
    if (action === "skip-check") {
      checking = undefined;
      tell(DEVICES);
    } else if (action !== "copy") {
      const [name, uuid] = action.split(":");
      press(button);
      tell(CLICKED, ACTIONS.indexOf(name), uuid);
    } else if (words && selection) {
      selection.selectAllChildren(words);
      if (document.execCommand("copy")) say(word("copied"));
    }
  });

  listen(root, "submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const index = FORMS.indexOf(form.dataset.form || "");
    const input = form.querySelector("input");
    if (index < 0 || !input) return;
    event.preventDefault();
    const text = input.value;
    // The page keeps no PIN.
    if (index === PIN_FORM) input.value = "";
    press(form);
    tell(SUBMITTED, index, text);
  });

  // The node's own page sends the token, so a message from any other origin than the
  // node's counts for nothing.
  listen(window, "message", (event) => {
    const { origin, data } = /** @type {MessageEvent} */ (event);
    if (!signing || origin !== signing.origin || !data) return;
    const good = data.result === "success";
    const text = good ? data.token : data.code || data.result;
    if (typeof text === "string") tell(SIGNED_IN, +good, text);
  });

  // Told by the choice of language, when the page has other words.
  listen(window, "vestibule-language", () => {
    entitle();
    if (failed) render().then(showFailure, () => {});
  });
  listen(window, "resize", fit);
  undo.push(endSignIn, release, () => clearTimeout(waitTimer));

  /** @type {object | undefined} the device check that is waited for */
  let checking;
  const check = options.checkDevices;
  const offered = check && /^(offer|before)$/.test(options.deviceCheck || "");
  hide(root, "[data-action=check-devices]", !offered);

  /**
   * Shows a screen and no other.
   * @param {string} words its name, and which of its `data-when` parts are shown, with
   *   spaces between
   * @param {boolean} [faulty] whether it says that what was entered is wrong
   */
  const show = (words, faulty = false) => {
    // Until then nothing of the page is laid out: see watch.js.
    if (root === document) document.documentElement.hidden = false;
    const [screen, ...when] = words.split(" ");
    release();
    // Whoever has waited for long need not hear anew what for.
    if (showing === words && !faulty) return;
    showing = !faulty && words;
    clearTimeout(waitTimer);
    const section = find(root, `[data-screen=${screen}]`);
    if (!section) return;
    const changed = section.hidden;
    if (changed) {
      endSignIn();
      present = undefined;
    }
    hide(root, "[data-screen]", true);
    section.hidden = false;
    for (const part of all(section, "[data-when]")) {
      part.hidden = !when.includes(part.dataset.when || "");
    }
    hide(section, ".fault", !faulty);
    const fault = find(section, ".fault");
    const input = find(section, "input");
    if (input) {
      input.setAttribute("aria-invalid", String(faulty));
      input.setAttribute("aria-describedby", (faulty && fault && fault.id) || "");
    }
    const heading = find(section, "h1:not([hidden])");
    const focused = input || heading;
    if (focused && (changed || faulty)) focused.focus();
    // A part of another variant has nothing to say.
    const late = find(section, ":not([hidden]) > .late");
    if (late) {
      late.hidden = true;
      waitTimer = setTimeout(() => {
        late.hidden = false;
        say(late.textContent);
      }, LONG_WAIT);
    }
    const said = faulty ? fault : heading;
    if (said) say(said.textContent);
    entitle();
    emit("vestibule-screen", { screen });
  };

  return {
    emit,
    show,
    /**
     * Fills a list, of participants or of buttons. Who has come or gone since is
     * said, and the focus stays where it is. A list without this participant is none that
     * anybody has come to or gone from.
     * @param {Record<string, string>[]} items as the node has them: its participants, or
     *   identity providers
     * @param {string | undefined} own uuid of this participant, where they are participants
     */
    list(items, own) {
      /** @type {string[]} */
      const now = [];
      let whole;
      const list = find(root, `[data-list=${own ? "participants" : "providers"}]`);
      if (!list) return;
      list.textContent = "";
      for (const known of Array.from(items, Object)) {
        const { name, display_name: shown = name || "", uuid, role } = known;
        if (!uuid) continue;
        const you = uuid === own;
        const item = append(list, "li");
        const parent = append(item, own ? "span" : "button");
        append(parent, "bdi", shown);
        if (!own) parent.dataset.action = `provider:${uuid}`;
        if (role) item.dataset.role = role;
        if (you) {
          item.dataset.you = "";
          whole = now;
        } else now.push(shown);
        for (const remark of [role === "chair" && "host", you && "you"]) {
          if (remark) append(item, "small", word(remark)).dataset.text = remark;
        }
      }
      /** @type {(key: string, some: string[], others: string[]) => string[]} */
      const news = (key, some, others) => {
        const left = others.slice();
        return some
          .filter((name) => !left.includes(name) || !left.splice(left.indexOf(name), 1))
          .map((name) => word(key).replace("{name}", () => name));
      };
      if (present && whole) {
        const text = [...news("came", now, present), ...news("went", present, now)].join(" ");
        if (text) say(text);
      }
      present = whole;
    },
    /** Has an error page rendered, and fills the page's own words. */
    renderFailure(/** @type {Record<string, string>} */ page) {
      for (const key in page) if (/^\w+$/.test(key)) fill(key, page[key]);
      failed = page;
      new Promise((resolve, reject) => {
        render().then(resolve, reject);
        setTimeout(reject, LONGEST_RENDERING);
      }).then((html) => tell(ERROR_HTML, 1, html), () => tell(ERROR_HTML));
    },
    /** `retryable`: trying again makes sense. */
    showFailure(/** @type {string | undefined} */ html, /** @type {boolean} */ retryable) {
      hide(root, "[data-retry]", !retryable);
      showFailure(html);
    },
    /**
     * Offers the way to an identity provider, which is called by its host where it has no
     * name.
     * @param {{redirect_url: string, redirect_idp?: {name?: string},
     *   disable_popup_flow?: boolean}} wanted as the node has it
     * @param {string | undefined} node
     */
    signIn(wanted, node) {
      const url = wanted.redirect_url;
      fill("provider", Object(wanted.redirect_idp).name || at(url).host);
      lead(root, "sign-in", url);
      signing = { url, origin: at(node).origin, popup: !wanted.disable_popup_flow };
    },
    /** Runs the device check in the section for it; says so where it cannot be had. */
    checkDevices(/** @type {string | undefined} */ node) {
      const section = find(root, "[data-screen=devices]");
      const mine = (checking = {});
      const done = (/** @type {object | void} */ result) => {
        if (checking === mine) tell(DEVICES, 0, result);
      };
      show("devices loading");
      new Promise((resolve) => resolve(check && section && check(section, node))).then(done, () => {
        if (checking === mine && section && !section.hidden) show("devices", true);
        else done();
      });
    },
  };
};

export class Browser {
  /**
   * Takes the page over.
   * @param {Root | undefined} root default: the document
   * @param {(topic: number, number: number, value: unknown) => void} receive
   * @param {Options} options
   */
  constructor(root, receive, options) {
    root = root || document;
    /** @type {(() => void)[]} */
    const undo = [];
    const listen = listening(undo);
    let closed = false;
    let receiving = false;
    let hidden = Date.now();

    /** @type {Tell} */
    const tell = (topic, number, value) => {
      if (closed) return;
      // The module is never called while it runs.
      if (receiving) {
        Promise.resolve().then(() => tell(topic, number, value));
        return;
      }
      receiving = true;
      try {
        receive(topic, number || 0, value);
      } catch (trap) {
        // A module that has trapped is not called again.
        closed = true;
        reject(trap);
        setTimeout(() => {
          throw trap;
        });
        requests.abandon();
      }
      receiving = false;
    };
    const abort = () => {
      tell(CLOSED);
      tell(GIVEN_BACK);
      closed = true;
      for (const step of undo) step();
      finish(undefined);
    };

    listen(window, "pagehide", () => tell(CLOSED));
    listen(window, "pageshow", (event) => {
      if (/** @type {PageTransitionEvent} */ (event).persisted) tell(RESTORED);
    });
    listen(window, "online", () => tell(WOKEN, -1));
    listen(window, "offline", () => tell(OFFLINE));
    listen(document, "visibilitychange", () => {
      if (document.hidden) hidden = Date.now();
      else tell(WOKEN, Date.now() - hidden);
    });
    if (options.link === undefined) {
      listen(window, "hashchange", () => tell(OTHER_LINK, 0, location.href));
    }
    const { signal } = options;
    // Not at once: it may be the module that has called whoever aborts.
    if (signal) listen(signal, "abort", () => Promise.resolve().then(abort));

    const requests = network(tell, options);
    /** @type {(result: unknown) => void} */
    let finish;
    /** @type {(error: Error) => void} */
    let reject;
    const promise = new Promise((onResult, onError) => {
      finish = onResult;
      reject = onError;
    });

    const around = surroundings(tell, root, options, undo);
    const shown = page(tell, root, options, undo);
    Object.assign(this, around, requests, shown, {
      speak: (/** @type {string} */ language) => options.speak && options.speak(language),
      /** What becomes of the visit. */
      promise: () => promise,
      /** With a session, which is then the embedding page's. */
      finish(/** @type {unknown} */ session) {
        if (session) shown.emit("vestibule-session", session);
        finish(session);
      },
      fail(/** @type {Record<string, string>} */ page, /** @type {boolean} */ retryable) {
        const { error_name: code, telehealth_request_id: requestId, utc_time: utcTime } = page;
        const told = { name: "LaunchError", code, requestId, utcTime, retryable };
        reject(Object.assign(new Error(code), told));
      },
    });
  }
}
