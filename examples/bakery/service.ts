/** A server that has been started. */
export interface RunningService {
  /** Where it listens. */
  readonly url: string;
  close(): Promise<void>;
}

/** What a service's process tells the one that started it. */
export type ServiceMessage = { kind: "ready"; url: string } | { kind: "failed"; message: string };

/**
 * Runs a service as this process's one task, until it is told to stop or the process that started it is gone.
 *
 * The channel to that process closes with it, whatever ended it, so nothing is left behind after a `kill -9` either. Run by
 * hand there is no channel, and the service runs until Ctrl-C.
 */
export async function runService(start: () => Promise<RunningService>): Promise<void> {
  const isChild = process.send !== undefined;
  process.on("disconnect", () => process.exit());
  try {
    const service = await start();
    if (isChild && !process.connected) process.exit(0);
    const stop = (): void => void service.close().finally(() => process.exit(0));
    process.once("SIGTERM", stop);
    // A terminal's Ctrl-C reaches children too. They wait to be told, so that calls in flight are still answered.
    process.on("SIGINT", () => {
      if (!isChild) stop();
    });
    tell({ kind: "ready", url: service.url });
  } catch (error) {
    tell({ kind: "failed", message: explain(error) });
    process.exitCode = 1;
    if (isChild) process.disconnect?.();
  }
}

function tell(message: ServiceMessage): void {
  // Whoever started this may be gone by now; then nobody wants to know.
  if (process.send !== undefined) process.send(message, undefined, undefined, () => undefined);
  else if (message.kind === "ready") console.error(`Listening on ${message.url}`);
  else console.error(message.message);
}

/** Says what went wrong, and what led to it. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hint = "hint" in error && typeof error.hint === "string" ? [error.hint] : [];
  const causes = error.cause === undefined ? [] : explain(error.cause).split("\n  ");
  return [...new Set([error.message, ...hint, ...causes])].join("\n  ");
}
