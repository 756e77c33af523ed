// Keeps a page's live part up to date: the server says that something has changed, and
// the part is fetched anew. Without this script there is the link "Refresh".

const LEAST = 2000;
/** A fetch that failed is tried again, after twice the time each time. */
const LONGEST = 60 * 1000;
/** How long a connection may be gone before anybody hears of it. */
const UNSAID = 10 * 1000;
/** How long a pointer must rest before rows may move under it. */
const REST = 1000;

const here = location.pathname + location.search;
let source;
let due = false;
let busy = false;
let paused = false;
let over = false;
let connected = false;
let watched = false;
let failures = 0;
let moved = 0;
let connecting = 0;
let wait = 0;

const button = document.createElement("button");
button.type = "button";
button.addEventListener("click", () => {
  paused = !paused;
  used();
  tell();
  refresh();
});

function connect() {
  source = new EventSource(`/admin/live?page=${encodeURIComponent(here)}`);
  source.addEventListener("changed", changed);
  // From here on nothing is missed. What came between the page and this is fetched now.
  source.addEventListener("watching", () => {
    watched = true;
    reached();
    changed();
  });
  source.addEventListener("open", reached);
  // The server ends each stream after a while, and says so: the browser comes back by itself.
  source.addEventListener("again", lost);
  source.addEventListener("over", end);
  source.addEventListener("error", () => {
    lost();
    // The browser does not come back by itself from an answer that is no stream.
    if (source.readyState === EventSource.CLOSED && !over) {
      setTimeout(() => over || connect(), UNSAID);
    }
  });
}

function reached() {
  clearTimeout(connecting);
  connecting = 0;
  connected = true;
  tell();
}

function lost() {
  connecting ||= setTimeout(() => {
    connected = false;
    tell();
  }, UNSAID);
}

function end() {
  over = true;
  source.close();
  clearTimeout(connecting);
  tell();
}

function changed() {
  due = true;
  refresh();
}

// Whoever is away is to be signed out in time: a page that nobody uses asks no more.
const AWAY = 10 * 60 * 1000;
let away = 0;
function used() {
  clearTimeout(away);
  away = setTimeout(end, AWAY);
}
used();
for (const sign of ["pointermove", "keydown", "scroll", "touchstart"]) {
  addEventListener(sign, used, { passive: true });
}
addEventListener("pointermove", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-live]")) {
    moved = performance.now();
  }
}, { passive: true });
document.addEventListener("visibilitychange", refresh);

/** Whether somebody is about to do something in a part: mark a text, press a button. */
function inUse(part) {
  const selection = getSelection();
  return (!selection.isCollapsed && selection.containsNode(part, true)) ||
    part.querySelector("form:hover, form:focus-within") !== null ||
    (part.matches(":hover") && performance.now() - moved < REST);
}

async function refresh() {
  if (!due || busy || paused || document.hidden) {
    return;
  }
  if ([...document.querySelectorAll("[data-live]")].some(inUse)) {
    clearTimeout(wait);
    wait = setTimeout(refresh, REST / 2);
    return;
  }
  busy = true;
  due = false;
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    if (response.redirected || response.status === 401) {
      end();
      location.reload();
      return;
    }
    if (!response.ok) {
      throw new Error(`status ${response.status}`);
    }
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    failures = 0;
    // It was asked for while nothing was paused or in use; now it may be.
    if (paused || [...document.querySelectorAll("[data-live]")].some(inUse)) {
      due = true;
    } else {
      replace(fresh);
    }
  } catch {
    due = true;
    failures += 1;
  }
  tell();
  setTimeout(() => {
    busy = false;
    refresh();
  }, Math.min(LEAST * 2 ** failures, LONGEST));
}

function replace(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (!other || part.innerHTML === other.innerHTML) {
      continue;
    }
    const focused = part.contains(document.activeElement) && position(part);
    const open = new Map([...part.querySelectorAll("details")].map((it) => [it.id, it.open]));
    const scrolled = [...part.querySelectorAll(".scroll")].map((it) => it.scrollLeft);
    part.replaceChildren(...other.childNodes);
    for (const it of part.querySelectorAll("details")) {
      it.open = open.get(it.id) ?? it.open;
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

/** Says how it stands, once: the place is a status region. */
function tell() {
  const place = document.querySelector("[data-live-says]");
  button.textContent = paused ? "Go on" : "Pause";
  if (watched && !button.isConnected) {
    place.after(button);
  }
  button.hidden = over;
  let text = "";
  if (over) {
    text = "Not live any more";
  } else if (paused) {
    text = "Paused";
  } else if (failures > 0) {
    text = "Not live: the server does not answer; trying again";
  } else if (!connected && watched) {
    text = "Not live: connecting again";
  } else if (watched) {
    text = "Live";
  }
  if (place.textContent !== text) {
    place.textContent = text;
  }
}

connect();
