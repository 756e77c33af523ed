// Keeps a page's live part up to date: the server says that something has changed, and
// the part is fetched anew. Without this script there is the link "Refresh".

const LEAST = 2000;
const here = location.pathname + location.search;
const source = new EventSource(`/admin/live?page=${encodeURIComponent(here)}`);
let due = false;
let busy = false;
let watched = false;

source.addEventListener("changed", () => {
  due = true;
  refresh();
});
source.addEventListener("over", () => {
  source.close();
  says("Not live any more");
});
// From here on nothing is missed. What came between the page and this is fetched now.
source.addEventListener("watching", () => {
  watched = true;
  says("Live");
  due = true;
  refresh();
});
source.addEventListener("open", () => watched && says("Live"));
source.addEventListener("error", () => says("Not live: connecting again"));
document.addEventListener("visibilitychange", refresh);

// Whoever is away is to be signed out in time: a page that nobody uses asks no more.
const AWAY = 10 * 60 * 1000;
let away = 0;
function used() {
  clearTimeout(away);
  away = setTimeout(() => {
    source.close();
    says("Not live any more");
  }, AWAY);
}
used();
for (const sign of ["pointermove", "keydown", "scroll", "touchstart"]) {
  addEventListener(sign, used, { passive: true });
}

async function refresh() {
  if (!due || busy || document.hidden) {
    return;
  }
  busy = true;
  due = false;
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    if (response.redirected || response.status === 401) {
      source.close();
      location.reload();
    } else if (response.ok) {
      replace(new DOMParser().parseFromString(await response.text(), "text/html"));
    }
  } catch {
    // The next change, or the link, brings it.
  }
  setTimeout(() => {
    busy = false;
    refresh();
  }, LEAST);
}

function replace(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (!other || part.innerHTML === other.innerHTML) {
      continue;
    }
    const focused = part.contains(document.activeElement) && position(part);
    const open = [...part.querySelectorAll("details[open]")].map((it) => it.id);
    const scrolled = [...part.querySelectorAll(".scroll")].map((it) => it.scrollLeft);
    part.replaceChildren(...other.childNodes);
    for (const id of open) {
      document.getElementById(id)?.setAttribute("open", "");
    }
    part.querySelectorAll(".scroll").forEach((it, index) => {
      it.scrollLeft = scrolled[index] || 0;
    });
    focused && find(part, focused)?.focus({ preventScroll: true });
  }
  const now = fresh.querySelector("[data-now]");
  now && document.querySelector("[data-now]").replaceWith(now);
}

const FOCUSABLE = "a[href], button, summary, [tabindex]";
const label = (it) => it.getAttribute("href") || it.getAttribute("aria-label") || it.textContent;

/** What has the focus: by what it is, and where it stands. */
function position(part) {
  const all = [...part.querySelectorAll(FOCUSABLE)];
  return { label: label(document.activeElement), index: all.indexOf(document.activeElement) };
}

function find(part, { label: wanted, index }) {
  const all = [...part.querySelectorAll(FOCUSABLE)];
  return all.find((it) => label(it) === wanted) || all[Math.min(index, all.length - 1)];
}

function says(text) {
  document.querySelector("[data-live-says]").textContent = text;
}
