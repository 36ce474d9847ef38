import assert from "node:assert/strict";
import { test } from "node:test";
import { CurtainwallError } from "../../shared/index.ts";
import type { Contract } from "../contract.ts";
import { defineStack } from "../define.ts";
import { parseContract } from "../parse.ts";

function parse(site: unknown): Contract {
  return parseContract({ ...defineStack({ origin: "https://www.site.example" }), site });
}

function assertRefused(site: unknown, code: string, says: RegExp): void {
  assert.throws(
    () => parse(site),
    (error) => {
      assert.ok(error instanceof CurtainwallError, String(error));
      assert.equal(error.code, code);
      assert.match(`${error.message}\n${error.hint ?? ""}`, says);
      return true;
    },
  );
}

test("a site of another generator needs only the folder; every default is filled in", () => {
  assert.deepEqual(parse({ dist: "dist" }).site, {
    dist: "dist",
    build: undefined,
    learned: undefined,
    insecureEval: undefined,
    allowScripts: [],
  });
  assert.deepEqual(parse({ dist: "./apps/web/dist/", build: "npm run build" }).site, {
    dist: "apps/web/dist",
    build: {
      command: "npm run build",
      reaches: [],
      environment: [],
      timeoutMs: 600_000,
      insecureUnjailedBuild: undefined,
      insecurePrivateAddresses: undefined,
    },
    learned: undefined,
    insecureEval: undefined,
    allowScripts: [],
  });
});

test("all that a build may have is read, and what weakens its jail is listed with its reason", () => {
  const { site, weakenings } = parse({
    dist: "out",
    build: "next build",
    reaches: ["https://api.site.example", "https://cms.site.example:8443", "https://api.site.example"],
    environment: ["SITE_NAME"],
    timeoutMs: 1_800_000,
    insecureUnjailedBuild: "the CI runs in a container",
    insecurePrivateAddresses: "the CMS stands in our network",
    learned: "learned.json",
    insecureEval: "the search compiles its templates",
  });
  assert.deepEqual(site, {
    dist: "out",
    build: {
      command: "next build",
      reaches: ["https://api.site.example", "https://cms.site.example:8443"],
      environment: ["SITE_NAME"],
      timeoutMs: 1_800_000,
      insecureUnjailedBuild: "the CI runs in a container",
      insecurePrivateAddresses: "the CMS stands in our network",
    },
    learned: "learned.json",
    insecureEval: "the search compiles its templates",
    allowScripts: [],
  });
  assert.deepEqual(
    weakenings.map(({ at }) => at),
    ["site.insecureUnjailedBuild", "site.insecurePrivateAddresses", "site.insecureEval"],
  );
});

test("both kinds of sites in one are refused with both forms", () => {
  assertRefused(
    { dist: "dist", content: "content", templates: "templates", collections: {} },
    "CONTRACT_OPTION_INVALID",
    /"content" and "dist".*\n.*dist: "dist", build: "npm run build"/,
  );
});

test("a folder that is not inside the project is refused", () => {
  for (const dist of ["..", "../dist", "dist/../../x", "/srv/www", ".", "./", "C:\\site", "a\\b"])
    assertRefused({ dist }, "CONTRACT_OPTION_INVALID", /a folder inside the project/);
  for (const dist of [".curtainwall/x", "node_modules/site", "apps/web/.git"])
    assertRefused({ dist }, "CONTRACT_OPTION_INVALID", /no site is built there/);
});

test("a misspelt option is answered with the nearest one, in whichever form", () => {
  const cases: [site: unknown, hint: RegExp][] = [
    [{ dits: "dist" }, /"dist"/],
    [{ dist: "dist", biuld: "x" }, /"build"/],
    [{ dist: "dist", build: "x", reach: [] }, /"reaches"/],
    [{ contnt: "content" }, /"content"/],
  ];
  for (const [site, hint] of cases) assertRefused(site, "CONTRACT_OPTION_UNKNOWN", hint);
});

test("what a build may reach is exact origins, what it gets is names of variables", () => {
  const build = { dist: "dist", build: "npm run build" };
  for (const reach of [
    "http://api.example",
    "https://api.example/path",
    "https://*.example",
    "api.example",
    7,
    null,
  ])
    assertRefused({ ...build, reaches: [reach] }, "CONTRACT_OPTION_INVALID", /site\.reaches can't hold/);
  assertRefused({ ...build, reaches: "https://a.example" }, "CONTRACT_OPTION_INVALID", /must be a list/);
  for (const name of ["A=b", "", "A B", 1])
    assertRefused({ ...build, environment: [name] }, "CONTRACT_OPTION_INVALID", /site\.environment can't/);
  assertRefused({ ...build, timeoutMs: 5 }, "CONTRACT_OPTION_INVALID", /from 1000 to/);
  assertRefused({ dist: "dist", build: "  " }, "CONTRACT_OPTION_INVALID", /must be a command/);
  assertRefused(
    { ...build, insecureUnjailedBuild: "yes" },
    "CONTRACT_REASON_MISSING",
    /must say why that is safe/,
  );
});

test("options about a build are refused where there is none", () => {
  assertRefused({ dist: "dist", reaches: [] }, "CONTRACT_OPTION_INVALID", /site\.reaches is about a build/);
});

test("whatever stands there, the answer is an error of ours", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const value of [null, 0, "x", true, [], [null], {}, circular, Symbol("x"), 7n, () => 0])
    for (const name of ["dist", "build", "reaches", "environment", "timeoutMs", "insecureUnjailedBuild"])
      for (const base of [{}, { dist: "dist" }, { dist: "dist", build: "x" }])
        try {
          parse({ ...base, [name]: value });
        } catch (error) {
          assert.ok(error instanceof CurtainwallError, String(error));
        }
});

test("scripts that pages may add are exact addresses with a reason; whole origins are weakenings", () => {
  const { site, weakenings } = parse({
    dist: "dist",
    allowScripts: { "https://tags.example/tags.js": "tag manager" },
    insecureAllowScripts: { "https://parts.example/": "loads its parts by version" },
  });
  assert.deepEqual(site !== undefined && "dist" in site && site.allowScripts, [
    { address: "https://tags.example/tags.js", reason: "tag manager" },
    { address: "https://parts.example/", reason: "loads its parts by version" },
  ]);
  assert.deepEqual(
    weakenings.map(({ reason }) => reason),
    ["loads its parts by version"],
  );
  const refused: [site: object, code: string, says: RegExp][] = [
    [
      { allowScripts: { "https://tags.example/": "why so" } },
      "CONTRACT_OPTION_INVALID",
      /everything below it/,
    ],
    [{ allowScripts: { "https://tags.example/t.js?id=1": "why so" } }, "CONTRACT_OPTION_INVALID", /query/],
    // Chromium compares decoded paths: as a source, /t%2F lets run whatever lies below /t/.
    [
      { allowScripts: { "https://tags.example/t%2F": "why so" } },
      "CONTRACT_OPTION_INVALID",
      /encoded solidus/,
    ],
    [
      { insecureAllowScripts: { "https://tags.example/t%2f": "why so long" } },
      "CONTRACT_OPTION_INVALID",
      /encoded solidus/,
    ],
    [
      { allowScripts: { "http://tags.example/t.js": "why so" } },
      "CONTRACT_OPTION_INVALID",
      /no https address/,
    ],
    [
      { allowScripts: { "https://*.example/t.js": "why so" } },
      "CONTRACT_OPTION_INVALID",
      /no policy can name/,
    ],
    [{ allowScripts: { "https://tags.example/t.js": "" } }, "CONTRACT_REASON_MISSING", /must say why/],
    [{ allowScripts: ["https://tags.example/t.js"] }, "CONTRACT_OPTION_INVALID", /each with a reason/],
    [
      { insecureAllowScripts: { "https://tags.example/t.js": "why so long" } },
      "CONTRACT_OPTION_INVALID",
      /names one script/,
    ],
    [
      { insecureAllowScripts: { "https://tags.example/": "short" } },
      "CONTRACT_REASON_MISSING",
      /must say why/,
    ],
  ];
  for (const [options, code, says] of refused) assertRefused({ dist: "dist", ...options }, code, says);
});
