import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";

/**
 * Sends requests at a rate, whether they are answered or not, over so many connections, and prints how long answers took from the moment at
 * which each request was due. The first two seconds don't count: that a load has come about takes time to be noticed.
 * `port seconds perSecond path connections`.
 */

const [port = 0, seconds = 1, perSecond = 1] = process.argv.slice(2, 5).map(Number);
const path = process.argv[5] ?? "/";
const connections = Number(process.argv[6] ?? 64);
const skippedMs = 2000;
const request = `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;

const waiting: number[] = [];
const idle: TLSSocket[] = [];
const admitted: number[] = [];
const refused: number[] = [];
let failed = 0;
let started = 0;

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    let received = "";
    socket.setEncoding("latin1").setNoDelay(true);
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      idle.push(socket);
      resolve();
    });
    socket.on("data", (text: string) => {
      received += text;
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/content-length: ([0-9]+)/i.exec(received.slice(0, end))?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      const at = due.get(socket) ?? 0;
      if (at >= started + skippedMs) note(received.slice(9, 12), performance.now() - at);
      received = "";
      give(socket);
    });
  });
}

function note(status: string, ms: number): void {
  if (status === "200") admitted.push(ms);
  else if (status === "503") refused.push(ms);
  else failed++;
}

const due = new Map<TLSSocket, number>();

/** The oldest request that is due goes on the connection that is free. */
function give(socket: TLSSocket): void {
  const at = waiting.shift();
  if (at === undefined) return void idle.push(socket);
  due.set(socket, at);
  socket.write(request);
}

await Promise.all(Array.from({ length: connections }, open));
started = performance.now();
const total = (seconds * 1000 + skippedMs) * (perSecond / 1000);
let sent = 0;
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const now = performance.now();
    const target = Math.min(total, Math.floor(((now - started) / 1000) * perSecond) + 1);
    for (; sent < target; sent++) {
      waiting.push(started + (sent * 1000) / perSecond);
      const socket = idle.pop();
      if (socket !== undefined) give(socket);
    }
    if (now - started < seconds * 1000 + skippedMs + 300) return;
    clearInterval(timer);
    resolve();
  }, 1);
});
const at = (part: number, values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN;
console.log(
  JSON.stringify({
    sent,
    admitted: admitted.length,
    refused: refused.length,
    failed,
    p50Ms: at(0.5, admitted),
    p99Ms: at(0.99, admitted),
    refusedP99Ms: at(0.99, refused),
  }),
);
process.exit(0);
