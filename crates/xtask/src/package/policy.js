// The one Trusted Types policy of the element, made once with its module: it gives the
// addresses of the package's own scripts and the element's own markup, whatever is asked.
import { markup } from "./markup.js";

export const policy =
  typeof trustedTypes !== "undefined" &&
  trustedTypes.createPolicy("vestibule", {
    createHTML: () => markup,
    createScriptURL: (url) => url,
  });
