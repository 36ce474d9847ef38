import assert from "node:assert/strict";
import { createServer } from "node:https";
import { get } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../../contract/index.ts";
import { testCertificate } from "../../fixtures/certificate.ts";
import { runAttack } from "../../node/run-attack.ts";
import { runAudit } from "../../node/run.ts";
import type { AuditCheck } from "../../report.ts";

// A site that makes previews of addresses that it is told, one day.

type Habit =
  | "asks nobody"
  | "asks soon"
  | "asks after a second and a half"
  | "asks once it has time"
  | "serves nobody";

const own = await testCertificate();
let habit: Habit = "asks nobody";
let queue: string[] = [];

const server = createServer({ ...own, minVersion: "TLSv1.3" }, ({ url = "" }, response) => {
  const asked = new URL(url, origin).searchParams.get("url") ?? "";
  if (habit === "asks soon") setTimeout(() => ask(asked), 300);
  if (habit === "asks after a second and a half") setTimeout(() => ask(asked), 1500);
  if (habit === "asks once it has time") queue.push(asked);
  response
    .writeHead(habit === "serves nobody" ? 403 : 200, { "content-type": "application/json" })
    .end('{"ok":true}');
});
// The audit tries a tunnel when it has sent its addresses: the site has time then.
server.on("connect", (_request, socket) => {
  socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
  for (const address of queue.splice(0)) ask(address);
});
await new Promise<void>((ready) => server.listen({ host: "localhost", port: 0 }, ready));
const origin = `https://localhost:${(server.address() as AddressInfo).port}` as const;

after(() => {
  server.close();
  server.closeAllConnections();
});

function ask(address: string): void {
  if (URL.parse(address)?.protocol === "http:") get(address).on("error", () => undefined);
}

const contract = parseContract(
  defineStack({
    origin,
    upstreams: { shop: upstream({ url: origin }) },
    edge: { redirectPort: false },
    routes: {
      "GET /api/preview": {
        access: everyone,
        limit: "600/min per client",
        query: { url: z.string().max(200) },
        response: z.object({ ok: z.boolean() }),
        to: "shop",
      },
    },
  }),
);

const plan = { samples: { "GET /api/preview": { query: { url: "https://example.com/" } } } };
const checks = {
  atOnce: "no address in a request makes the stack ask it",
  later: "nobody comes later for an address that was in a request",
} as const;

async function audit(of: Habit): Promise<Record<keyof typeof checks, AuditCheck["state"]>> {
  habit = of;
  queue = [];
  const { rows } = await runAudit({
    contract,
    plan,
    target: new URL(origin),
    root: import.meta.dirname,
    ca: own.ca,
    only: ["API-3"],
  });
  const stateOf = (wanted: string): AuditCheck["state"] =>
    rows[0]?.checks.find(({ name }) => name === wanted)?.state ?? assert.fail(wanted);
  return { atOnce: stateOf(checks.atOnce), later: stateOf(checks.later) };
}

test("who asks for no address that it is told passes", async () => {
  assert.deepEqual(await audit("asks nobody"), { atOnce: "passed", later: "passed" });
});

test("who refuses everybody shows nothing, at once and at the end", async () => {
  assert.deepEqual(await audit("serves nobody"), { atOnce: "missing", later: "missing" });
});

test("who asks a moment after it has answered is seen at once", async () => {
  assert.equal((await audit("asks soon")).atOnce, "failed");
});

test("who asks when it has time is seen, while others are tried or at the end", async () => {
  const states = Object.values(await audit("asks once it has time"));
  assert.deepEqual(states.toSorted(), ["failed", "passed"]);
});

test("an attack listens until its end, and says by which route somebody was sent to us", async () => {
  const attack = async (of: Habit): Promise<[state: string, check: string | undefined, about: string]> => {
    habit = of;
    const { units, broken } = await runAttack({
      contract,
      plan,
      target: new URL(origin),
      root: import.meta.dirname,
      ca: own.ca,
      kinds: ["ssrf"],
      routes: ["GET /api/preview"],
    });
    return [units[0]?.state ?? "", broken[0]?.check, broken[0]?.evidence.about ?? ""];
  };
  assert.deepEqual(await attack("asks nobody"), ["held", undefined, ""]);
  const [state, check, about] = await attack("asks after a second and a half");
  assert.deepEqual([state, check], ["broken", checks.later]);
  assert.match(about, /^GET \/api\/preview: query url is an address: and somebody asked for it later/);
});
