// The one Trusted Types policy of the page, where the browser has them: for the addresses
// of this build's own scripts, and for nothing else.
export const policy =
  window.trustedTypes &&
  trustedTypes.createPolicy("vestibule", { createScriptURL: (url) => url });
