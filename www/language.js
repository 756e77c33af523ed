// Speaks the language of the person before the page. Its English texts stand in the page;
// the others come when they are needed, and nothing waits for them.
import { files } from "./files.js";
import { address } from "./load.js";
import { KEY } from "./wanted.js";

/** What a text goes to, by the end of the attribute that has its key. */
const PLACES = { "": "", "-label": "aria-label", "-title": "title" };

const file = (language) => `locales/${language}.json`;
let latest;

/** The language of a tag, by its primary tag, where the page speaks it. */
export function spoken(tag) {
  const language = `${tag}`.toLowerCase().split("-")[0].replace("fil", "tl");
  return files[file(language)] && language;
}

/** The texts of a file of locales, such as `locales/de.json`, by key. */
export const texts = (name) =>
  fetch(address(name), { integrity: files[name].integrity }).then((answer) => answer.json());

/** Puts the texts where their keys stand. `root` is a document or a part of one. */
export function apply(root, words) {
  for (const place in PLACES) {
    for (const element of root.querySelectorAll(`[data-text${place}]`)) {
      const text = words[element.getAttribute(`data-text${place}`)];
      if (!text) continue;
      if (place) element.setAttribute(PLACES[place], text);
      else element.textContent = text;
    }
  }
}

/**
 * Gives the elements of the page the keys of their texts, by their English ones: that way no
 * visit in English downloads the keys. What the visit has filled in is no text of the page.
 */
function mark(root, english) {
  const keys = {};
  for (const key in english) keys[english[key]] = key;
  for (const element of root.querySelectorAll(":not([data-text]):not(bdi):not(#announcement)")) {
    const key = !element.firstElementChild && keys[element.textContent];
    if (key) element.dataset.text = key;
  }
}

/** What was read out last was in another language: the heading is read out in this one. */
export function again(root) {
  const region = root.querySelector("#announcement");
  const heading = root.querySelector("[data-screen]:not([hidden]) h1:not([hidden])");
  if (region && heading) region.textContent = heading.textContent;
}

/** Changes the language; where its texts cannot be had, the last one stays. */
async function change(root, language) {
  const host = root.documentElement || root.host;
  const choice = root.querySelector("[data-language]");
  latest = language;
  try {
    if (language === (host.lang || "en")) return;
    const [words, english] = await Promise.all([language, "en"].map((it) => texts(file(it))));
    if (latest === language) {
      mark(root, english);
      apply(root, words);
      again(root);
      host.lang = language;
      host.dir = language === "ar" ? "rtl" : "ltr";
      dispatchEvent(new Event("vestibule-language"));
    }
  } catch (error) {}
  if (choice) choice.value = host.lang || "en";
}

/** What was chosen on the page: kept, and shown. */
export function choose(root, language) {
  try {
    localStorage.setItem(KEY, language);
    // It counts more than the link in this tab.
    sessionStorage.setItem(KEY, language);
  } catch (error) {}
  return change(root, language);
}

/** Shows the first of the wanted languages that the page speaks. */
export const speak = (root, tags) => change(root, tags.map(spoken).find(Boolean) || "en");
