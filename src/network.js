// The shim's requests, and the stream of events that it follows.

import { attempt, get, parse, text } from "./json.js";

// Topics of `receive`, the same as in browser.rs; the others are in browser.js.
/** The launch API has answered for a ticket (HTTP status, JSON). */
const REDEEMED = 1;
/** The node has answered `request_token` (HTTP status, JSON). */
const ANSWERED = 2;
/** The launch API has said what the error page is to show (HTTP status, JSON). */
const ERROR_PAGE = 4;
/** Nobody waits for the answer: nothing is received. */
const UNANSWERED = 5;
/** An event of the node (index of its name, data). */
const STREAM = 7;
/** The stream of events is broken (how often in a row). */
const STREAM_LOST = 8;
/** It is time to follow the events again. */
const STREAM_RETRY = 9;

/** A refused request is repeated when the server says so, if that is within, in s. */
const LONGEST_RETRY = 8;
/** First wait before a broken stream is opened again, in ms; each is twice as long. */
const FIRST_STREAM_WAIT = 500;
/** Longest wait before a broken stream is opened again, in ms. */
const LONGEST_STREAM_WAIT = 15000;

/**
 * @typedef {import("./browser.js").Tell} Tell
 * @typedef {import("./browser.js").Options} Options
 */

/** @type {(form: string, value: string) => string} */
const fillIn = (form, value) => form.replace("*", () => value);

/** @type {(base: string | undefined, path: string, place?: string) => string} */
export const address = (base, path, place) => (base || "") + fillIn(path, place || "");

/**
 * A beacon where the browser has one that takes JSON and has room for it; otherwise a
 * request, which as well may outlive the page.
 */
const deliver = (/** @type {string} */ url, /** @type {object} */ json) => {
  const body = new Blob([JSON.stringify(json)], { type: "application/json" });
  if (!attempt(() => navigator.sendBeacon(url, body))) {
    fetch(url, { method: "POST", body, keepalive: true }).catch(() => {});
  }
};

/**
 * Posts JSON so that it arrives even where the page is closed at once.
 * @type {(base: string | undefined, path: string, place: string | undefined, json: object) => void}
 */
export const beacon = (base, path, place, json) => deliver(address(base, path, place), json);

/** Requests and the stream of events. */
export const network = (/** @type {Tell} */ tell, /** @type {Options} */ options) => {
  /** @type {Record<number, object | undefined>} the newest request of each topic */
  let newest = {};
  /** @type {EventSource | undefined} */
  let stream;
  let failures = 0;
  let retry = 0;

  const close = () => {
    clearTimeout(retry);
    if (stream) stream.close();
    stream = undefined;
  };

  /** Closes the stream. Answers that are still to come are nobody's, but for that to a ticket. */
  const unfollow = () => {
    close();
    newest = { [REDEEMED]: newest[REDEEMED] };
  };

  return {
    unfollow,
    /**
     * Posts JSON. The answer is told under `topic`, with status 0 where there is none
     * within `deadline` milliseconds; a newer request of the topic makes it void. A token
     * that is granted to nobody any more is given back.
     * @param {number} topic
     * @param {string | undefined} base default: the page's origin
     * @param {string} path with a star for `place`
     * @param {string | undefined} place
     * @param {string} header name and value, with a star for `value`
     * @param {string | undefined} value default: no such header
     * @param {object | undefined} json
     * @param {number} deadline
     */
    post(topic, base, path, place, header, value, json, deadline) {
      const unanswered = topic === UNANSWERED;
      /** @type {Record<string, string>} */
      const headers = {};
      const body = JSON.stringify(json);
      if (body) headers["Content-Type"] = "application/json";
      if (value) {
        const [name, form] = header.split(": ");
        headers[name] = fillIn(form, value);
      }
      const url = address(base, path, place);
      const abort = window.AbortController && new AbortController();
      /** @type {RequestInit} */
      const request = { method: "POST", cache: "no-store", headers, body, keepalive: unanswered };
      if (abort) request.signal = abort.signal;
      if (!unanswered) newest[topic] = request;
      // A token granted unseen would stay in use, so request_token is sent but once.
      let again = topic === REDEEMED || topic === ERROR_PAGE;
      const prepare = topic === ERROR_PAGE && options.prepareErrorPage;
      if (prepare) prepare();
      let later = true;
      let timer = 0;
      const end = (/** @type {number} */ status, /** @type {unknown} */ json) => {
        clearTimeout(timer);
        const token = topic === ANSWERED && text(get(json, "result"), "token");
        if (newest[topic] === request) {
          newest[topic] = undefined;
          tell(topic, status, json);
        } else if (token) {
          deliver(url.replace(/request_token$/, () => `release_token?token=${token}`), {});
        }
      };
      const failed = () => end(0, null);
      const send = () => {
        fetch(url, request).then(
          (response) => {
            const status = response.status;
            const wait = Number(response.headers.get("Retry-After"));
            if (later && wait > 0 && wait <= LONGEST_RETRY && (status === 429 || status === 503)) {
              later = false;
              clearTimeout(timer);
              timer = setTimeout(begin, wait * 1000);
            } else {
              response.text().then((text) => end(status, parse(text)), failed);
            }
          },
          () => {
            if (!again) return failed();
            again = false;
            send();
          },
        );
      };
      const begin = () => {
        if (!unanswered && newest[topic] !== request) return;
        timer = setTimeout(() => {
          failed();
          if (abort) abort.abort();
        }, deadline);
        send();
      };
      begin();
    },
    /** Gives the token back that the stream is followed with: nobody else can any more. */
    abandon() {
      if (stream) deliver(stream.url.replace("/events?", "/release_token?"), {});
      unfollow();
    },
    /**
     * Follows a stream of events. A broken one is closed, and it is for whoever is
     * told STREAM_RETRY to follow again: the address holds another token by then.
     * @param {string | undefined} base
     * @param {string} path
     * @param {string | undefined} place
     * @param {string} names of the events, with commas between
     */
    follow(base, path, place, names) {
      close();
      const source = (stream = new EventSource(address(base, path, place)));
      names.split(",").forEach((name, index) =>
        source.addEventListener(name, (event) => {
          failures = 0;
          if (source === stream) tell(STREAM, index, parse(/** @type {MessageEvent} */ (event).data));
        }),
      );
      source.onerror = () => {
        if (source !== stream) return;
        close();
        const wait = Math.min(FIRST_STREAM_WAIT * 2 ** failures++, LONGEST_STREAM_WAIT);
        // Visits that lost a node together do not come back together.
        retry = setTimeout(() => tell(STREAM_RETRY), wait * (1 - Math.random() / 4));
        tell(STREAM_LOST, failures);
      };
    },
  };
};
