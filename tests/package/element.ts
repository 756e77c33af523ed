// How the element is used. Compiled only: crates/xtask/tests/package.rs.
import { VestibuleLaunch } from "vestibule-launch/element";
import type { ErrorCode, ScreenName, Session } from "vestibule-launch/element";

export function join(link: string, goOn: (session: Session) => void): VestibuleLaunch {
  const element = document.createElement("vestibule-launch");
  element.link = link;
  element.handOver = "event";
  element.deviceCheck = "offer";
  element.launchApi = null;
  element.connectForm = "webapp2";
  element.addEventListener("vestibule-screen", function ({ detail }) {
    const screen: ScreenName = detail.screen;
    if (screen === "waiting") this.hidden = false;
  });
  element.addEventListener("vestibule-session", ({ detail }) => goOn(detail), { once: true });
  element.addEventListener("vestibule-ended", (event) => {
    const nothing: null = event.detail;
    element.title = String(nothing);
  });
  const failed = (event: CustomEvent<{ code: ErrorCode }>) => console.warn(event.detail.code);
  element.addEventListener("vestibule-failed", failed);
  element.removeEventListener("vestibule-failed", failed);
  // Still an element like others.
  element.addEventListener("click", (event) => event.preventDefault());
  return document.body.appendChild(element);
}

export async function session(): Promise<Session | undefined> {
  const element = document.querySelector("vestibule-launch");
  if (!(element instanceof VestibuleLaunch)) return undefined;
  const visit: Promise<Session | undefined> | undefined = element.visit;
  return visit;
}
