/** Arguments for Chromium: it runs as root in a container, and asks nobody for anything of its own. */
export const chromiumFlags: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The same, under which no request leaves this machine, so that pages look the same every time. */
export const offlineChromium: readonly string[] = [
  ...chromiumFlags,
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];
