// How the module is used. Compiled only: crates/xtask/tests/package.rs.
import init, { initSync, start } from "vestibule-launch";
import type { DeviceTest, ErrorCode, LaunchError, Options, Session } from "vestibule-launch";
import { check } from "vestibule-launch/device-check";
import loadErrorPage, { render } from "vestibule-launch/error-page";

const options: Options = {
  node: "https://node.example.com",
  handOver: "connect",
  connect: { base: "https://meet.example.com/webapp3", form: "webapp3" },
  deviceCheck: "before",
  link: "https://meet.example.com/webapp/#/?conference=visit&role=guest",
  signal: new AbortController().signal,
  root: document.createElement("div").attachShadow({ mode: "open" }),
  host: document.body,
  prepareErrorPage: () => void loadErrorPage(),
  async renderErrorPage(page) {
    const id: string = page.telehealth_request_id;
    await loadErrorPage({ module_or_path: `/error-page_bg.wasm?${id}` });
    return render(page, "de");
  },
  // What the one module answers is what the other takes.
  checkDevices: (section) => check(section, { css: { url: "/device-check.css" } }),
};

/** A sentence on each thing that can go wrong: the compiler misses none. */
const retried: Record<ErrorCode, boolean> | undefined = undefined;

export function isLaunchError(error: unknown): error is LaunchError {
  return error instanceof Error && error.name === "LaunchError";
}

export async function join(): Promise<Session | undefined> {
  await init({ module_or_path: fetch("/vestibule_bg.wasm", { integrity: "sha384-" }) });
  try {
    const session = await start(options);
    const role: "host" | "guest" | undefined = session && session.role;
    return role && session;
  } catch (error) {
    if (isLaunchError(error)) {
      const { code, requestId, utcTime, retryable } = error;
      const told: [ErrorCode, string, string, boolean] = [code, requestId, utcTime, retryable];
      if (code === "conference_not_found") console.warn(told, retried);
    }
    return undefined;
  }
}

export function joinWithBytes(bytes: BufferSource): Promise<Session | undefined> {
  initSync({ module: bytes });
  const skipped: DeviceTest = {
    camera: "skipped",
    microphone: "skipped",
    speaker: "skipped",
    connection: "passed",
  };
  return start({ renderErrorPage: async () => "", checkDevices: async () => skipped });
}
