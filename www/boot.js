// Starts the shim. Everything that a successful launch does not need is loaded
// from here when it is needed.

async function renderErrorPage(page) {
  const module = await import("./error-page.js");
  await module.default();
  return module.render(page);
}

function showUnsupported(error) {
  console.error(error);
  for (const section of document.querySelectorAll("[data-screen]")) {
    section.hidden = section.dataset.screen !== "unsupported";
  }
  document.querySelector("[data-screen=unsupported] h1").focus();
}

async function launch() {
  try {
    const shim = await import("./vestibule.js");
    await shim.default();
    await shim.start({ renderErrorPage });
  } catch (error) {
    if (error.name !== "LaunchError") {
      showUnsupported(error);
    }
  }
}

// Another link opened in this tab changes the fragment only. A page that comes
// back from the page cache has given its token back when it was left.
addEventListener("hashchange", () => location.reload());
addEventListener("pageshow", (event) => event.persisted && location.reload());
launch();
