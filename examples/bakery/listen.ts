import type { Server } from "node:https";
import { howToMove } from "./settings.ts";

/** Options of {@link listen}. */
export interface ListenOptions {
  /** Whose port it is, for the error: `the shop`. */
  name: string;
  port: number;
  /** The variable that moves it to another port. */
  variable: string;
}

/**
 * Listens on loopback.
 *
 * @returns the port: the one that was asked for, or the free one that was found when that was 0
 * @throws {Error} that says how to move, when the port is taken.
 */
export async function listen(server: Server, { name, port, variable }: ListenOptions): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: "localhost", port }, resolve);
  try {
    await promise;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    throw new Error(
      `Port ${port} is taken, and ${name} needs it. Stop what listens there, or say  ${variable}=…\nAll that can be moved:  ${howToMove}`,
      { cause },
    );
  } finally {
    server.off("error", reject);
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

/** Stops a server: no new connections, and those that are open end now. */
export async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}
