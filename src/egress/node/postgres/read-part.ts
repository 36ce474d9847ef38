import { once } from "node:events";
import type { Socket } from "node:net";
import { codedError } from "../connections/service-socket.ts";

/** What comes next on a socket that nobody else reads from. Rejects if nothing does any more. */
export async function readPart(socket: Socket): Promise<Buffer> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  socket.once("close", end).once("end", end);
  try {
    for (;;) {
      const part = socket.read() as Buffer | null;
      if (part !== null) return part;
      if (socket.destroyed || socket.readableEnded) throw new Error("it closed the connection");
      await once(socket, "readable", { signal: ended.signal });
    }
  } catch {
    throw codedError(
      (socket.errored as { code?: string } | null)?.code ?? "ECONNRESET",
      "it closed the connection",
    );
  } finally {
    socket.off("close", end).off("end", end);
  }
}
