import { closeSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { everyone, parseContract, upstream } from "../src/contract/index.ts";
import type { EventSink } from "../src/contract/index.ts";
import { createGateway, createLimitMemory, createLimitStore } from "../src/gateway/index.ts";
import type { Gateway, GatewayRequest } from "../src/gateway/index.ts";
import { createEventQueue, verifyLog } from "../src/ledger/node.ts";
import { openEventsPipes } from "../src/stack/log/events-pipe.ts";
import { domainReady, firstInheritedFd, launchDomain } from "../src/stack/processes/launch.ts";
import type { ToLedger } from "../src/stack/processes/messages.ts";

/** What the log adds to a request, in microseconds of both processes' CPU. */
export interface RequestCost {
  readonly name: string;
  /** By round: with events that go nowhere, and with those that are sent to the ledger. */
  readonly off: readonly number[];
  /** Of the process that answers. */
  readonly on: readonly number[];
  /** Of the ledger. */
  readonly ledger: readonly number[];
}

/** What the edge hands over before it turns to its sockets again. */
const batch = 64;
/** Of `/proc/<pid>/stat`, on every Linux. */
const microsecondsPerTick = 10_000;

/**
 * Measures requests that the gateway refuses, each an event, and such that it answers, which are none: with the event queue and the ledger's own process, sandbox
 * aside, and with events that go nowhere. By turns.
 */
export async function measureRequests(rounds: number, perRound: number): Promise<RequestCost[]> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-bench-requests-"));
  const [pipe] = openEventsPipes(["edge"]);
  if (pipe === undefined) throw new Error("there is no pipe");
  const ledger = launchDomain<ToLedger>({
    domain: "ledger",
    isolation: "reduced",
    fds: [pipe.readFd],
    view: { readOnly: [], writable: [folder], hidden: [], masked: [], network: false },
    environment: {},
    onLine: (line) => console.error(line),
  });
  const file = join(folder, "events.jsonl");
  const keep = { maxFileBytes: 2 ** 30, keepFiles: 8 };
  const sources = [{ name: "edge", fd: firstInheritedFd }];
  const lockFile = join(folder, "ledger.lock");
  ledger.control.send({ type: "configure", file, lockFile, keep, sources, user: undefined });
  const queue = createEventQueue({ fd: pipe.writeFd, source: "edge" });
  try {
    await domainReady("ledger", ledger);
    const gateways = { off: gatewayWith(() => undefined), on: gatewayWith(queue.send) };
    const settle = async (): Promise<void> => {
      await queue.flush(60_000);
      // It has read all, and writes no more.
      for (let before = -1; before !== ticksOf(ledger.pid); await pause(200)) before = ticksOf(ledger.pid);
    };
    const costs: RequestCost[] = [];
    for (const [name, path, status] of [
      ["refused", "/api/orders?unknown=1", 400],
      ["answered", "/api/orders", 200],
    ] as const) {
      const [off, on, kept]: [number[], number[], number[]] = [[], [], []];
      const run = (gateway: Gateway): Promise<number> =>
        serve(gateway, { path, status, count: perRound, afterBatch: () => queue.flush(60_000) });
      await run(gateways.off);
      await run(gateways.on);
      await settle();
      for (let round = 0; round < rounds; round++) {
        off.push((await run(gateways.off)) / perRound);
        const before = ticksOf(ledger.pid);
        on.push((await run(gateways.on)) / perRound);
        await settle();
        kept.push(((ticksOf(ledger.pid) - before) * microsecondsPerTick) / perRound);
      }
      costs.push({ name, off, on, ledger: kept });
    }
    ledger.control.send({ type: "stop" });
    await ledger.exited;
    const written = verifyLog(file).last;
    if (written < (rounds + 1) * perRound) throw new Error(`the log has ${written} records only`);
    return costs;
  } finally {
    ledger.kill();
    queue.close();
    closeSync(pipe.readFd);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** User and system time of a process with all its threads. */
function ticksOf(pid: number): number {
  const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const fields = rest.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function gatewayWith(events: EventSink): Gateway {
  const contract = parseContract({
    kind: "stack",
    origin: "https://localhost",
    upstreams: { service: upstream({ url: "https://service.example" }) },
    routes: {
      "GET /api/orders": {
        access: everyone,
        limit: "100000000/min per client",
        response: z.strictObject({ id: z.string() }),
        to: "service",
      },
    },
  });
  return createGateway({
    contract,
    destinations: new Map([
      ["service", (_request, done) => done({ kind: "answer", status: 200, value: { id: "1" } })],
    ]),
    limits: createLimitStore(createLimitMemory()),
    events,
  });
}

interface Load {
  readonly path: string;
  readonly status: number;
  readonly count: number;
  readonly afterBatch: () => Promise<void>;
}

/** Microseconds of CPU that so many requests take in this process. */
async function serve(gateway: Gateway, { path, status, count, afterBatch }: Load): Promise<number> {
  const [pathname = "", query = ""] = path.split("?");
  const request: GatewayRequest = {
    method: "GET",
    path: pathname,
    query,
    remoteAddress: "192.0.2.1",
    connection: gateway,
    hasBody: false,
    header: () => undefined,
    readBody: (_most, done) => done(undefined, new Uint8Array(0)),
  };
  let other = 0;
  const before = process.cpuUsage();
  for (let done = 0; done < count; done += batch) {
    for (let call = 0; call < batch; call++)
      gateway.handle(request, (answer) => {
        if (answer.status !== status) other++;
      });
    await afterBatch();
  }
  const { user, system } = process.cpuUsage(before);
  if (other > 0) throw new Error(`${other} requests were not answered ${status}`);
  return user + system;
}
