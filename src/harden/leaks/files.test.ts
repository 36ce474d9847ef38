import assert from "node:assert/strict";
import { deflateSync, gzipSync } from "node:zlib";
import { suite, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { unpack } from "../node/unpack.ts";
import { makeZip } from "./fixtures/make-zip.ts";
import { createLeakGate } from "./gate.ts";
import { serverOnlyMarker } from "./server-only.ts";
import type { LeakGateOptions, LeakHit } from "./types.ts";

const encoder = new TextEncoder();

function inspect(
  path: string,
  content: string | Uint8Array = "x",
  options: Partial<LeakGateOptions> = {},
): LeakHit[] {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  return createLeakGate({ unpack, ...options }).inspect({ path, bytes });
}
const rules = (hits: readonly LeakHit[]): string[] => hits.map(({ rule }) => rule);

suite("files that are private by their name", () => {
  const named: Record<string, string[]> = {
    "private-file": [
      ".env",
      ".env.production",
      "api/.env.local",
      "prod.env",
      ".envrc",
      ".git/config",
      "a/.git/HEAD",
      ".svn/entries",
      "id_rsa",
      "keys/id_ed25519",
      "server.pem",
      "tls/site.key",
      "a.p12",
      ".npmrc",
      ".htpasswd",
      ".aws/credentials",
      "infra.tfstate",
      "node_modules/a/index.js",
      ".curtainwall/edge/assertion.key.json",
      ".ENV",
    ],
    database: ["data.sqlite", "app.db", "app.db-wal", "dump.sql", "site.sql.gz"],
    "editor-litter": [
      "index.html~",
      ".index.html.swp",
      "index.html.bak",
      "#a.md#",
      "a.orig",
      ".DS_Store",
      ".idea/x.xml",
    ],
  };
  for (const [rule, paths] of Object.entries(named))
    for (const path of paths)
      test(`${path} is ${rule}`, () => assert.ok(rules(inspect(path)).includes(rule)));

  for (const path of [
    "index.html",
    "environment.html",
    "assets/key.svg",
    "monkey.png",
    "git/index.html",
    "docs/.well-known/security.txt",
    "database.html",
    "schema.sql",
    "env/index.html",
    "a.map.html",
  ])
    test(`${path} may leave`, () => assert.deepEqual(inspect(path), []));

  test("a member of an archive too", () => {
    const [hit] = inspect("source.zip", makeZip([{ name: "app/.env", bytes: encoder.encode("A=1") }]));
    assert.deepEqual([hit?.rule, hit?.member], ["private-file", "app/.env"]);
  });
});

suite("files that are private by what they hold", () => {
  test("a SQLite database under another name", () => {
    assert.deepEqual(rules(inspect("data.bin", "SQLite format 3\0 and so on")), ["database"]);
  });
  test("a git object, a pack and an index", () => {
    assert.deepEqual(rules(inspect("9f/2c41d0", deflateSync("blob 5\0hello"))), ["git-object"]);
    assert.deepEqual(rules(inspect("a.bin", "PACK\0\0\0\u0002....")), ["git-object"]);
    assert.deepEqual(rules(inspect("b.bin", "DIRC\0\0\0\u0002....")), ["git-object"]);
  });
});

const map = JSON.stringify({
  version: 3,
  sources: ["../src/secret.ts"],
  names: [],
  mappings: "AAAA",
  sourcesContent: ["x"],
});

suite("source maps", () => {
  test("are private, under any name, packed, and inside a file", () => {
    for (const [path, content] of [
      ["a.js.map", map],
      ["a.json", map],
      ["a.js.map.gz", gzipSync(map)],
      ["a.css.map", "{}"],
    ] as const)
      assert.ok(rules(inspect(path, content)).includes("source-map"), path);
    const inline = `x()\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString("base64")}`;
    assert.deepEqual(rules(inspect("a.js", inline)), ["source-map"]);
  });
  test("may leave when the contract says so, and a text about them always", () => {
    assert.deepEqual(inspect("js/a.js.map", map, { publicSourceMaps: ["js/*.map"] }), []);
    assert.deepEqual(
      inspect("a.html", "Write <code>//# sourceMappingURL=data:application/json;base64,…</code>"),
      [],
    );
    assert.deepEqual(inspect("a.js", "x()\n//# sourceMappingURL=a.js.map"), []);
    assert.deepEqual(inspect("town.map", "a map of the town"), []);
  });
});

suite("server-only modules", () => {
  const marker = new URL("../server-only.ts", import.meta.url).pathname;
  const bundle = async (entry: string): Promise<Uint8Array> => {
    const { outputFiles } = await build({
      stdin: { contents: entry, resolveDir: "/" },
      bundle: true,
      minify: true,
      treeShaking: true,
      format: "esm",
      write: false,
      plugins: [
        {
          name: "files",
          setup(bundler) {
            bundler.onResolve({ filter: /^server$/ }, () => ({ path: "server", namespace: "made" }));
            bundler.onResolve({ filter: /^curtainwall\/server-only$/ }, () => ({ path: marker }));
            bundler.onLoad({ filter: /.*/, namespace: "made" }, () => ({
              contents: 'import "curtainwall/server-only";\nexport const query = () => "SELECT";',
            }));
          },
        },
      ],
    });
    return outputFiles[0]?.contents ?? assert.fail();
  };
  test("are found in a minified bundle, also when nothing else is left of them", async () => {
    const used = await bundle('import { query } from "server"; document.title = query();');
    const unused = await bundle('import { query } from "server"; document.title = "x";');
    assert.deepEqual(rules(inspect("a.js", used)), ["server-only"]);
    assert.deepEqual(rules(inspect("a.js", unused)), ["server-only"]);
  });
  test("load on a server, and throw in a browser", async () => {
    await import("../server-only.ts");
    assert.equal(Reflect.get(globalThis, Symbol.for("curtainwall.server-only")), serverOnlyMarker);
    const code = new TextDecoder().decode(
      await bundle('import "curtainwall/server-only"; globalThis.loaded = 1;'),
    );
    const browser = createContext({ document: {} });
    assert.throws(() => runInContext(code, browser), /must stay on the server/);
  });
  test("a bundle without one passes", async () => {
    assert.deepEqual(inspect("a.js", await bundle('document.title = "server-only";')), []);
  });
});

suite("paths of the machine that builds", () => {
  const buildRoots = ["/srv/builds/site-42", "/home/dana", "C:\\Users\\dana\\site", "/app"];
  const leaks = [
    "at render (/srv/builds/site-42/src/a.ts:3:1)",
    '"file:///srv/builds/site-42/src/a.ts"',
    '"\\/srv\\/builds\\/site-42\\/src"',
    "file%3A%2F%2F%2Fsrv%2Fbuilds%2Fsite-42%2Fa",
    'sources:["C:\\\\Users\\\\dana\\\\site\\\\a.ts"]',
    "file:///C:/Users/dana/site/a.ts",
    "/home/dana/.cache/x",
    "file:///app/src/a.ts",
  ];
  for (const text of leaks)
    test(`${text} is a hit`, () =>
      assert.deepEqual(rules(inspect("a.js", text, { buildRoots })), ["build-path"]));
  for (const text of [
    "https://site.example/home/dana/",
    "/srv/builds/site-421/",
    "/app/login",
    "see /home/user/x and /Users/name/y",
  ])
    test(`${text} is nothing`, () => assert.deepEqual(inspect("a.js", text, { buildRoots }), []));
  test("a name that only begins like one of this machine is another's", () => {
    assert.deepEqual(rules(inspect("a.js", "/home/danae/x", { buildRoots })), ["foreign-path"]);
  });
  test("another machine's is a note", () => {
    const [hit] = inspect("a.js", 'from "/Users/kim/work/pkg/index.js"', { buildRoots });
    assert.deepEqual([hit?.level, hit?.rule, hit?.excerpt], ["note", "foreign-path", "/Users/kim"]);
  });
  test("a folder that is too short to be told from an address is listed", () => {
    assert.deepEqual(
      createLeakGate({ unpack, buildRoots }).notSearched.map(({ name }) => name),
      ["the folder /app"],
    );
  });
});

suite("names of public variables", () => {
  const publicNames = ["VITE_SHOP_URL"];
  test("one that publicEnv does not declare is a hit", () => {
    assert.deepEqual(
      rules(inspect("a.js", 'const e={VITE_SHOP_URL:"x",VITE_ADMIN_KEY:"y"}', { publicNames })),
      ["public-name-undeclared"],
    );
    assert.deepEqual(rules(inspect("a.js", "process.env.NEXT_PUBLIC_TOKEN", { publicNames })), [
      "public-name-undeclared",
    ]);
  });
  test("declared ones pass, and so does everything where nothing is declared", () => {
    assert.deepEqual(
      inspect("a.js", "import.meta.env.VITE_SHOP_URL; INVITE_CODE; VITE_; IS_PUBLIC_X", { publicNames }),
      [],
    );
    assert.deepEqual(inspect("a.js", "VITE_ADMIN_KEY"), []);
  });
});

suite("exceptions", () => {
  const allow = [
    { rule: "private-file", path: "keys/*.pem", reason: "public certificates", expires: "2026-12-31" },
  ];
  const gateAt = (time: string) => createLeakGate({ unpack, allow, now: () => new Date(time) });
  const file = { path: "keys/ca.pem", bytes: encoder.encode("x") };

  test("one that counts lets its rule pass, in its files only, to the end of its last day", () => {
    const gate = gateAt("2026-12-31T23:59:59Z");
    assert.deepEqual(gate.inspect(file), []);
    assert.deepEqual(rules(gate.inspect({ ...file, path: "keys/sub/ca.pem" })), ["private-file"]);
    assert.deepEqual(
      rules(gate.inspect({ path: "keys/ca.pem", bytes: encoder.encode("SQLite format 3\0") })),
      ["database"],
    );
    assert.deepEqual(gate.finish(), []);
  });

  test("one that expired fails, and lets nothing pass", () => {
    const gate = gateAt("2027-01-01T00:00:00Z");
    assert.deepEqual(rules(gate.inspect(file)), ["private-file"]);
    const [ended] = gate.finish();
    assert.deepEqual([ended?.level, ended?.rule, ended?.path], ["hit", "exception-expired", "keys/*.pem"]);
  });

  test("one that met nothing is told", () => {
    const [unused] = gateAt("2026-06-01T00:00:00Z").finish();
    assert.deepEqual([unused?.level, unused?.rule], ["note", "exception-unused"]);
  });
});
