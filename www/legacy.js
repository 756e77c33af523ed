// For browsers without modules, which are too old for the visit: says so. In the
// language of the oldest of them.
(function () {
  var sections = document.querySelectorAll("[data-screen]");
  for (var i = 0; i < sections.length; i++) {
    if (sections[i].getAttribute("data-screen") === "unsupported") {
      sections[i].removeAttribute("hidden");
    } else {
      sections[i].setAttribute("hidden", "");
    }
  }
})();
