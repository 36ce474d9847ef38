/** What is closed before its process ends, so that it leaves nothing behind. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Ends this process when it is told to, or when who started it is gone: what was started is closed first, and what is only being started as soon as it is there, since that
 * made folders outside of its own already.
 */
export function closeWhenTold(starting: Promise<Closable>): void {
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  // A terminal's Ctrl-C reaches this process too; who started it tells it when.
  process.on("SIGINT", () => undefined);
  for (const event of ["SIGTERM", "disconnect"]) process.on(event, () => tell());
  void told.then(async () => {
    const started = await starting.catch(() => undefined);
    await started?.close();
    process.exit();
  });
}
