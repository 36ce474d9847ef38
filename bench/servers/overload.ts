import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../src/contract/index.ts";
import { createEdgeServer } from "../../src/edge/index.ts";
import {
  createGateway,
  createLimitMemory,
  createLimitStore,
  createLoadMeter,
} from "../../src/gateway/index.ts";
import type { Destination } from "../../src/gateway/index.ts";
import { threadWorkMs } from "../../src/gateway/node.ts";
import { benchCertificate, host, makeRelease, ready } from "./page.ts";

/**
 * An edge whose API has too little behind it, named on the command line: a service that does eight things at once and takes 100 ms for each
 * (80 a second), or work that takes this thread itself 5 ms. With or without what keeps requests away.
 */

const [what = "", guard = ""] = process.argv.slice(2);
const answer = { kind: "answer", status: 200, value: { id: "1" } } as const;

/** As a service with eight workers: what comes meanwhile waits, in its order. */
function createService(): Destination {
  const queue: (() => void)[] = [];
  let busy = 0;
  const next = (): void => {
    if (busy === 8) return;
    const work = queue.shift();
    if (work === undefined) return;
    busy++;
    work();
  };
  return (_request, done) => {
    queue.push(() =>
      setTimeout(() => {
        busy--;
        done(answer);
        next();
      }, 100),
    );
    next();
  };
}

const work: Destination = (_request, done) => {
  const end = performance.now() + 5;
  while (performance.now() < end);
  done(answer);
};

const { cert, key } = await benchCertificate();
const contract = parseContract(
  defineStack({
    origin: `https://${host}`,
    upstreams: {
      service: upstream({
        url: "https://service.example",
        ...(guard === "guarded" ? { concurrency: 8 } : {}),
      }),
    },
    routes: {
      "GET /api/work": {
        access: everyone,
        limit: "100000000/min per client",
        response: z.object({ id: z.string() }),
        to: "service",
      },
    },
  }),
);
const gateway = createGateway({
  contract,
  destinations: new Map([["service", what === "service" ? createService() : work]]),
  limits: createLimitStore(createLimitMemory()),
  load: guard === "guarded" ? createLoadMeter({ events: () => undefined, workMs: threadWorkMs }) : undefined,
  events: () => undefined,
});
const edge = createEdgeServer({
  release: await makeRelease(),
  origin: contract.origin,
  certificate: { cert, key },
  limits: { maxConnectionsPerAddress: 10_000, maxPendingRequests: 100_000 },
  api: gateway,
});
ready((await edge.listen({ host: "127.0.0.1", port: 0 })).port);
