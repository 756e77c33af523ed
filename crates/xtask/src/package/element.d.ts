import type { LaunchError, Options, Session } from "./vestibule.js";

export type { ErrorCode, LaunchError, Session } from "./vestibule.js";

/** The screens of the landing page. */
export type ScreenName = "SCREENS";

/** The events of the element. They bubble, and cross the borders of shadow trees. */
export interface VestibuleEventMap {
  /** Another screen is shown. */
  "vestibule-screen": CustomEvent<{ screen: ScreenName }>;
  /** With `hand-over="event"`: joined; the session and its token are the page's own now. */
  "vestibule-session": CustomEvent<Session>;
  /** The visit has ended, was left, or was handed on to the Connect web app. */
  "vestibule-ended": CustomEvent<null>;
  /** The launch has failed, and the element shows how. */
  "vestibule-failed": CustomEvent<LaunchError>;
}

/** `<vestibule-launch>`: the landing page as an element. */
export declare class VestibuleLaunch extends HTMLElement {
  /** The join link; without one, the page's address. It is taken out when the element begins. */
  link: string | null;
  /** Base URL of the conferencing node; default: the page's origin. */
  node: string | null;
  /** Base URL of the launch API; default: the page's origin. */
  launchApi: string | null;
  /** Tag of a language; default: that of the page around, or the browser's. */
  language: string | null;
  /** Who goes on with a visit that is joined; default: "page". */
  handOver: NonNullable<Options["handOver"]> | null;
  /** Where the Connect web app is, for `hand-over="connect"`. */
  connectBase: string | null;
  /** Which Connect web app that is; default: "webapp3". */
  connectForm: NonNullable<Options["connect"]>["form"] | null;
  /** When the device check is offered; default: "off". */
  deviceCheck: NonNullable<Options["deviceCheck"]> | null;
  /** The hospital's name, shown above the page. */
  hospital: string | null;
  /** Address of the hospital's logo. */
  logo: string | null;
  /**
   * What becomes of the visit: the session with `hand-over="event"`, else undefined when it
   * has ended or the element was removed; rejects with a `LaunchError`. Undefined while the
   * element is in no document.
   */
  readonly visit: Promise<Session | undefined> | undefined;

  addEventListener<T extends keyof VestibuleEventMap>(
    type: T,
    listener: (this: VestibuleLaunch, event: VestibuleEventMap[T]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<T extends keyof HTMLElementEventMap>(
    type: T,
    listener: (this: VestibuleLaunch, event: HTMLElementEventMap[T]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<T extends keyof VestibuleEventMap>(
    type: T,
    listener: (this: VestibuleLaunch, event: VestibuleEventMap[T]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener<T extends keyof HTMLElementEventMap>(
    type: T,
    listener: (this: VestibuleLaunch, event: HTMLElementEventMap[T]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "vestibule-launch": VestibuleLaunch;
  }
}
