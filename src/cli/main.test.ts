import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { command } from "../../test/support/command.ts";
import { makeProject, packFileOf } from "../../test/support/project.ts";

const entry = fileURLToPath(new URL("./main.ts", import.meta.url));

function curtainwall(...args: string[]): { code: number | null; out: string; words: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, ...args], { encoding: "utf8" });
  return { code: status, out: stdout, words: stderr };
}

const config = `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  routes: { "GET /api/x/:id": { access: everyone, limit: "5/min per client", params: { id: z.uuid() }, response: z.object({}), to: "shop" } },
});`;

test("help goes to stdout, misuse to stderr with exit code 2 and the usage line", () => {
  assert.match(curtainwall("--help").out, /curtainwall <command>/);
  assert.match(curtainwall("build", "--help").out, /Usage: curtainwall build \[folder\]/);
  assert.match(curtainwall("--version").out, /^\d+\.\d+\.\d+/);
  for (const [args, words] of [
    [
      ["biuld"],
      /^CLI_USAGE_INVALID {2}There is no command "biuld"\.\n→ Did you mean {2}curtainwall build\? .*\n$/,
    ],
    [["--versoin"], /no option "--versoin"\.\n→ Did you mean {2}curtainwall --version\?/],
    [
      ["weather"],
      /^CLI_USAGE_INVALID {2}There is no command "weather"\.\n→ All commands: {2}curtainwall --help\n$/,
    ],
    [
      ["build", "--jsn"],
      /Unknown option '--jsn'\.\n→ Did you mean {2}--json\? {2}More: {2}curtainwall build --help\n$/,
    ],
    [["audit", "--htlm", "x"], /Did you mean {2}--html\?/],
    [["build", "--weather"], /Unknown option '--weather'\.\n.*Usage: curtainwall build/],
    [["build", "--time-limit", "soon"], /takes a time from 1s to 24h, like 60s .*, not "soon"/],
    [["release", "lsit"], /no "release lsit"\.\n→ Did you mean {2}curtainwall release list\?/],
    [["log", "verfy"], /no "log verfy"\.\n→ Did you mean {2}curtainwall log verify\?/],
    [["key", "relase"], /Did you mean {2}curtainwall key release\?/],
    [["api-key", "crate"], /Did you mean {2}curtainwall api-key create\?/],
    [["contract", "imprt"], /Did you mean {2}curtainwall contract import\?/],
    [["csp", "laern", "dist"], /no "csp laern"\.\n→ Did you mean {2}curtainwall csp learn\?/],
    [["harden", "src", "--for", "ngnix"], /no host that it knows: nginx, .*\n→ Did you mean {2}nginx\?/],
    [["emit", "--for", "cady"], /Did you mean {2}caddy\?/],
    [["secret", "sett", "A"], /There is no such action\.\n→ Did you mean {2}curtainwall secret set\?/],
    [["secret", "lst", "hunter2hunter2"], /^(?!.*hunter2)/s],
    [["build", "a", "b"], /"b" is one argument too many/],
    [["audit", "--html", "a", "--html", "b"], /--html is given twice/],
    [["explain", "examples"], /Name a route/],
    [["csp"], /curtainwall csp learn dist/],
    [["csp", "learn", "dist", "--pages", "0"], /--pages must be a whole number/],
    [["csp", "learn", "dist", "--script", "none.ts"], /There is no file none\.ts/],
    [["audit", "https://"], /is no address/],
    [["audit", ".", "www.client.example"], /neither a folder nor an address.*\n→ Usage:/],
    ...["audit", "attack", "start", "build", "leaks"].map(
      (name) => [[name, "examples/bakary"], /\n→ Did you mean {2}examples\/bakery\?/] as const,
    ),
    [["prove", "exampels/bakery", "--out", "x"], /\n→ Did you mean {2}examples\/bakery\?/],
    [["prove", "--verify", "examples/bakary"], /\n→ Did you mean {2}examples\/bakery\?/],
  ] as const) {
    const result = curtainwall(...args);
    assert.equal(result.code, 2, args.join(" "));
    assert.equal(result.out, "");
    assert.match(result.words, words);
  }
});

test("a build where there is no contract leaves nothing behind", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cw-main-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { code, words } = curtainwall("build", folder);
  assert.equal(code, 2);
  assert.match(words, /^STACK_CONFIG_MISSING/);
  assert.deepEqual(readdirSync(folder), []);
});

test("a package that is not installed is named, with what installs it, and no stack is shown", () => {
  // As if zod were gone: Node looks for a name that no package has.
  const hook = `import { registerHooks } from "node:module";
registerHooks({ resolve: (name, context, next) => next(name === "zod" ? "zod-that-is-gone" : name, context) });`;
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      "--conditions=curtainwall-source",
      "--import",
      `data:text/javascript,${encodeURIComponent(hook)}`,
      entry,
      "build",
      dirname(entry),
    ],
    { encoding: "utf8" },
  );
  assert.equal(status, 1);
  assert.equal(
    stderr,
    "CLI_PART_MISSING  The package zod-that-is-gone is not installed.\n→ Install what the project depends on:  npm ci\n",
  );
});

test("explain prints a route's checks in order, for people and as JSON; a route that does not exist names those that do", async () => {
  const project = await makeProject({ config });
  const text = curtainwall("explain", "GET /api/x/:id", project.root).out;
  assert.deepEqual(
    [...text.matchAll(/^ +\d+ {2}(\w[\w ]*?) {2}/gm)].map((match) => match[1]),
    [
      "path",
      "method",
      "origin",
      "load",
      "limit by client",
      "access",
      "parameters",
      "query",
      "body",
      "upstream",
      "answer",
    ],
  );
  const json = JSON.parse(curtainwall("explain", "GET /api/x/:id", project.root, "--json").out) as {
    steps: { check: string; otherwise: string; declared?: string }[];
  };
  const access = json.steps.find(({ check }) => check === "access");
  const line = Number(/^curtainwall\.config\.ts:(\d+)$/.exec(access?.declared ?? "")?.[1]);
  assert.match(config.split("\n")[line - 1] ?? "", /access:/);
  assert.match(
    json.steps.find(({ check }) => check === "query")?.otherwise ?? "",
    /400 GATEWAY_INPUT_INVALID/,
  );
  const unknown = curtainwall("explain", "GET /api/y", project.root);
  assert.match(unknown.words, /Routes: GET \/api\/x\/:id/);
  assert.equal(unknown.code, 2);
  project.remove();
});

test("explain takes a request as a visitor sends it, and suggests the route that was probably meant", async () => {
  const project = await makeProject({ config });
  const explain = (request: string): ReturnType<typeof curtainwall> =>
    curtainwall("explain", request, project.root);
  for (const request of ["GET /api/x/rye", "get /api/x/rye?size=2", "GET /api/x/%C3%A9t%C3%A9"])
    assert.match(explain(request).out, /^GET \/api\/x\/:id {3}curtainwall\.config\.ts:\d+\n/, request);
  assert.match(
    curtainwall("explain", project.root, "GET /api/x/rye").out,
    /^GET \/api\/x\/:id {3}/,
    "folder first",
  );
  assert.match(curtainwall("explain", project.root, "elsewhere").words, /Name a route/);
  assert.match(explain("GET /api/xx/:id").words, /Did you mean "GET \/api\/x\/:id"\?/);
  assert.match(explain("GET /api/rye/7").words, /Did you mean "GET \/api\/x\/:id"\?|Routes:/);
  assert.match(explain("POST /api/x/rye").words, /There is {2}GET \/api\/x\/:id/);
  assert.match(explain("GET /api/x/rye/").words, /no route for "GET \/api\/x\/rye\/"/, "to the letter");
  project.remove();
});

test("a command that a hint names works where one stands", async (t) => {
  const project = await makeProject({ config });
  t.after(() => project.remove());
  rmSync(join(project.root, ".curtainwall", "edge", "releases"), { recursive: true });
  const place = relative(process.cwd(), project.root);
  assert.match(
    curtainwall("release", "list", project.root).words,
    new RegExp(`no release yet: {2}npx curtainwall build ${place}\\n`),
  );
  assert.match(
    curtainwall("release", "rollback", project.root).words,
    new RegExp(`npx curtainwall release list ${place}\\n`),
  );
});

test("a failed build leaves the release of the one before untouched, and nothing half-written", async () => {
  const site = 'site: { content: "none", templates: "none", collections: {} }, upstreams:';
  const project = await makeProject({ config: config.replace("upstreams:", site) });
  const packFile = packFileOf(project.root);
  const before = readFileSync(packFile);
  const names = readdirSync(dirname(packFile));
  const failed = curtainwall("build", project.root);
  assert.equal(failed.code, 1);
  assert.match(failed.words, /^SITE_FOLDER_MISSING {2}.+\n→ .+/);
  assert.deepEqual(readFileSync(packFile), before);
  assert.deepEqual(readdirSync(dirname(packFile)), names);
  project.remove();
});

test("openapi prints the API's description", async () => {
  const project = await makeProject({ config });
  const printed = curtainwall("openapi", project.root).out;
  assert.equal(curtainwall("openapi", project.root, "--json").out, printed);
  const document = JSON.parse(printed) as { openapi: string; paths: object };
  assert.equal(document.openapi, "3.1.1");
  assert.deepEqual(Object.keys(document.paths), ["/api/x/{id}"]);
  project.remove();
});

test("a disk that is full is said as such, also where stdout leads to one, and no stack is shown", (t) => {
  if (!existsSync("/dev/full")) return t.skip("this system has no /dev/full");
  const full = openSync("/dev/full", "w");
  t.after(() => closeSync(full));
  const { status, stderr } = spawnSync(process.execPath, [...command, "--help"], {
    stdio: ["ignore", full, "pipe"],
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(stderr, /^CLI_DISK_REFUSED {2}.*the disk is full\.\n→ Make room/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});
