import { connect } from "node:http2";
import type { ClientHttp2Session, OutgoingHttpHeaders } from "node:http2";
import { performance } from "node:perf_hooks";

/** Loads one HTTP/2 server for some seconds and prints what it did: `port seconds sessions streams`. */

const [port = 0, seconds = 1, sessions = 8, streams = 8] = process.argv.slice(2).map(Number);
const headers: OutgoingHttpHeaders = { ":path": "/", ":authority": "localhost" };
const until = performance.now() + seconds * 1000;
const latencies: number[] = [];
let failed = 0;

async function load(session: ClientHttp2Session): Promise<void> {
  while (performance.now() < until) {
    const from = performance.now();
    const status = await get(session);
    if (status === 200) latencies.push(performance.now() - from);
    else failed++;
  }
}

function get(session: ClientHttp2Session): Promise<number> {
  return new Promise((resolve) => {
    const stream = session.request(headers);
    let status = 0;
    stream.on("response", (received) => {
      status = Number(received[":status"]);
    });
    stream.on("data", () => {});
    stream.on("error", () => {});
    stream.on("close", () => resolve(status));
  });
}

const open = Array.from({ length: sessions }, () =>
  connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, servername: "localhost" }),
);
for (const session of open) session.on("error", () => {});
await Promise.all(open.flatMap((session) => Array.from({ length: streams }, () => load(session))));
for (const session of open) session.destroy();
latencies.sort((left, right) => left - right);
const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0;
console.log(JSON.stringify({ requests: latencies.length, failed, p99Ms: p99 }));
