// Requests over HTTP/1.1 that two servers could read in two ways, written byte by byte to the real edge: what it answers, and what the
// upstream behind it, by its own parser, saw. A request that is refused must leave nothing behind that would be taken for another one.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { host, openRaw, readToEnd } from "../src/edge/node/test-edge.ts";
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
        // Two that only look are asked at once, so either may be there first; one that changes something keeps its place.
        const lines = upstream.map(asLine);
        const isOrdered = lines.some((line) => line.startsWith("POST"));
        const expected = trick.upstream ?? [];
        assert.deepEqual(isOrdered ? lines : lines.toSorted(), isOrdered ? expected : expected.toSorted());
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

test("a change and a look at it, sent together, are asked in this order, however long the change takes", async (t) => {
  const api = await startGuardedApi(t, routes);
  const answer = api.upstream.answer;
  api.upstream.answer = (request, response, socket) => {
    if (request.method !== "POST") return answer(request, response, socket);
    // As long as it is not answered, nothing else is asked.
    setImmediate(() => {
      assert.equal(api.upstream.seen.length, 1);
      answer(request, response, socket);
    });
  };
  const write = lines(
    "POST /api/write HTTP/1.1",
    `Host: ${host}`,
    "Content-Type: application/json",
    "Content-Length: 12",
    "",
    '{"text":"a"}',
  );
  const read = lines("GET /api/read?n=1 HTTP/1.1", `Host: ${host}`, "Connection: close", "", "");
  const { answers } = await play(api, { name: "", sent: write + read, answers: [] });
  assert.deepEqual(answers, [200, 200]);
  assert.deepEqual(
    api.upstream.seen.map(({ method }) => method),
    ["POST", "GET"],
  );
});

test("of changes sent together so many wait and no more; the answers keep their order", async (t) => {
  const api = await startGuardedApi(t, routes);
  const one = lines("DELETE /api/read HTTP/1.1", `Host: ${host}`, "", "");
  const end = lines("DELETE /api/read HTTP/1.1", `Host: ${host}`, "Connection: close", "", "");
  const { answers } = await play(api, { name: "", sent: one.repeat(40) + end, answers: [] });
  const admitted = answers.filter((status) => status === 200).length;
  assert.deepEqual(answers, [
    ...Array<number>(admitted).fill(200),
    ...Array<number>(answers.length - admitted).fill(503),
  ]);
  assert.ok(admitted >= 33, `${admitted}`);
  assert.equal(api.upstream.seen.length, admitted);
});

const lines = (...all: string[]): string => all.join("\r\n");
