// Requests over HTTP/1.1 that two servers could read in two ways, written byte by byte to the real edge: what it answers, and what the
// upstream behind it, by its own parser, saw. A request that is refused must leave nothing behind that would be taken for another one.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { openRaw, readToEnd } from "../src/edge/node/test-edge.ts";
import { startGuardedApi } from "./support/guarded-api.ts";
import type { GuardedApi, SeenRequest } from "./support/guarded-api.ts";
import { groups, routes } from "./support/http1-tricks.ts";
import type { Trick } from "./support/http1-tricks.ts";

const readBack = /HTTP\/1\.1 ([0-9]{3})/g;

for (const [group, tricks] of Object.entries(groups)) {
  suite(group, async () => {
    for (const trick of tricks)
      test(trick.name, async (t) => {
        const api = await startGuardedApi(t, routes);
        const { answers, upstream } = await play(api, trick);
        assert.deepEqual(answers, trick.answers);
        // Two requests sent together are asked at once, so either may be there first.
        assert.deepEqual(upstream.map(asLine).toSorted(), (trick.upstream ?? []).toSorted());
        assert.deepEqual(upstream.flatMap(fromClient), []);
        assert.deepEqual(api.upstream.unreadable, []);
      });
  });
}

const asLine = ({ method, target, body }: SeenRequest): string => `${method} ${target} ${body}`;

/** Headers that can only have come from the client. */
const fromClient = ({ headers }: SeenRequest): string[] =>
  headers.filter((name, at) => at % 2 === 0 && !ownHeaders.has(name.toLowerCase()));
const ownHeaders = new Set([
  "host",
  "connection",
  "accept",
  "request-id",
  "curtainwall-assertion",
  "content-type",
  "content-length",
]);

async function play(
  api: GuardedApi,
  { sent }: Trick,
): Promise<{ answers: number[]; upstream: SeenRequest[] }> {
  const socket = await openRaw(api.port);
  const received = readToEnd(socket);
  socket.write(Buffer.from(sent, "latin1"));
  const text = await received;
  const answers = [...text.matchAll(readBack)].map((match) => Number(match[1]));
  return { answers, upstream: api.upstream.seen };
}
