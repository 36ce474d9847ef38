import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../contract/index.ts";
import { createControls } from "../attack/control.ts";
import { makeCertificate } from "../fixtures/certificate.ts";
import { openContext } from "./open-context.ts";
import type { OpenContext } from "./open-context.ts";

const own = await makeCertificate();
const root = mkdtempSync(join(tmpdir(), "curtainwall-context-"));
writeFileSync(join(root, "ca.pem"), own.ca);
let connections = 0;
/** What requests are answered, in order; then 200. */
let statuses: number[] = [];
const server = createServer({ ...own, minVersion: "TLSv1.3" }, (_, response) => {
  response.writeHead(statuses.shift() ?? 200, { "content-type": "application/json" }).end('{"ok":true}');
});
server.on("connection", () => connections++);
await new Promise<void>((ready) => server.listen({ host: "localhost", port: 0 }, ready));
const port = (server.address() as AddressInfo).port;
const origin = `https://localhost:${port}` as const;

after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(root, { recursive: true });
});

const contract = parseContract(
  defineStack({
    origin,
    upstreams: { shop: upstream({ url: origin, caFile: "ca.pem" }) },
    edge: { redirectPort: false },
    routes: {
      "GET /api/stock": {
        access: everyone,
        limit: "60/min per client",
        response: z.object({ ok: z.boolean() }),
        to: "shop",
      },
    },
  }),
);

const open = (): Promise<OpenContext> =>
  openContext({
    contract,
    target: new URL(origin),
    ca: own.ca,
    root,
    plan: { samples: { "GET /api/stock": {} } },
  });

test("While somebody is alone nobody else asks an upstream or shakes its hand: an impostor may stand there", async () => {
  const { context, close } = await open();
  try {
    const hop = { host: "localhost", port, ca: own.ca };
    const wire = await context.upstreamWire({ url: new URL(origin), caFile: "ca.pem" });
    const others = await context.alone(async (_, tls) => {
      const before = connections;
      const asked = [wire.send({ method: "GET", path: "/" }), context.tls.connect(hop)];
      await tls.connect(hop);
      await tls.connect(hop);
      assert.equal(connections - before, 2);
      return { asked, before };
    });
    await Promise.all(others.asked);
    assert.equal(connections - others.before, 4);
  } finally {
    await close();
  }
});

test("A route that has its moment is asked honestly once more; one that goes on failing serves nobody", async () => {
  const [route] = contract.routes;
  for (const [failures, served] of [
    [[504], true],
    [[503, 502], false],
  ] as const) {
    const { context, close } = await open();
    try {
      statuses = [...failures];
      const reason = await createControls(context).of({ kind: "access", route });
      assert.equal(reason === undefined, served);
    } finally {
      await close();
    }
  }
});
