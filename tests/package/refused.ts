// What the compiler has to refuse: each line after a remark is an error, and there is
// no other. Compiled only: crates/xtask/tests/package.rs.
import { initSync, start } from "vestibule-launch";
import type { ErrorCode, LaunchError, Session } from "vestibule-launch";
import type { ScreenName, VestibuleLaunch } from "vestibule-launch/element";

declare const element: VestibuleLaunch;
declare const error: LaunchError;
declare const session: Session;
const renderErrorPage = async () => "";

// @ts-expect-error: no such code
export const code: ErrorCode = "conference_lost";
// @ts-expect-error: a code of the server, which it never answers to a page
export const far: ErrorCode = "ehr_timeout";
// @ts-expect-error: compared with what it never is
export const compared = error.code === "ConferenceNotFound";
// @ts-expect-error: a code is not changed
export const name: "Error" = error.name;
// @ts-expect-error: without an error page
start({});
// @ts-expect-error: who is the visit handed to?
start({ renderErrorPage, handOver: "window" });
// @ts-expect-error: no such version of the web app
start({ renderErrorPage, connect: { base: "/webapp4", form: "webapp4" } });
// @ts-expect-error: no such option
start({ renderErrorPage, hospital: "St Mary's" });
// @ts-expect-error: a page is rendered to text
start({ renderErrorPage: async () => document.body });
// @ts-expect-error: of bytes the module is made, and of nothing else
initSync();
// @ts-expect-error: there may be no session
start({ renderErrorPage }).then((given) => given.token);
// @ts-expect-error: no such role
export const role: "chair" = session.role;
// @ts-expect-error: no such screen
export const screen: ScreenName = "lobby";
// @ts-expect-error: no such event
element.addEventListener("vestibule-sesion", () => {});
// @ts-expect-error: the event of a screen has no session
element.addEventListener("vestibule-screen", ({ detail }) => detail.token);
// @ts-expect-error: no such screen is told
element.addEventListener("vestibule-screen", ({ detail }) => detail.screen === "lobby");
// @ts-expect-error: the promise is read only
element.visit = undefined;
// @ts-expect-error: no such value
element.deviceCheck = "after";
