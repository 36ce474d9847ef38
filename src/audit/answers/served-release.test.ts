import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRelease, encodeRelease } from "../../contract/index.ts";
import type { Release, ReleaseInput } from "../../contract/index.ts";
import type { AuditContext } from "../context.ts";
import type { ProbeRequest, ProbeResponse } from "../probes/probe.ts";
import { compareServed, describeServed, summariseServed } from "./served-release.ts";
import type { ServedRelease } from "./served-release.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const html: [string, string] = ["content-type", "text/html"];
const files: ReleaseInput[] = [
  { path: "/", headers: [html], bytes: { identity: bytes("<p>Bread"), br: bytes("br"), gzip: bytes("gz") } },
  { path: "/404.html", headers: [html], bytes: { identity: bytes("<p>Not here") } },
  { path: "/de/404.html", headers: [html], bytes: { identity: bytes("<p>Nicht hier") } },
  { path: "/brot & butter.txt", headers: [], bytes: { identity: bytes("rye") } },
];
const build = async (list: ReleaseInput[] = files): Promise<Release> =>
  decodeRelease(await encodeRelease(list, { notFound: "/404.html" }));

interface Answer {
  status?: number;
  body: string;
  encoding?: string;
}

/** Serves the files, but for what is changed. */
function serve(change: (request: ProbeRequest, answer: Answer) => Answer): AuditContext["caller"]["send"] {
  return async (request) => {
    const asked = (request.headers ?? []).find(([name]) => name === "accept-encoding")?.[1] ?? "identity";
    const found = files.find(({ path }) => path === decodeURI(request.path));
    const file = found ?? files[request.path.startsWith("/de/") ? 2 : 1];
    const encoding = asked as "identity" | "br" | "gzip";
    const body = new TextDecoder().decode(file?.bytes[encoding] ?? file?.bytes.identity);
    const answer = change(request, { status: found === undefined ? 404 : 200, body, encoding });
    const response = {
      protocol: "http/1.1",
      status: answer.status ?? 200,
      headers: [],
      body: bytes(answer.body),
      truncated: false,
      durationMs: 1,
      header: (name: string) =>
        name === "content-encoding" && answer.encoding !== "identity" ? answer.encoding : undefined,
      text: () => answer.body,
    } satisfies ProbeResponse;
    return { request, response };
  };
}

function compare(
  release: Release,
  change: (request: ProbeRequest, answer: Answer) => Answer = (_, answer) => answer,
  more: Partial<AuditContext> = {},
): Promise<ServedRelease> {
  const context = {
    caller: { send: serve(change) },
    unreachable: undefined,
    isLoopback: true,
    now: () => 0,
    mark: () => "marked",
    ...more,
  } as AuditContext;
  return compareServed(context, release);
}

test("a release that is served byte for byte, in every encoding, is the one that was built", async () => {
  const release = await build();
  const asked: string[] = [];
  const served = await compare(release, ({ path, headers = [] }, answer) => {
    asked.push(`${path} ${headers[0]?.[1]}`);
    return answer;
  });
  assert.deepEqual(summariseServed(served), { served: "as built", compared: 4, of: 4 });
  assert.deepEqual(asked, [
    "/ identity",
    "/ br",
    "/ gzip",
    "/marked/ identity",
    "/brot%20&%20butter.txt identity",
    "/de/marked/ identity",
  ]);
  assert.match(describeServed(served, release), /^release [0-9a-f]{12}, served as it was built$/);
});

/** Ways to serve something else, and what is said of each. */
const others: readonly (readonly [
  name: string,
  change: (request: ProbeRequest, answer: Answer) => Answer,
  says: RegExp,
])[] = [
  [
    "another page",
    ({ path }, answer) => (path === "/" ? { ...answer, body: "<p>Old bread" } : answer),
    /^\/ \(identity\): other bytes/,
  ],
  [
    "other bytes to those who take brotli",
    (_, answer) => (answer.encoding === "br" ? { ...answer, body: "evil" } : answer),
    /^\/ \(br\): other bytes/,
  ],
  [
    "a status that is no 200",
    ({ path }, answer) => (path.startsWith("/brot") ? { ...answer, status: 404 } : answer),
    /answered 404, not 200/,
  ],
  [
    "200 to everything",
    (_, answer) => ({ ...answer, status: 200 }),
    /^\/404\.html \(identity\): answered 200, not 404/,
  ],
  [
    "one 404 page to all languages",
    ({ path }, answer) => (path.startsWith("/de/") ? { ...answer, body: "<p>Not here" } : answer),
    /^\/de\/404\.html \(identity\): other bytes/,
  ],
  [
    "an encoding that was not asked for",
    (_, answer) => ({ ...answer, encoding: "gzip" }),
    /^\/ \(identity\): sent as gzip/,
  ],
];

for (const [name, change, says] of others)
  test(`a target that serves ${name} serves another release`, async () => {
    const release = await build();
    const served = await compare(release, change);
    const { served: verdict, reason } = summariseServed(served);
    assert.equal(verdict, "differs");
    assert.match(reason ?? "", says);
    assert.match(describeServed(served, release), /^another release than the folder's [0-9a-f]{12}$/);
  });

test("identity instead of what was asked for is a server's right", async () => {
  const plain = await compare(await build(), ({ path }, answer) =>
    path === "/" ? { status: 200, body: "<p>Bread", encoding: "identity" } : answer,
  );
  assert.equal(summariseServed(plain).served, "as built");
});

test("an answer that does not come leaves it unknown, and ends the comparison", async () => {
  let asked = 0;
  const served = await compare(await build(), () => {
    asked++;
    throw new Error("lost");
  });
  assert.deepEqual(summariseServed(served), {
    served: "unknown",
    compared: 0,
    of: 4,
    reason: "the check threw: lost",
  });
  assert.equal(asked, 1);
});

test("a target that takes half a minute for them is given up, and one that is silent is not asked", async () => {
  let now = 0;
  const slow = await compare(await build(), (_, answer) => answer, { now: () => (now += 11_000) });
  assert.equal(slow.missing, "comparing took more than 30 s");
  assert.ok(slow.compared < 3);
  const silent = await compare(await build(), () => assert.fail("it was asked"), {
    unreachable: { reason: "nothing answers", isSilent: true },
  });
  assert.equal(summariseServed(silent).served, "unknown");
});

test("elsewhere than on this machine no more than fifty files are asked for, and that is said", async () => {
  const many = Array.from({ length: 60 }, (_, index) => ({
    path: `/${index}.txt`,
    headers: [],
    bytes: { identity: bytes(`${index}`) },
  }));
  const asked = new Set<string>();
  const served = await compare(
    await build([...files, ...many]),
    ({ path }, answer) => {
      asked.add(path);
      const file = many.find((candidate) => candidate.path === path);
      return file === undefined ? answer : { body: new TextDecoder().decode(file.bytes.identity) };
    },
    { isLoopback: false },
  );
  assert.equal(asked.size, 50);
  assert.equal(summariseServed(served).served, "unknown");
  assert.equal(served.missing, "only 50 of 64 files are compared");
});
