// Serves the example of the tree that this file lies in, until it is told to stop or who started it is gone.
import { join } from "node:path";
import { startStack } from "../../src/stack/index.ts";
import { closeWhenTold } from "./close-when-told.ts";

/** How it went. What the tool refuses has a code; whatever else ends a start is a crash. */
export type HostMessage =
  | { kind: "ready" }
  | { kind: "refused"; code: string; message: string }
  | { kind: "failed"; message: string };

// Root is often in groups beside its own, and domains are to give those up. Here there is one, whoever started this.
if (process.getuid?.() === 0) process.setgroups?.([1]);

const starting = startStack({
  path: join(import.meta.dirname, "../../examples/bakery"),
  log: ({ from, level, message }) => console.error(`${from} ${level}: ${message}`),
  graceMs: 1000,
});
closeWhenTold(starting);
try {
  await starting;
  tell({ kind: "ready" });
} catch (error) {
  const { code, message, hint } = error as Error & { code?: string; hint?: string };
  const words = hint === undefined ? message : `${message}\n${hint}`;
  const isOurs =
    code !== undefined && /^[A-Z]+_[A-Z_]+$/.test(code) && (error as Error).name === "CurtainwallError";
  tell(isOurs ? { kind: "refused", code, message: words } : { kind: "failed", message: words });
  process.disconnect?.();
}

/** Who is to be told may be gone by now. */
function tell(message: HostMessage): void {
  process.send?.(message, () => undefined);
}
