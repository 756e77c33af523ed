// Starts the shim. Everything that a successful launch does not need is loaded
// from here when it is needed.

async function renderErrorPage(page) {
  const module = await import("./error-page.js");
  await module.default();
  return module.render(page);
}

function showUnsupported() {
  for (const section of document.querySelectorAll("[data-screen]")) {
    section.hidden = section.dataset.screen !== "unsupported";
  }
  document.querySelector("[data-screen=unsupported] h1").focus();
}

let shim;
try {
  shim = await import("./vestibule.js");
  await shim.default();
} catch (error) {
  console.error(error);
  shim = undefined;
  showUnsupported();
}

try {
  await shim?.start({ renderErrorPage });
} catch (error) {
  if (error.name !== "LaunchError") {
    console.error(error);
    showUnsupported();
  }
}
