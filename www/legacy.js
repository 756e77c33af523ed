// What a person sees where the shim cannot run, or stops on a trap: what happens, and a
// form that takes the link to the server, which goes on in plain HTML. Browsers without
// modules load this by themselves; in the others watch.js loads it, and says whether the
// shim has failed. In the language of the oldest browsers.
(function () {
  var page = document.documentElement;
  var modern = "noModule" in document.createElement("script");
  var watch = window.vestibuleFallback || {};
  var form;
  var key = "";
  var over = false;

  function recall(storage, key) {
    try {
      return window[storage].getItem(key) || "";
    } catch (_) {
      return "";
    }
  }

  // What is known is sent along, and stands in the page no longer than that takes: the
  // shim may still start, and keeps less of it.
  function fill(empty) {
    var fields = form.elements;
    if (empty || known()) {
      fields.link.value = empty ? "" : href();
    }
    fields.tab.value = empty ? "" : tab();
    fields.browser.value = empty ? "" : browser();
    fields.language.value = language();
  }

  // Where nobody has wished for any, the browser says by itself which it speaks. What the tab
  // keeps is of an earlier link where this one was not read yet.
  function language() {
    var linked = /[?&#]lang=([\w-]+)/.exec(href());
    var kept = recall("sessionStorage", "vestibule.language");
    return (
      (page.lang !== "en" && page.lang) ||
      (!document.querySelector("footer").hidden && kept) ||
      (linked ? linked[1] : kept) ||
      recall("localStorage", "vestibule.language")
    );
  }

  // By which this browser may redeem a ticket once more; the shim makes one as well, where
  // it runs.
  function browser() {
    var source = window.crypto || window.msCrypto;
    key = recall("localStorage", "vestibule.browser") || key;
    if (!key && source && window.Uint8Array) {
      var bytes = source.getRandomValues(new Uint8Array(16));
      for (var i = 0; i < bytes.length; i++) {
        key += (bytes[i] + 256).toString(16).slice(1);
      }
      try {
        localStorage.setItem("vestibule.browser", key);
      } catch (_) {
        // It is kept for as long as the page is there.
      }
    }
    return key;
  }

  function tab() {
    return recall("sessionStorage", "vestibule.launch");
  }

  // A person need not type the link then.
  function known() {
    return tab() || /[?&;#\/](conference|alias|ticket)=.|\/(m|conference)\/./.test(href());
  }

  function href() {
    return watch.href || location.href;
  }

  // Where a system has an address by which one browser opens another one.
  function elsewhere() {
    var agent = navigator.userAgent;
    var address = href().replace(/^https?:/, "");
    if (/iPhone|iPad/.test(agent)) {
      return "googlechromes:" + address;
    }
    if (/Android/.test(agent)) {
      return "intent:" + address + "#Intent;scheme=https;package=com.android.chrome;end";
    }
    return /Windows/.test(agent) && "microsoft-edge:" + href();
  }

  function show() {
    page.hidden = false;
    var sections = document.querySelectorAll("[data-screen]");
    for (var i = 0; i < sections.length; i++) {
      sections[i].hidden = sections[i].getAttribute("data-screen") !== "unsupported";
      // Browsers that do not know `hidden` go by the attribute's style.
      sections[i].style.display = sections[i].hidden ? "none" : "";
    }
    var link = document.querySelector("[data-action=open-elsewhere]");
    var address = elsewhere();
    if (link && address) {
      link.href = address;
      link.hidden = false;
    }
    var heading = document.querySelector("[data-screen=unsupported] h1");
    document.getElementById("announcement").textContent = heading.textContent;
    heading.focus();
  }

  // As long as the shim may still be on its way, the form, which shows itself, stands
  // beside the wait.
  function fallback() {
    var failed = !modern || watch.failed;
    if (over || (!failed && page.hasAttribute("data-visit"))) {
      return;
    }
    over = failed;
    if (known()) {
      form.elements.link.type = "hidden";
      form.querySelector("label").style.display = "none";
    }
    if (!over) {
      return;
    }
    page.removeAttribute("data-visit");
    form.className += " now";
    show();
    // In a frame the cookie of the visit may not come back: it goes on in a tab.
    if (window.top !== window) {
      form.target = "_blank";
    }
  }

  // Twice would be one participant too many; and nothing of the link stays behind.
  function submitted() {
    fill();
    var button = form.querySelector("button");
    setTimeout(function () {
      button.disabled = true;
      fill(true);
    });
    if (history.replaceState) {
      history.replaceState(null, "", location.pathname.replace(/\/(m|conference|home)\/.*/, "/"));
    }
  }

  function begin() {
    form = document.getElementById("plain");
    form.addEventListener("submit", submitted);
    watch.show = fallback;
    fallback();
  }

  if (watch.show) {
    return;
  }
  if (document.getElementById("plain")) {
    begin();
  } else {
    addEventListener("DOMContentLoaded", begin);
  }
})();
