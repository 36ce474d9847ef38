// Serves the example of the tree that this file lies in, until it is told to stop or who started it is gone.
import { join } from "node:path";
import { startStack } from "../../src/stack/index.ts";
import type { RunningStack } from "../../src/stack/index.ts";

/** How it went. What the tool refuses has a code; whatever else ends a start is a crash. */
export type HostMessage =
  | { kind: "ready" }
  | { kind: "refused"; code: string; message: string }
  | { kind: "failed"; message: string };

let stack: RunningStack | undefined;

// A terminal's Ctrl-C reaches this process too; who started it tells it when.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => void stop());
process.on("message", () => void stop());

// Root is often in groups beside its own, and domains are to give those up. Here there is one, whoever started this.
if (process.getuid?.() === 0) process.setgroups?.([1]);

try {
  stack = await startStack({
    path: join(import.meta.dirname, "../../examples/bakery"),
    log: ({ from, level, message }) => console.error(`${from} ${level}: ${message}`),
    graceMs: 1000,
  });
  tell({ kind: "ready" });
} catch (error) {
  const { code, message, hint } = error as Error & { code?: string; hint?: string };
  const words = hint === undefined ? message : `${message}\n${hint}`;
  const isOurs =
    code !== undefined && /^[A-Z]+_[A-Z_]+$/.test(code) && (error as Error).name === "CurtainwallError";
  tell(isOurs ? { kind: "refused", code, message: words } : { kind: "failed", message: words });
  process.disconnect?.();
}

async function stop(): Promise<void> {
  await stack?.close();
  process.exit();
}

function tell(message: HostMessage): void {
  process.send?.(message);
}
