// A site that another generator builds, as the stack's own: built, hardened, signed, served, attacked.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync, symlinkSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { decodeRelease } from "../src/contract/index.ts";
import { openReleaseStore } from "../src/release/node.ts";
import { stackFolders, startStack } from "../src/stack/index.ts";
import type { StackLogEntry } from "../src/stack/index.ts";
import { requires } from "./requires.ts";
import { repository } from "./support/bakery.ts";
import { chromiumFlags } from "./support/chromium.ts";
import {
  contractOf,
  curtainwall,
  freePort,
  makeFolder,
  startGreeter,
  writeFiles,
} from "./support/foreign-project.ts";
import { generatorSites } from "./support/generators.ts";
import type { Generator } from "./support/generators.ts";
import { httpsGet } from "./support/https-get.ts";
import type { HttpsAnswer } from "./support/https-get.ts";

const jail = requires("bwrap");
const sites = await generatorSites();
const { path: executablePath, skip: noBrowser } = requires("chromium");
const skip = jail.skip || noBrowser;

let browser: Browser;
before(async () => {
  if (skip === false) browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });
});
after(() => browser?.close());

interface Served {
  readonly origin: string;
  get(path: string, headers?: Record<string, string>): Promise<HttpsAnswer>;
  /** Resolves when the edge has taken the release with this number. */
  serves(sequence: number): Promise<void>;
}

async function serve(context: TestContext, root: string, port: number): Promise<Served> {
  const log: StackLogEntry[] = [];
  const listeners = new Set<() => void>();
  const stack = await startStack({
    path: root,
    log: (entry) => {
      log.push(entry);
      for (const listener of listeners) listener();
    },
  });
  context.after(() => stack.close());
  const host = `localhost:${port}`;
  return {
    origin: `https://${host}`,
    get: (path, headers = {}) =>
      httpsGet({ host: "127.0.0.1", port, name: "localhost", path, headers: { host, ...headers } }),
    serves: (sequence) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!log.some(({ message }) => message.startsWith(`release ${sequence} `))) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      }),
  };
}

/** Opens a page, does what a visitor does, and returns what the policy stopped or the page's own scripts complained of. */
async function visit(url: string, act: (page: Page) => Promise<void>): Promise<string[]> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      const text = message.text();
      if (text.includes("The policy is report-only")) return;
      if (/Content Security Policy|^violated /.test(text)) complaints.push(text);
    });
    await page.addInitScript(() =>
      document.addEventListener("securitypolicyviolation", (event) => {
        if (event.disposition === "enforce")
          console.log(`violated ${event.violatedDirective} ${event.blockedURI}`);
      }),
    );
    await page.goto(url);
    await act(page);
    return complaints;
  } finally {
    await context.close();
  }
}

const home = (words: string, more = ""): string => `<!doctype html><html lang="en"><title>Tides</title>
<style>output { color: teal }</style><h1>${words}</h1><p>${"Water comes and goes. ".repeat(40)}</p>
<button>Greet</button><output></output><a href="/guide/">Guide</a>
<script>
document.querySelector("button").addEventListener("click", async () => {
  const { greeting } = await (await fetch("/api/greeting")).json();
  document.querySelector("output").textContent = greeting;
});
addEventListener("hashchange", () => fetch(decodeURI(location.hash.slice(1))));
</script>${more}</html>`;

const sources = {
  "source/index.html": home("First"),
  "source/guide/index.html": "<!doctype html><html lang=en><title>Guide</title><h1>Guide</h1></html>",
  "source/about.html": "<!doctype html><html lang=en><title>About</title><h1>About</h1></html>",
  "source/404.html": "<!doctype html><html lang=en><title>Lost</title><h1>Lost at sea</h1></html>",
  "source/de/404.html": "<!doctype html><html lang=de><title>Weg</title><h1>Auf See verschollen</h1></html>",
  "source/robots.txt": "User-agent: *\n",
  // A generator, as short as they get. It hangs when it is told to, so that somebody can kill the build.
  "generate.mjs": `import { cpSync, existsSync, rmSync } from "node:fs";
rmSync("dist", { recursive: true, force: true });
cpSync("source", "dist", { recursive: true });
if (existsSync("hang")) { console.log("it hangs now"); setInterval(() => {}, 1000); }
`,
};

/** The number and the first page of the site's release, checked byte for byte. */
async function current(root: string): Promise<{ sequence: number; page: string }> {
  const stored = openReleaseStore(stackFolders(root).releases).current() ?? assert.fail("no release");
  const { manifest, body } = await decodeRelease(readFileSync(stored.packFile));
  const [plain] = manifest.files.find(({ path }) => path === "/")?.variants ?? [];
  const bytes = body.subarray(plain?.offset, (plain?.offset ?? 0) + (plain?.length ?? 0));
  return { sequence: stored.sequence, page: Buffer.from(bytes).toString() };
}

interface RealSite {
  readonly command: string;
  readonly dist: string;
  /** Files beside the generator's own. */
  readonly more?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly act: (page: Page) => Promise<void>;
}

const realSites: Readonly<Partial<Record<Generator, RealSite>>> = {
  astro: {
    command: "ASTRO_TELEMETRY_DISABLED=1 astro build",
    dist: "dist",
    more: {
      "src/pages/greeting.astro": `<html lang="en"><head><title>Greeting</title></head><body><button>Greet</button><output></output>
<script>
  document.querySelector("button").addEventListener("click", async () => {
    const { greeting } = await (await fetch("/api/greeting")).json();
    document.querySelector("output").textContent = greeting;
  });
</script></body></html>`,
    },
    path: "/greeting",
    act: async (page) => {
      await page.getByRole("button").click();
      await page.getByText("Good tide to you").waitFor();
      await page.goto(new URL("/", page.url()).href);
      await page.getByRole("button").click();
      await page.getByText("around 6:20").waitFor();
    },
  },
  eleventy: {
    command: "eleventy --quiet",
    dist: "dist",
    act: async (page) => {
      await page.getByRole("link").first().click();
      await page.getByRole("heading").first().waitFor();
    },
  },
  next: {
    command: "NEXT_TELEMETRY_DISABLED=1 next build",
    dist: "out",
    act: async (page) => {
      await page.locator("#seats").click();
      await page.getByText("5 seats").waitFor();
    },
  },
};

suite("a site that another generator builds", { skip }, () => {
  test("is built in a jail, hardened, signed and served; what is planted in it, or half built, is not", async (context) => {
    const root = makeFolder(context);
    const port = await freePort();
    const api = await startGreeter(context);
    const site = '{ dist: "dist", build: "node generate.mjs" }';
    writeFiles(root, { ...sources, "curtainwall.config.ts": contractOf({ port, api, site }) });

    const built = await curtainwall(root, "build", "--json").done;
    assert.equal(built.code, 0, built.words);
    const result = JSON.parse(built.out) as { jail: { jailed: boolean }; sequence: number };
    assert.deepEqual([result.jail.jailed, result.sequence], [true, 1]);
    const served = await serve(context, root, port);

    await context.test("a click calls the stack's own API, with no violation", async () => {
      const complaints = await visit(`${served.origin}/`, async (page) => {
        await page.getByRole("button").click();
        await page.getByText("Good tide to you").waitFor();
      });
      assert.deepEqual(complaints, []);
    });

    await context.test("its policies name hashes, and only pages with scripts may connect", async () => {
      const policies = await Promise.all(
        ["/", "/about.html"].map(async (path) =>
          String((await served.get(path)).headers["content-security-policy"]),
        ),
      );
      assert.match(policies[0] ?? "", /script-src 'sha256-[^']+'[^;]*; .*connect-src 'self'/);
      assert.match(policies[1] ?? "", /script-src 'none'/);
      assert.doesNotMatch(policies[1] ?? "", /connect-src/);
      for (const policy of policies) assert.match(policy, /^default-src 'none'.*report-uri \/_reports/);
    });

    await context.test(
      "what stays open for a script that hides where it connects is reported, in its strict form",
      async () => {
        const { headers } = await served.get("/");
        assert.match(String(headers["content-security-policy"]), /connect-src [^;]*https:/);
        assert.match(
          String(headers["content-security-policy-report-only"]),
          /^connect-src 'self';.* report-uri \/_reports; report-to csp$/,
        );
        assert.equal(headers["reporting-endpoints"], 'csp="/_reports"');
        const plain = (await served.get("/guide/")).headers;
        assert.equal(plain["content-security-policy-report-only"], undefined);
      },
    );

    await context.test("its addresses are those of a static host", async () => {
      const answers = await Promise.all(
        ["/guide/", "/guide/index.html", "/about.html", "/about", "/robots.txt"].map((path) =>
          served.get(path),
        ),
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200, 200, 200],
      );
      assert.equal(answers[2]?.body, answers[3]?.body);
      const moved = await served.get("/guide?from=home");
      assert.deepEqual([moved.status, moved.headers.location], [308, "/guide/?from=home"]);
      const lost = await served.get("/nowhere");
      assert.equal(lost.status, 404);
      assert.match(lost.body, /Lost at sea/);
      const lostInGerman = await served.get("/de/nirgends");
      assert.equal(lostInGerman.status, 404);
      assert.match(lostInGerman.body, /Auf See verschollen/);
      for (const encoding of ["br", "gzip", "zstd"])
        assert.equal(
          (await served.get("/", { "accept-encoding": encoding })).headers["content-encoding"],
          encoding,
        );
    });

    await context.test("a planted script fails the next build; the stack serves on what it had", async () => {
      writeFiles(root, { "source/index.html": home("Second", '<script>fetch("//evil.example")</script>') });
      const { code, words } = await curtainwall(root, "build").done;
      assert.equal(code, 1);
      assert.match(words, /HARDEN_SCRIPT_UNAPPROVED/);
      assert.match(words, /npx curtainwall plan dist --origin https:\/\/localhost:\d+ --approve/);
      assert.match((await served.get("/")).body, /First/);
      assert.equal((await current(root)).sequence, 1);
    });

    await context.test("a file where the API is fails the build", async () => {
      writeFiles(root, { "source/index.html": home("Second"), "source/api/greeting": "mine" });
      const { code, words } = await curtainwall(root, "build").done;
      assert.equal(code, 1);
      assert.match(words, /STACK_SITE_REFUSED.*api\/greeting/);
      rmSync(join(root, "source/api"), { recursive: true });
    });

    await context.test("killed while the generator runs, the build leaves everything as it was", async () => {
      writeFiles(root, { hang: "" });
      const build = curtainwall(root, "build");
      await build.said("it hangs now");
      build.child.kill("SIGKILL");
      await build.done;
      assert.equal((await current(root)).sequence, 1);
      assert.match((await served.get("/")).body, /First/);
      rmSync(join(root, "hang"));
    });

    await context.test(
      "killed while it writes the release, it leaves the old one or the new one",
      async () => {
        const build = curtainwall(root, "build");
        const watcher = watch(stackFolders(root).releases, () => build.child.kill("SIGKILL"));
        await build.done;
        watcher.close();
        const { sequence, page } = await current(root);
        assert.match(page, sequence === 1 ? /First/ : /Second/);
      },
    );

    await context.test("honest content is built and served, and leaves nothing behind", async () => {
      writeFiles(root, { "source/index.html": home("Third") });
      const { code, words } = await curtainwall(root, "build").done;
      assert.equal(code, 0, words);
      const { sequence } = await current(root);
      await served.serves(sequence);
      assert.match((await served.get("/")).body, /Third/);
      const left = readdirSync(join(root, ".curtainwall")).filter((name) => name.startsWith("building-"));
      assert.deepEqual(left, []);
      const again = await curtainwall(root, "build", "--json").done;
      assert.equal(
        (JSON.parse(again.out) as { isNew: boolean }).isNew,
        false,
        "the same bytes are the same release",
      );
    });

    await context.test("it can be audited", async () => {
      const { out, words } = await curtainwall(root, "audit", "--only", "FE-4,FE-5").done;
      assert.match(out, /FE-4 +proved/, words);
    });
  });

  test("what was learned closes its pages; a reason lets scripts make code, and is told", async (context) => {
    const root = makeFolder(context);
    const [port, api] = [await freePort(), await startGreeter(context)];
    const site =
      '{ dist: "dist", learned: "learned.json", insecureEval: "the search compiles its templates" }';
    const page =
      "<!doctype html><title>x</title><script>fetch(window.name); new Function('return 1')()</script>";
    writeFiles(root, {
      "curtainwall.config.ts": contractOf({ port, api, site }),
      "dist/index.html": page,
      "dist/other.html": page,
    });
    assert.match((await curtainwall(root, "build").done).words, /STACK_SITE_REFUSED.*no file learned\.json/);
    const classes = [{ pages: ["/index.html"], allow: { "connect-src": ["https://tides.example"] } }];
    writeFiles(root, { "learned.json": JSON.stringify({ format: "curtainwall-learned 1", classes }) });
    const { code, out, words } = await curtainwall(root, "build").done;
    assert.equal(code, 0, words);
    assert.match(out, /reason {4}the search compiles its templates/);
    const stored = openReleaseStore(stackFolders(root).releases).current() ?? assert.fail("no release");
    const { manifest } = await decodeRelease(readFileSync(stored.packFile));
    const connections = (wanted: string): string | undefined => {
      const { headers } = manifest.files.find(({ path }) => path === wanted) ?? assert.fail(wanted);
      const [, policy = ""] = headers.find(([name]) => name === "content-security-policy") ?? [];
      assert.match(policy, /script-src 'unsafe-eval' 'sha256-/);
      return /connect-src ([^;]*)/.exec(policy)?.[1];
    };
    assert.equal(connections("/"), "'self' https://tides.example");
    assert.match(connections("/other.html") ?? "", /https:(?: |$)/);
  });

  test("without a page, or as a link out of the project, a folder is refused", async (context) => {
    const root = makeFolder(context);
    const [port, api] = [await freePort(), await startGreeter(context)];
    writeFiles(root, { "curtainwall.config.ts": contractOf({ port, api, site: '{ dist: "dist" }' }) });
    const build = async (): Promise<string> => (await curtainwall(root, "build").done).words;
    assert.match(await build(), /STACK_SITE_REFUSED.*There is no folder dist/);
    writeFiles(root, { "dist/a.txt": "a" });
    assert.match(await build(), /STACK_SITE_REFUSED.*holds no page/);
    rmSync(join(root, "dist"), { recursive: true });
    symlinkSync("..", join(root, "dist"));
    assert.match(await build(), /STACK_SITE_REFUSED.*leads out of the project/);
    assert.equal(existsSync(stackFolders(root).releases), false);
  });

  for (const [name, { command, dist, more = {}, path = "/", act }] of Object.entries(realSites)) {
    const installed = sites[name as Generator];
    test(`made by ${name}`, { skip: installed.skip }, async (context) => {
      const root = join(makeFolder(context), name);
      // Links of files, since packages are thousands of them; what the generator reads is shown to it as a copy.
      execFileSync("cp", ["-al", dirname(installed.folder), root]);
      for (const made of [dist, "node_modules/.vite", "node_modules/.astro", "node_modules/.cache"])
        rmSync(join(root, made), { recursive: true, force: true });
      symlinkSync(repository, join(root, "node_modules/curtainwall"));
      const [port, api] = [await freePort(), await startGreeter(context)];
      const site = `{ dist: "${dist}", build: "${command}" }`;
      writeFiles(root, { ...more, "curtainwall.config.ts": contractOf({ port, api, site }) });
      const built = await curtainwall(root, "build").done;
      assert.equal(built.code, 0, built.words);
      const served = await serve(context, root, port);
      assert.deepEqual(await visit(served.origin + path, act), []);
    });
  }
});
