// The device check's only hand on the browser: its part of the page, devices, sound,
// network, storage. It decides nothing: what happens goes to `receive`, and what is to be
// done comes from there.
//
// ES2019 syntax, because what is served is lowered no further than that.

// Topics of `receive`, the same as in event.rs.
/** A button was pressed (how many clicks in a row, its name). */
const PRESSED = 1;
/** A device was chosen (its id). */
const CHOSEN = 2;
/** A device is open (its id, where its camera faces, the devices of its kind). */
const OPENED = 3;
/** A device was refused (name and message of the error, what else is known). */
const REFUSED = 4;
/** The picture is there. */
const PICTURE = 5;
/** A device in use is gone. */
const LOST = 6;
/** A timer has run down. */
const TICK = 7;
/** The page is out of sight. */
const HIDDEN = 8;
/** The page is in sight again. */
const SHOWN = 9;
/** The page is being left. */
const LEFT = 10;
/** The check is called off. */
const CLOSED = 11;
/** The devices of a kind are listed. */
const LISTED = 12;
/** A request was answered (milliseconds; less than 0: it was not). */
const ANSWERED = 13;
/** A candidate was gathered (its line; none at the end). */
const CANDIDATE = 14;

/** Where the chosen devices are remembered. */
const KEY = "vestibule.devices";
/** Told to the section by a newer check in it. */
const REPLACED = "vestibule-device-check";
/** Told to the section by the page when its language has changed; its detail: the texts. */
const TEXTS = "vestibule-texts";
/** Stands between texts that are told as one. */
const BETWEEN = "\0";
/** Samples in one reading: 43 ms at 48 kHz. */
const SAMPLES = 2048;
/** What `enumerateDevices` calls the kinds. */
const LISTS = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" };

/** Attributes and children on a new element; a child of text is its content. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const name in attributes) {
    if (attributes[name] !== undefined) element.setAttribute(name, attributes[name]);
  }
  element.append(...children);
  return element;
}

/** A browser has none on an insecure page, and an old one nowhere. */
function devices() {
  const { mediaDevices } = navigator;
  return mediaDevices && mediaDevices.getUserMedia ? mediaDevices : null;
}

/** The devices of a kind; none where the browser does not tell. */
async function list(kind) {
  try {
    const all = await devices().enumerateDevices();
    return all.filter((device) => device.kind === LISTS[kind]);
  } catch (error) {
    return [];
  }
}

/** Empties a section for a check; its own elements are only hidden until the check ends. */
function cover(section) {
  for (const child of Array.from(section.childNodes)) {
    if (!(child instanceof HTMLElement) || child.matches(".device-check")) {
      child.remove();
    } else if (!child.hidden) {
      child.hidden = true;
      child.dataset.covered = "";
    }
  }
}

/** Shows a section's own elements again, unless a newer check is there. */
function uncover(section) {
  const own = Array.from(section.children);
  if (own.some((child) => child.matches(".device-check"))) return;
  for (const child of own.filter((child) => "covered" in child.dataset)) {
    child.hidden = false;
    delete child.dataset.covered;
  }
}

/** Refusals of what may be refused. */
function ignored() {}

/** What was remembered, of every kind. */
function remembered() {
  try {
    return Object(JSON.parse(localStorage.getItem(KEY)));
  } catch (error) {
    return {};
  }
}

/** One check in a section, until it ends. */
export class Browser {
  /**
   * @param {Element} section
   * @param {import("./vestibule_device_check").DeviceCheckOptions} options
   * @param {string} english JSON text of the English texts
   * @param {(topic: number, of: number, number: number, text?: string) => void} receive
   */
  constructor(section, options, english, receive) {
    this.section = section;
    this.options = options || {};
    this.english = JSON.parse(english);
    this.texts = this.options.texts || {};
    this.receive = receive;
    this.devices = [];
    this.streams = new Map();
    this.ending = [];
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    section.dispatchEvent(new Event(REPLACED));
    this.build();
    this.watch();
  }

  tell(topic, of, number, text) {
    if (this.ended) return;
    try {
      this.receive(topic, of || 0, number || 0, text);
    } catch (error) {
      this.end();
      this.reject(error);
    }
  }

  /** Whether the check was called off, or its screen left, before it began. */
  aborted() {
    const { signal } = this.options;
    return Boolean(signal && signal.aborted) || this.section.hasAttribute("hidden");
  }

  /** An option that is a text. */
  option(name) {
    return this.options[name] || undefined;
  }

  /** Ends the check with its result as JSON text. */
  finish(result) {
    this.end();
    this.resolve(JSON.parse(result));
  }

  end() {
    this.ended = true;
    for (const id of Array.from(this.streams.keys())) this.stop(id);
    this.stopTimer();
    this.silence();
    this.hangUp();
    this.cancel();
    for (const end of this.ending) end();
    this.whole.remove();
    uncover(this.section);
  }

  // Listening

  on(target, type, listener) {
    target.addEventListener(type, listener);
    this.ending.push(() => target.removeEventListener(type, listener));
  }

  watch() {
    const { section } = this;
    const { signal } = this.options;
    const closed = () => this.tell(CLOSED);
    this.on(section, "click", ({ target, detail }) => {
      const button = target.closest("[data-check]");
      if (button) this.tell(PRESSED, 0, detail, button.dataset.check);
    });
    this.on(section, "change", ({ target }) => {
      if (target.matches("select")) this.tell(CHOSEN, 0, 0, target.value);
    });
    this.on(document, "visibilitychange", () => this.tell(document.hidden ? HIDDEN : SHOWN));
    this.on(window, "pagehide", () => this.tell(LEFT));
    this.on(section, REPLACED, closed);
    this.on(section, TEXTS, ({ detail }) => this.speak(detail));
    if (signal) this.on(signal, "abort", closed);
    // The landing page shows another screen by hiding this one.
    const observer = new MutationObserver(() => {
      if (section.hasAttribute("hidden")) closed();
    });
    observer.observe(section, { attributes: true });
    this.ending.push(() => observer.disconnect());
  }

  // The page

  build() {
    const { css } = this.options;
    const root = this.section.getRootNode();
    const whole = make("div", { class: "device-check" });
    this.whole = whole;
    this.status = root.querySelector("#announcement");
    if (!this.status) {
      this.status = make("p", { class: "unseen", role: "status" });
      whole.append(this.status);
    }
    if (css) {
      const { integrity } = css;
      const crossorigin = integrity && "anonymous";
      whole.append(make("link", { rel: "stylesheet", integrity, crossorigin, href: css.url }));
    }
    this.items = make("ol", { class: "device-steps" });
    this.last = make("div", { class: "device-end" });
    this.leave = make("p", { class: "device-leave" }, this.made("leave", "devices.leave", true));
    whole.append(
      this.worded(make("h1", { tabindex: -1 }), "devices.title"),
      this.worded(make("p", { class: "aside" }), "devices.intro"),
      this.items,
      this.last,
      this.leave,
    );
    cover(this.section);
    this.section.append(whole);
  }

  said(key) {
    return this.texts[key] || this.english[key] || "";
  }

  /** Gives all that is shown other texts; none: the English ones. */
  speak(texts) {
    this.texts = texts || {};
    for (const element of this.whole.querySelectorAll("[data-text]")) {
      this.worded(element, element.dataset.text);
    }
    for (const element of this.whole.querySelectorAll("[data-text-label]")) {
      this.labelled(element, element.dataset.textLabel);
    }
  }

  worded(element, key) {
    element.dataset.text = key;
    element.textContent = this.said(key);
    return element;
  }

  labelled(element, key) {
    element.dataset.textLabel = key;
    element.setAttribute("aria-label", this.said(key));
    return element;
  }

  made(press, key, quiet) {
    const button = make("button", { type: "button", "data-check": press });
    if (quiet) button.className = "quiet";
    return this.worded(button, key);
  }

  /** Adds a step: its name, the key of its heading. */
  step(name, key) {
    const result = make("span", { class: "device-result", hidden: "" });
    const heading = make("h2", { tabindex: -1 }, this.worded(make("span"), key), result);
    this.items.append(make("li", { "data-step": name }, heading, make("div")));
  }

  /** Opens a step and closes the others; less than 0 opens the end. */
  open(step) {
    Array.from(this.items.children).forEach((item, at) => {
      item.lastChild.textContent = "";
      if (at === step) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    this.last.textContent = "";
    this.leave.hidden = step < 0;
    this.place = step < 0 ? this.last : this.items.children[step].lastChild;
  }

  /** Shows the result of a step and the key of its text; an empty one: none. */
  result(step, outcome, key) {
    const item = this.items.children[step];
    const result = item.firstChild.lastChild;
    if (outcome) {
      item.dataset.result = outcome;
      this.worded(result, key);
    } else {
      item.removeAttribute("data-result");
    }
    result.hidden = !outcome;
  }

  /** Empties what is open. What follows is added to it. */
  clear() {
    this.place.textContent = "";
  }

  text(key, name) {
    this.place.append(this.worded(make("p", { class: name || undefined }), key));
  }

  /** A text that can have the focus. */
  notice(key, name) {
    this.text(key, name);
    this.place.lastChild.tabIndex = -1;
  }

  /** Begins a row of buttons. */
  row(name) {
    this.buttons = make("div", { class: `device-buttons ${name}` });
    this.place.append(this.buttons);
  }

  button(press, key, quiet) {
    this.buttons.append(this.made(press, key, quiet));
  }

  /** The choice between the devices that were listed last; hidden where there is none. */
  choice(key, current) {
    const select = make("select");
    this.devices.forEach(({ deviceId, label }, at) => {
      const name = label || `${this.said("devices.unnamed")} ${at + 1}`;
      const selected = deviceId === current ? "" : undefined;
      select.append(make("option", { value: deviceId, selected }, name));
    });
    const words = this.worded(make("span"), key);
    const label = make("label", { class: "device-choice" }, words, select);
    label.hidden = this.devices.length < 2;
    this.place.append(label);
  }

  /** The picture of an open camera. */
  picture(id, key, mirrored) {
    const video = make("video", {
      class: mirrored ? "device-picture mirrored" : "device-picture",
      // As attributes: Safari on a phone plays within the page only with them.
      autoplay: "",
      muted: "",
      playsinline: "",
    });
    video.muted = true;
    video.onloadeddata = () => this.tell(PICTURE, id);
    video.srcObject = this.streams.get(id);
    this.video = video;
    this.place.append(this.labelled(video, key));
  }

  /** Plays the picture. Safari stops it when another tab is looked at. */
  play() {
    // Refused where the page is out of sight; it plays by itself then, later.
    const playing = this.video.play();
    if (playing) playing.catch(ignored);
  }

  gauge(key) {
    this.meter = this.labelled(make("meter", { class: "device-level", min: 0, max: 100 }), key);
    this.place.append(this.meter);
  }

  /** Sets the gauge, 0 to 100. */
  level(value) {
    this.meter.value = value;
  }

  /** Gives the element that is found by this selector another text. */
  reword(selector, key) {
    this.worded(this.place.querySelector(selector), key);
  }

  /** Hides or shows what comes only with the picture. */
  late(hidden) {
    for (const part of this.place.querySelectorAll(".device-late")) part.hidden = hidden;
  }

  /** Moves the focus to the first element that is found by this selector. */
  focus(selector) {
    const found = this.whole.querySelector(selector);
    if (found) found.focus();
  }

  /** Says something to those who do not see it. */
  announce(key) {
    // The same text twice is two announcements only with nothing between.
    this.status.textContent = "";
    this.status.textContent = this.said(key);
  }

  // Devices

  userAgent() {
    return navigator.userAgent || "";
  }

  touchPoints() {
    return navigator.maxTouchPoints || 0;
  }

  /** Opens a camera or microphone, of this id or any. */
  capture(id, kind, device) {
    const wanted = {};
    if (device) wanted.deviceId = { exact: device };
    else if (kind === "camera") wanted.facingMode = "user";
    this.streams.set(id, null);
    this.captured(id, kind, wanted);
  }

  async captured(id, kind, wanted) {
    const constraints = kind === "camera" ? { video: wanted } : { audio: wanted };
    let stream;
    try {
      stream = await devices().getUserMedia(constraints);
    } catch (error) {
      this.refused(id, kind, error);
      return;
    }
    if (!this.streams.has(id)) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    this.streams.set(id, stream);
    const track = stream.getTracks()[0];
    track.onended = () => this.tell(LOST, id);
    const settings = track.getSettings ? track.getSettings() : {};
    const here = await list(kind);
    // Another one may have been wanted by now.
    if (!this.streams.has(id)) return;
    const about = [settings.deviceId, settings.facingMode].map((it) => it || "");
    this.tell(OPENED, id, 0, about.concat(this.listed(here)).join(BETWEEN));
  }

  async refused(id, kind, error) {
    const policy = document.featurePolicy;
    const here = await list(kind);
    const { name, message } = Object(error);
    const known = [
      window.isSecureContext !== false,
      Boolean(devices()),
      Boolean(policy),
      Boolean(policy) && policy.allowsFeature(kind),
      window.parent !== window,
      here.length > 0,
    ];
    const flags = known.map((it) => (it ? "1" : "0"));
    this.tell(REFUSED, id, 0, [`${name}`, `${message}`, flags.join("")].join(BETWEEN));
  }

  /** Keeps devices for `choice`, and says their ids and labels. */
  listed(here) {
    this.devices = here;
    return here.flatMap(({ deviceId, label }) => [deviceId, label]);
  }

  /** Lists the devices of a kind; speakers only where one can be chosen. */
  list(id, kind) {
    const some = kind !== "speaker" || "setSinkId" in HTMLMediaElement.prototype;
    const found = some ? list(kind) : Promise.resolve([]);
    found.then((here) => this.tell(LISTED, id, 0, this.listed(here).join(BETWEEN)));
  }

  /** Lets an open device pause and go on. */
  pause(id, paused) {
    for (const track of this.streams.get(id).getTracks()) track.enabled = !paused;
  }

  /** Whether the browser has taken an open device away. */
  lost(id) {
    return this.streams.get(id).getTracks().every((track) => track.readyState === "ended");
  }

  /** Switches a device off, also one that is not open yet. */
  stop(id) {
    const stream = this.streams.get(id);
    this.streams.delete(id);
    if (!stream) return;
    for (const track of stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
  }

  /** The id and label of the device of this kind that was chosen last time. */
  recall(kind) {
    const { id, label } = Object(remembered()[kind]);
    return typeof id === "string" && typeof label === "string" ? id + BETWEEN + label : undefined;
  }

  remember(kind, id, label) {
    try {
      localStorage.setItem(KEY, JSON.stringify({ ...remembered(), [kind]: { id, label } }));
    } catch (error) {
      // The choice is asked for again next time.
    }
  }

  // Sound

  /** Opens a way for sound; within a click, or some browsers keep it silent. */
  sound() {
    // The old one goes first: some browsers have few of them.
    this.silence();
    try {
      this.context = new (window.AudioContext || window.webkitAudioContext)();
    } catch (error) {
      return false;
    }
    this.wake();
    return true;
  }

  wake() {
    // Where it is refused, `running` tells.
    const woken = this.context.resume();
    if (woken) woken.catch(ignored);
  }

  /** Whether sound comes out. */
  running() {
    return Boolean(this.context) && this.context.state === "running";
  }

  /** Plays a note after so many seconds, for so long, on the default output or this one. */
  note(hertz, loudness, after, length, output) {
    try {
      const { context } = this;
      const from = context.currentTime + after;
      const tone = context.createOscillator();
      const envelope = context.createGain();
      const { gain } = envelope;
      tone.frequency.value = hertz;
      gain.setValueAtTime(0, from);
      gain.linearRampToValueAtTime(loudness, from + 0.03);
      gain.linearRampToValueAtTime(0, from + length);
      tone.connect(envelope);
      envelope.connect(this.target(output));
      tone.start(from);
      tone.stop(from + length);
      return true;
    } catch (error) {
      return false;
    }
  }

  /** Where notes go. An output of choice is reached through an element. */
  target(output) {
    if (output === undefined) return this.context.destination;
    if (!this.element) {
      this.through = this.context.createMediaStreamDestination();
      this.element = make("audio");
      // An output that is gone leaves the default one.
      this.element.setSinkId(output).catch(ignored);
      this.element.srcObject = this.through.stream;
      this.element.play().catch(ignored);
    }
    return this.through;
  }

  /** Listens to an open microphone. It is not played. */
  hear(id) {
    if (!this.context) return false;
    try {
      this.wake();
      this.analyser = this.context.createAnalyser();
      this.analyser.fftSize = SAMPLES;
      // Without the source the browser may stop to feed the analyser.
      this.source = this.context.createMediaStreamSource(this.streams.get(id));
      this.source.connect(this.analyser);
      return true;
    } catch (error) {
      return false;
    }
  }

  /** The latest samples, -1 to 1. */
  samples() {
    const samples = new Float32Array(SAMPLES);
    if (this.analyser.getFloatTimeDomainData) {
      this.analyser.getFloatTimeDomainData(samples);
      return samples;
    }
    // Safari before 14.1.
    const bytes = new Uint8Array(SAMPLES);
    this.analyser.getByteTimeDomainData(bytes);
    return samples.map((_, at) => (bytes[at] - 128) / 128);
  }

  /** Closes the way for sound. */
  silence() {
    if (this.element) this.element.srcObject = null;
    if (this.context) {
      const closed = this.context.close();
      if (closed) closed.catch(ignored);
    }
    this.element = this.context = this.analyser = this.source = null;
  }

  // Time and network

  /** Starts the timer anew. */
  timer(id, milliseconds, repeated) {
    this.stopTimer();
    const due = () => this.tell(TICK, id);
    if (repeated) {
      const handle = window.setInterval(due, milliseconds);
      this.clearTimer = () => window.clearInterval(handle);
    } else {
      const handle = window.setTimeout(due, milliseconds);
      this.clearTimer = () => window.clearTimeout(handle);
    }
  }

  stopTimer() {
    if (this.clearTimer) this.clearTimer();
    this.clearTimer = null;
  }

  /** Fetches and reads to the end; `bytes` tells how much it was on the way. */
  async get(id, url, deadline) {
    const controller = new AbortController();
    this.controller = controller;
    const timer = setTimeout(() => controller.abort(), deadline);
    const { signal } = controller;
    const start = performance.now();
    let time = -1;
    try {
      const answer = await fetch(url, { cache: "no-store", credentials: "omit", signal });
      const body = await answer.arrayBuffer();
      time = performance.now() - start;
      const length = answer.headers.get("content-length");
      const packed = answer.headers.get("content-encoding");
      this.length = !answer.ok || (packed && !length) ? -1 : Number(length || body.byteLength);
    } catch (error) {
      // No answer.
    }
    clearTimeout(timer);
    this.tell(ANSWERED, id, time);
  }

  /** Bytes of the last answer as they came over the network; less than 0: not known. */
  bytes() {
    return this.length;
  }

  cancel() {
    if (this.controller) this.controller.abort();
  }

  /** How many STUN and TURN servers the page knows. */
  servers() {
    return (this.options.iceServers || []).length;
  }

  /** Begins to gather ICE candidates; whether this browser can. */
  gather(id) {
    try {
      const { iceServers } = this.options;
      const connection = new RTCPeerConnection(iceServers ? { iceServers } : {});
      this.connection = connection;
      connection.createDataChannel("check");
      connection.addEventListener("icecandidate", ({ candidate }) => {
        this.tell(CANDIDATE, id, 0, candidate ? candidate.candidate : undefined);
      });
      connection
        .createOffer()
        .then((offer) => connection.setLocalDescription(offer))
        .catch(() => this.tell(CANDIDATE, id));
      return true;
    } catch (error) {
      return false;
    }
  }

  hangUp() {
    if (this.connection) this.connection.close();
    this.connection = null;
  }
}
