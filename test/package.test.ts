import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transformSync } from "esbuild";
import type { AuditReport } from "../src/audit/index.ts";
import { findMends } from "../src/audit/mends/mends.ts";
import { mendSettings } from "../src/audit/mends/settings.ts";
import { howToGetNode, nodeTooOld } from "../src/cli/node-version.ts";
import { parseContract } from "../src/contract/index.ts";
import { processTree } from "../src/stack/inspect/process-tree.ts";
import { httpsGet } from "./support/https-get.ts";

type Target = string | Record<string, string>;

interface Manifest {
  name: string;
  engines: { node: string };
  exports: Record<string, Target>;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
const work = mkdtempSync(join(tmpdir(), "curtainwall-package-"));
/** The packed package, as `npm install` leaves it in somebody's project. */
const outside = join(work, "outside");
const installed = join(outside, "node_modules", manifest.name);

after(() => rmSync(work, { recursive: true, force: true }));

before(() => {
  const staging = join(work, "staging");
  copySources(staging);
  plantWhatMustStay(staging);
  run(process.execPath, ["tools/build.ts"], staging);
  const [{ filename } = { filename: "" }] = JSON.parse(
    run("npm", ["pack", "--ignore-scripts", "--offline", "--json", "--pack-destination", work], staging),
  ) as { filename: string }[];
  run("tar", ["-xzf", join(work, filename), "-C", work], work);
  mkdirSync(join(outside, "node_modules"), { recursive: true });
  cpSync(join(work, "package"), installed, { recursive: true });
  linkDependencies();
  writeFileSync(join(outside, "package.json"), '{ "type": "module" }');
});

/** What a clean clone holds, as far as packing could see it. */
function copySources(staging: string): void {
  const names = ["package.json", "tsconfig.json", "tsconfig.build.json", "src", "tools", "test", "examples"];
  for (const name of [...names, "README.md", "SECURITY.md", "LICENSE"]) {
    if (!existsSync(join(root, name))) continue;
    cpSync(join(root, name), join(staging, name), {
      recursive: true,
      filter: (path) => !/[/\\](node_modules|\.curtainwall)$/.test(path),
    });
  }
  symlinkSync(join(root, "node_modules"), join(staging, "node_modules"), "junction");
}

function plantWhatMustStay(staging: string): void {
  for (const path of [
    ".env",
    "src/.env",
    "notes.txt",
    "src/contract/fixtures/secret.json",
    ".curtainwall/key.pem",
  ]) {
    mkdirSync(join(staging, path, ".."), { recursive: true });
    writeFileSync(join(staging, path), "planted");
  }
}

/** Links what the package declares, and nothing else: an undeclared import fails here, as it would elsewhere. */
function linkDependencies(): void {
  const declared = {
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    typescript: "",
    "@types/node": "",
  };
  for (const name of Object.keys(declared)) {
    mkdirSync(join(outside, "node_modules", name, ".."), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(outside, "node_modules", name), "junction");
  }
}

function run(command: string, args: string[], cwd: string): string {
  const path = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path, NODE_OPTIONS: "", npm_config_loglevel: "error" };
  return execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => statSync(join(folder, path)).isFile());

const systemNode = "/usr/bin/node";

/** The version of the system's Node where that is too old for us. */
function oldNode(): string | undefined {
  const { status, stdout } = spawnSync(systemNode, ["-p", "process.versions.node"], { encoding: "utf8" });
  const version = stdout?.trim();
  return status === 0 && nodeTooOld(version) !== undefined ? version : undefined;
}

const subpaths = Object.entries(manifest.exports);

suite("the packed package", () => {
  test("it holds compiled code, its types and its documents, and nothing else", () => {
    const documents = ["LICENSE", "README.md", "SECURITY.md"].filter((name) => existsSync(join(root, name)));
    const files = filesIn(installed);
    const others = files.filter((path) => !/^dist\/.*\.(js|d\.ts)$/.test(path));
    const aboutBundle = ["dist/run/contents.json", "dist/run/licenses.txt"];
    assert.deepEqual(others.sort(), [...documents, ...aboutBundle, "package.json"].sort());
    const strays = files.filter((path) => /\.test\.|\.map$|fixtures|\.env|examples|secret\.json/.test(path));
    assert.deepEqual(strays, []);
  });

  test("every export leads to a file that is there", () => {
    for (const [subpath, target] of subpaths) {
      const { types, default: code } =
        typeof target === "string" ? { types: target, default: target } : target;
      for (const path of [types, code])
        assert.ok(
          path !== undefined && existsSync(join(installed, path)),
          `${subpath} → ${path ?? "nothing"}`,
        );
    }
  });

  test("every export can be imported from another project, with nothing but the declared dependencies", () => {
    const names = subpaths
      .filter(([, target]) => typeof target !== "string")
      .map(([subpath]) => subpath.replace(/^\./, manifest.name));
    const script = names.map((name) => `await import(${JSON.stringify(name)});`).join("\n");
    writeFileSync(join(outside, "import.js"), `${script}\nconsole.log("loaded");`);
    assert.equal(run(process.execPath, ["import.js"], outside), "loaded\n");
  });

  test("a contract that uses it type-checks in a strict project", () => {
    writeFileSync(
      join(outside, "curtainwall.config.ts"),
      `import { defineStack, everyone, none, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://www.bakery.example",
  upstreams: { shop: upstream({ url: "https://shop.internal" }) },
  routes: {
    "POST /api/contact": { access: everyone, limit: "5/min per client", body: z.object({}), response: none, to: "shop" },
  },
});
`,
    );
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", "node"];
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [compiler, ...options, "curtainwall.config.ts"], {
      cwd: outside,
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout);
  });

  test("its command runs and says what it can do", () => {
    const command = manifest.bin.curtainwall ?? "";
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(installed, command), "--help"], {
      cwd: outside,
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    assert.equal(stderr, "");
    assert.equal(status, 0);
    for (const word of ["curtainwall", "build", "start", "audit"]) assert.ok(stdout.includes(word), stdout);
    assert.match(readFileSync(join(installed, command), "utf8"), /^#!\/usr\/bin\/env node\n/);
  });

  test("on a Node that is too old its command says which it needs and how to get it, whatever is asked of it", (context) => {
    const command = join(installed, manifest.bin.curtainwall ?? "");
    // Node 12 has `import()`, but neither waits outside of functions nor reads `?.`.
    for (const path of [command, join(command, "../node-version.js")])
      transformSync(readFileSync(path, "utf8"), { target: "node12.22", format: "esm", logLevel: "silent" });
    const needs = `Curtainwall needs Node ${manifest.engines.node.replace(">=", "")} or later; this is `;
    for (const version of ["12.22.12", "20.20.2", "24.11.1"])
      assert.equal(nodeTooOld(version), `${needs}${version}`);
    for (const version of ["24.12.0", "25.0.0", "26.10.0"]) assert.equal(nodeTooOld(version), undefined);
    const version = oldNode();
    if (version === undefined) return context.diagnostic(`there is no older Node at ${systemNode}`);
    for (const parameters of [["--version"], ["build"], ["secret", "list"]]) {
      const { status, stdout, stderr } = spawnSync(systemNode, [command, ...parameters], {
        cwd: outside,
        encoding: "utf8",
        env: { ...process.env, NODE_OPTIONS: "" },
      });
      assert.deepEqual(
        { status, stdout, stderr },
        { status: 1, stdout: "", stderr: `CLI_PART_MISSING  ${needs}${version}\n→ ${howToGetNode}\n` },
      );
    }
  });

  test("its command builds a site from the bundle, with one copy of what contracts and templates import", () => {
    const { status, stderr, loaded } = buildSite();
    assert.equal(status, 0, stderr);
    assert.ok(loaded.includes("run/cli-main.contract-index.js"), loaded.join("\n"));
    assert.deepEqual(
      loaded.filter((path) => /^(?:contract|site|shared)\//.test(path)),
      [],
    );
    const releases = filesIn(join(outside, "site/.curtainwall/edge/releases"));
    assert.ok(
      releases.some((path) => path.endsWith(".release")),
      releases.join("\n"),
    );
  });

  test("what a contract has done wrong is told in the command's words, bundled or not", () => {
    for (const environment of [{}, { CURTAINWALL_PLAIN: "1" }]) {
      const { status, stderr } = buildSite({
        config: contract.replace("templates:", "tempaltes:"),
        environment,
      });
      assert.equal(status, 1);
      assert.match(stderr, /^CONTRACT_[^]*Did you mean "templates"\?/);
    }
  });

  test("a site with a secret and a function is built and starts: each domain has its bundle, and the function answers without the key", async () => {
    const site = join(outside, "functions-site");
    writeFiles(site, {
      "curtainwall.config.ts": contractWithFunction,
      "functions/quotes.ts": `import { defineFunction } from "curtainwall/functions";
export default defineFunction(async () => {
  const { status } = await fetch("https://localhost:9/quotes");
  return { status, seen: JSON.stringify(globalThis.process?.env ?? {}) };
});
`,
    });
    const command = join(installed, manifest.bin.curtainwall ?? "");
    const options = { cwd: site, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } } as const;
    const told = (parameters: string[], input = ""): string => {
      const { status, stderr } = spawnSync(process.execPath, [command, ...parameters], { ...options, input });
      assert.equal(status, 0, stderr);
      return stderr;
    };
    told(["secret", "set", "DELIVERY_KEY"], "walnut-otter-lamp-kestrel-9-31");
    assert.match(told(["build"]), /^function quotes: /m);
    const stack = spawn(process.execPath, [command, "start"], {
      cwd: site,
      env: options.env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    try {
      let words = "";
      for await (const part of stack.stderr) {
        words += String(part);
        if (/^serving .*\n/m.test(words)) break;
      }
      const port = Number(/^serving https:\/\/localhost:(\d+)/m.exec(words)?.[1]);
      const { status, body } = await httpsGet({
        host: "127.0.0.1",
        port,
        name: "localhost",
        path: "/api/quote",
      });
      assert.equal(status, 200, `${body}\n${words}`);
      // Nobody listens there: egress answers for the service, and the function was given no variable.
      assert.deepEqual(JSON.parse(body), { status: 502, seen: "{}" });
      const programs = processTree(stack.pid ?? 0).flatMap(({ command: [, ...parameters] }) => parameters);
      for (const domain of ["edge", "ledger", "vault", "egress", "functions"]) {
        assert.ok(programs.includes(join(installed, `dist/stack/domains/${domain}.js`)), domain);
        assert.ok(existsSync(join(installed, `dist/run/stack-domains-${domain}.js`)), domain);
      }
    } finally {
      const ended = once(stack, "exit");
      stack.kill("SIGTERM");
      await ended;
    }
  });

  for (const framework of ["express", "fastify", "node"])
    test(`mends for ${framework} are printed as they are written in the sources`, async () => {
      const { mends = [], rows } = await auditBadSite(framework);
      const [{ framework: name, because } = { framework: undefined, because: "" }] = mends;
      assert.ok(name !== undefined, "there are mends");
      assert.ok(mends.some(({ code }) => code.includes("import.meta.url")));
      const settings = mendSettings(parseContract(await contractOfBadSite()));
      assert.deepEqual(mends, findMends(rows, [{ name, because }], settings));
    });

  test("without workerd a site with functions is told what to install", () => {
    const place = join(outside, "node_modules/workerd");
    rmSync(place);
    // Of a function that has not changed nothing is started.
    rmSync(join(outside, "functions-site/.curtainwall/functions"), { recursive: true });
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(installed, manifest.bin.curtainwall ?? ""), "build"],
      { cwd: join(outside, "functions-site"), encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } },
    );
    symlinkSync(join(root, "node_modules/workerd"), place, "junction");
    assert.equal(status, 1);
    assert.match(stderr, /^FUNCTIONS_ENGINE_MISSING [^]*npm install workerd/);
  });

  test("where another version of a package lies, the plain modules run and use it; so they do on demand", () => {
    const contents = JSON.parse(readFileSync(join(installed, "dist/run/contents.json"), "utf8")) as Record<
      string,
      { from: Record<string, number> }
    >;
    const plain = ({ loaded, status, stderr }: Built): void => {
      assert.equal(status, 0, stderr);
      assert.ok(loaded.includes("contract/parse.js"), loaded.join("\n"));
      // What the command begins with has no package in it.
      const sources = loaded
        .filter((path) => path.startsWith("run/"))
        .flatMap((path) => Object.keys(contents[path.slice("run/".length)]?.from ?? {}));
      assert.deepEqual(
        sources.filter((path) => !/^src\/(?:cli|shared)\//.test(path)),
        [],
      );
    };
    plain(buildSite({ environment: { CURTAINWALL_PLAIN: "1" } }));
    const place = join(outside, "node_modules/yaml");
    rmSync(place);
    cpSync(join(root, "node_modules/yaml"), place, { recursive: true });
    const file = join(place, "package.json");
    const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
    writeFileSync(file, readFileSync(file, "utf8").replace(version, "999.0.0"));
    plain(buildSite());
    // The bundle's beginning and the plain rest have one kind of error between them.
    assert.match(buildSite({ config: "export default 1;" }).stderr, /^[A-Z]+_\w+ /);
    writeFileSync(file, readFileSync(file, "utf8").replace("999.0.0", version));
    assert.ok(buildSite().loaded.includes("run/cli-main.contract-index.js"));
  });
});

const contract = `import { defineStack } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://www.bakery.example",
  site: { content: "content", templates: "templates", collections: { pages: z.object({ title: z.string() }) } },
});
`;

const badSite = (
  curtainwall: string,
): string => `import { defineStack, everyone, upstream } from "${curtainwall}";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost:8443",
  upstreams: { shop: upstream({ url: "https://localhost:8444" }) },
  routes: {
    "GET /api/films": {
      access: everyone, limit: "5/min per client", response: z.object({ titles: z.array(z.string()) }), to: "shop",
    },
  },
});
`;

/** The contract as the sources read it. */
async function contractOfBadSite(): Promise<unknown> {
  const sources = pathToFileURL(join(root, "src/contract/index.ts")).href;
  writeFiles(outside, { "bad-site.ts": badSite(sources) });
  return ((await import(pathToFileURL(join(outside, "bad-site.ts")).href)) as { default: unknown }).default;
}

/** Holds a server that answers everything alike to a contract, with the installed command. */
async function auditBadSite(framework: string): Promise<AuditReport> {
  const folder = join(outside, `bad-${framework}`);
  const program = framework === "node" ? { scripts: { start: "node server.js" } } : {};
  writeFiles(folder, {
    "package.json": JSON.stringify({ type: "module", dependencies: { [framework]: "1" }, ...program }),
    "curtainwall.config.ts": badSite(manifest.name),
  });
  const server = createServer((_, response) => response.end("KEY=walnut"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const command = join(installed, manifest.bin.curtainwall ?? "");
    const rows = ["--only", "SEC-2,FE-4,API-5,API-8"];
    const audit = spawn(
      process.execPath,
      [command, "audit", folder, `http://127.0.0.1:${port}`, ...rows, "--json"],
      { cwd: folder, env: { ...process.env, NODE_OPTIONS: "" }, stdio: ["ignore", "pipe", "ignore"] },
    );
    return JSON.parse(await text(audit.stdout)) as AuditReport;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const contractWithFunction = `import { bearer, defineStack, everyone, fn, secret } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 1 },
  functions: { quotes: {} },
  secrets: { DELIVERY_KEY: secret({ use: "GET https://localhost:9/quotes", by: fn("quotes"), inject: bearer() }) },
  routes: {
    "GET /api/quote": {
      access: everyone, limit: "60/min per client",
      response: z.object({ status: z.int(), seen: z.string() }), to: fn("quotes"),
    },
  },
});
`;

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

interface Built {
  status: number | null;
  stderr: string;
  /** What the command's own process loaded of the package, from its `dist/` on. */
  loaded: string[];
}

/** Builds a small site with the installed command. */
function buildSite({
  config = contract,
  environment = {},
}: { config?: string; environment?: Record<string, string> } = {}): Built {
  const site = join(outside, "site");
  const files = {
    "curtainwall.config.ts": config,
    "content/pages/index.md": "---\ntitle: Home\n---\nBread.\n",
    "templates/pages.tsx": `import { Content } from "curtainwall/template";
export const page = ({ entry }) => <html lang="en"><head><title>{entry.data.title}</title></head><body><Content of={entry} /></body></html>;
`,
    "../trace.mjs": `import { registerHooks } from "node:module";
import { appendFileSync } from "node:fs";
registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(join(outside, "loaded"))}, url + "\\n"); return next(url, context); } });
`,
  };
  writeFiles(site, files);
  writeFileSync(join(outside, "loaded"), "");
  // A build that changed nothing would load nothing.
  rmSync(join(site, ".curtainwall"), { recursive: true, force: true });
  const command = join(installed, manifest.bin.curtainwall ?? "");
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--import", join(outside, "trace.mjs"), command, "build"],
    { cwd: site, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "", ...environment } },
  );
  const own = `/${manifest.name}/dist/`;
  const loaded = readFileSync(join(outside, "loaded"), "utf8")
    .split("\n")
    .filter((url) => url.includes(own))
    .map((url) => url.slice(url.indexOf(own) + own.length));
  return { status, stderr, loaded };
}
