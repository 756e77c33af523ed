// Which language is wanted. English is there already, so this is all that a launch in
// English needs of the languages.
export const KEY = "vestibule.language";

/** Tags, the most wanted first: of the link, of an earlier choice, of the browser. */
export function wanted(href) {
  let [, linked = ""] = /[#?&]lang=([\w-]+)/.exec(href) || [];
  let chosen;
  try {
    // The shim takes the link out of the address: a reload goes by what the tab keeps.
    if (/[?#]/.test(href)) sessionStorage.setItem(KEY, linked);
    else linked = sessionStorage.getItem(KEY);
    chosen = localStorage.getItem(KEY);
  } catch (error) {}
  return [linked, chosen, ...navigator.languages].filter(Boolean);
}
