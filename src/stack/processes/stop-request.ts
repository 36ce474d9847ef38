/** How often to look whether the parent is still there, in milliseconds. */
const parentCheckMs = 250;

/**
 * Resolves when this process is asked to stop: by SIGINT or SIGTERM, or because the npm that started it is gone, which may be
 * killed without a word to its children. Says which.
 */
export function stopRequest(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
    if (process.env.npm_execpath === undefined) return;
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) resolve("the npm that started it is gone");
    }, parentCheckMs).unref();
  });
}
