import { spawn } from "node:child_process";
import { once } from "node:events";
import { nodeServer, start } from "./harness.ts";
import type { Peer } from "./harness.ts";
import type { PeerResult, Table } from "./print-table.ts";
import type { Suite } from "./run.ts";

/** What {@link file://./load-rate.ts} prints. */
interface Seen {
  readonly admitted: number;
  readonly refused: number;
  readonly failed: number;
  /** Null: none was answered. */
  readonly p99Ms: number | null;
}

interface Overload {
  readonly what: "service" | "thread";
  readonly title: string;
  /** Requests a second that it can do. */
  readonly capacity: number;
}

const overloads: readonly Overload[] = [
  { what: "service", title: "A service that does 8 requests at once, 100 ms each", capacity: 80 },
  { what: "thread", title: "Requests that take the edge's own thread 5 ms", capacity: 180 },
];

/** Ten times as much as can be done: what those who are admitted wait, and who only wants a page. PERFORMANCE.md, goals. */
export const overload: Suite = async ({ folder, seconds, say }) => {
  const each = Math.max(2, Math.floor(seconds / 24));
  const tables: Table[] = [];
  for (const { what, title, capacity } of overloads) {
    const results: PeerResult[] = [];
    for (const guard of ["guarded", "bare"]) {
      const env = { BENCH_FOLDER: folder };
      const peer: Peer = { name: what, command: nodeServer("servers/overload.ts", what, guard), env };
      for (const times of [0.1, 10]) {
        say(`overload: ${what}, ${guard}, ${times} × what it can do`);
        // Each from the beginning: what piled up before is not this one's.
        const server = await start(peer);
        try {
          await run(server.port, 1, capacity * 0.5, "/api/work", 64);
          const [api, page] = await Promise.all([
            run(server.port, each, capacity * times, "/api/work", 100),
            run(server.port, each, 40, "/", 8),
          ]);
          const name = `${guard}, ${times} ×`;
          results.push(rowOf(`${name}, API`, api, each), rowOf(`${name}, a page`, page, each));
        } finally {
          await server.stop();
        }
      }
    }
    tables.push({ title, note: "p99 and requests a second: of those that were answered 200", results });
  }
  return tables;
};

async function run(
  port: number,
  seconds: number,
  rate: number,
  path: string,
  connections: number,
): Promise<Seen> {
  const [program = "", ...args] = nodeServer(
    "load-rate.ts",
    ...[port, seconds, rate, path, connections].map(String),
  );
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += String(chunk)));
  await once(child, "close");
  return JSON.parse(text) as Seen;
}

const rowOf = (name: string, { admitted, p99Ms }: Seen, seconds: number): PeerResult => ({
  name,
  cpuBest: Number.NaN,
  cpuMedian: Number.NaN,
  userBest: Number.NaN,
  ratioMedian: Number.NaN,
  instructionsK: undefined,
  perSecondMedian: admitted / seconds,
  p99MsMedian: p99Ms ?? Number.NaN,
  rssMb: Number.NaN,
});
