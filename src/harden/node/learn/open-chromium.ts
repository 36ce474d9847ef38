import type { Browser } from "playwright-core";
import { hardenError } from "../harden-error.ts";

/**
 * Starts Chromium so that nothing it does leaves this machine: every address but one goes to a proxy, which refuses it.
 *
 * @throws {CurtainwallError} `HARDEN_BROWSER_MISSING`
 */
export async function openChromium(executablePath: string, port: number): Promise<Browser> {
  const { chromium } = await import("playwright-core").catch((cause: unknown) => {
    throw hardenError("HARDEN_BROWSER_MISSING", "playwright-core is not installed.", {
      hint: "npm install --save-dev playwright-core",
      cause,
    });
  });
  const here = `127.0.0.1:${port}`;
  const start = (chromiumSandbox: boolean): Promise<Browser> =>
    chromium.launch({
      executablePath,
      chromiumSandbox,
      // The last rule that fits decides: loopback is not exempt, but for this one port.
      proxy: { server: `http://${here}`, bypass: `<-loopback>,${here}` },
      args: [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ],
      timeout: 30_000,
    });
  // Root has no sandbox, nor has anybody where the system gives no user namespaces. What is opened is whoever's own who learns from it.
  return start(process.getuid?.() !== 0)
    .catch((error: unknown) => {
      if (String(error).includes("No usable sandbox")) return start(false);
      throw error;
    })
    .catch((cause: unknown) => {
      throw hardenError("HARDEN_BROWSER_MISSING", `The browser at ${executablePath} did not start.`, {
        hint: "Say where Chromium is:  --browser /usr/bin/chromium",
        cause,
      });
    });
}
