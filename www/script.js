// Loads a script of this build when it is needed, checked by its hash.

import { policy } from "./policy.js";

let failures = 0;

/** The exports of the script with this address and hash. */
export const script = (address, integrity) =>
  new Promise((resolve, reject) => {
    const element = document.createElement("script");
    // Some browsers ask no second time for a module that did not come.
    const url = failures ? `${address}?${failures}` : address;
    element.type = "module";
    element.integrity = integrity;
    // The browser has checked the script and keeps it: this gives its exports.
    element.onload = () => resolve(import(url));
    element.onerror = () => {
      failures += 1;
      reject(new Error(address));
    };
    element.src = policy ? policy.createScriptURL(url) : url;
    document.head.appendChild(element);
  });
