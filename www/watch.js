// Watches whether the visit starts. It stands in the page itself and in the language of the
// oldest browsers; what is to be done where the shim cannot run, or stops on a trap, is in
// legacy.js, which comes when it is needed. boot.js sets `data-visit` on the root element
// when the shim runs. `failed`: the shim will not run any more; otherwise it may still be
// on its way.
function vestibuleFallback(failed) {
  var script = document.querySelector("[type=legacy]");
  vestibuleFallback.failed = vestibuleFallback.failed || failed;
  if (script) {
    script.type = "";
    document.head.appendChild(script);
  } else if (vestibuleFallback.show) {
    vestibuleFallback.show();
  }
}
(function (watch, wasm, page) {
  // To lay the page out takes an old telephone longer than all else of a launch. What the
  // shim shows is seen at once; what stands in the page, a second later.
  page.hidden = true;
  setTimeout(function () {
    page.hidden = false;
  }, 1000);
  function ask(options) {
    options.integrity = wasm.integrity;
    return fetch(wasm.href, options);
  }
  // Compiled before the script that starts it is there. Asked for in this way, WebKit too takes
  // what the link has loaded ahead; some older engines refuse to ask so for anything with a
  // hash.
  vestibuleFallback.wasm =
    window.fetch &&
    ask({ mode: "no-cors", credentials: "include" })
      .catch(function () {
        return ask({});
      })
      .then(function (answer) {
        return answer.arrayBuffer();
      })
      .then(function (bytes) {
        return WebAssembly.compile(bytes);
      });
  // The first use of the storage takes long, and the shim's own would keep it from asking.
  try {
    localStorage.getItem("");
  } catch (_) {
    // There is none.
  }
  // The shim takes the link out of the address before all else.
  vestibuleFallback.href = location.href;
  addEventListener("error", watch, true);
  addEventListener("unhandledrejection", watch);
  addEventListener("vestibule-screen", function (event) {
    if (event.detail.screen !== "connecting") {
      vestibuleFallback.href = location.href;
    }
  });
  setTimeout(function () {
    if (!document.querySelector("[data-visit]")) {
      vestibuleFallback();
    }
  }, 3000);
})(function (event) {
  // The script is not there, or this engine cannot read it; or the wasm has trapped.
  var name = (event.error || event.reason || 0).name;
  if (
    event.target === document.querySelector("[type=module]") ||
    name === "RuntimeError" ||
    (name === "SyntaxError" && !document.querySelector("[data-visit]"))
  ) {
    vestibuleFallback(true);
  }
}, document.querySelector("[as=fetch]"), document.documentElement);
