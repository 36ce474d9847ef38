import type { Socket } from "node:net";
import type { ProbeResponse } from "../probes/probe.ts";
import { whenOpen } from "./connection.ts";
import type { Endpoint } from "./connection.ts";
import { collect, invalid, toResponse } from "./response.ts";

const maxRawBytes = 65_536;

/** Sends bytes and reads one answer, by its own few rules: what is sent may be so wrong that an HTTP client would refuse to. */
export function rawAnswer(
  socket: Socket,
  bytes: Uint8Array | string,
  { timeoutMs, isSecure }: Endpoint,
): Promise<ProbeResponse> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const collected = collect(maxRawBytes, () => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    whenOpen(socket, isSecure, () => socket.write(bytes));
    socket.on("data", (chunk: Uint8Array) => {
      collected.add(chunk);
      if (parseAnswer(collected.bytes())?.isWhole === true) socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      const parsed = parseAnswer(collected.bytes());
      if (parsed === undefined) reject(invalid("the connection ended without an HTTP answer"));
      else
        resolve(
          toResponse({
            protocol: "http/1.1",
            status: parsed.status,
            headers: parsed.headers,
            collected: { isFull: collected.isFull, bytes: () => parsed.body },
            startedAt,
          }),
        );
    });
  });
}

function parseAnswer(
  bytes: Uint8Array,
): { status: number; headers: [string, string][]; body: Uint8Array; isWhole: boolean } | undefined {
  const text = Buffer.from(bytes).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  if (end < 0 || status === undefined) return undefined;
  const headers = text
    .slice(0, end)
    .split("\r\n")
    .slice(1)
    .map((line): [string, string] => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]);
  const body = bytes.subarray(end + 4);
  return {
    status: Number(status),
    headers,
    body,
    isWhole: hasEnded(Number(status), headers, body),
  };
}

const withoutBody = [101, 204, 304];
const lastChunk = "\r\n0\r\n\r\n";

/** Whether nothing more comes, by what an answer says of its own end. Else it ends with the connection. @see RFC 9112 §6.3 */
function hasEnded(
  status: number,
  headers: readonly (readonly [string, string])[],
  body: Uint8Array,
): boolean {
  const valueOf = (wanted: string): string | undefined => headers.find(([name]) => name === wanted)?.[1];
  if (withoutBody.includes(status)) return true;
  if (valueOf("transfer-encoding")?.toLowerCase() === "chunked")
    return `\r\n${Buffer.from(body).toString("latin1")}`.endsWith(lastChunk);
  const length = valueOf("content-length");
  return length !== undefined && body.length >= Number(length);
}
