// The same handshake by hand, without types, tests, devices, languages or retries; the
// error page by nunjucks, loaded when it is wanted.
const link = new URLSearchParams(location.hash.split("?")[1]);
history.replaceState(null, "", location.pathname);

const heading = document.querySelector("h1");
const conference = "/api/client/v2/conferences/" + encodeURIComponent(link.get("conference")) + "/";

async function requestToken(pin) {
  const headers = { "Content-Type": "application/json" };
  if (pin) headers.pin = pin;
  const body = JSON.stringify({ display_name: link.get("name") });
  const answer = await fetch(conference + "request_token", { method: "POST", headers, body });
  const { result } = await answer.json();
  if (answer.ok) return joined(result);
  if (result.pin && !pin) return requestToken(link.get("pin") || "none");
  return failed(String(result));
}

function joined(session) {
  heading.textContent = session.role === "HOST" ? "You have joined as host" : "You have joined";
  const events = new EventSource(conference + "events?token=" + session.token);
  events.addEventListener("participant_create", (event) => {
    const item = document.createElement("p");
    item.textContent = JSON.parse(event.data).display_name;
    document.querySelector("main").append(item);
  });
}

async function failed(detail) {
  const nunjucks = import("nunjucks/browser/nunjucks.js");
  const body = JSON.stringify({ error_name: "ConferenceNotFound", detail });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/api/telehealth/v1/launch/error", { method: "POST", headers, body });
  const page = await answer.json();
  const { default: engine } = await nunjucks;
  engine.configure({ autoescape: true });
  document.querySelector("main").innerHTML = engine.renderString(page.template, page);
}

requestToken();
