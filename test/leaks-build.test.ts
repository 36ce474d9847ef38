import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { bareEnvironment, command } from "./support/command.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));

/** A text that a generator of tokens might have made. */
const token = "t-Zt7/qLp+02vKx_9dWm4Rb";

const config = (leaks = ""): string => `
import { defineStack } from "curtainwall";
import { z } from "zod";
import { publicEnv, privateEnv } from "./environment.ts";
export default defineStack({
  origin: "https://localhost:8443",
  publicEnv,
  privateEnv,
  ${leaks}
  site: { content: "content", templates: "templates", assets: "public", collections: { pages: z.object({ title: z.string() }) } },
});
`;

const environment = `
import { readEnvironment } from "curtainwall";
import { z } from "zod";
export const publicEnv = z.object({ CW_SHOP_NAME: z.string().max(20) });
export const privateEnv = z.object({ CW_CMS_TOKEN: z.string().startsWith("t-") });
export const env = readEnvironment({ publicEnv, privateEnv }, process.env);
`;

const template = (expression: string): string => `
import { Content } from "curtainwall/template";
import { env } from "../environment.ts";
export function page({ entry }) {
  return <html lang="en"><head><title>{entry.data.title}</title></head><body><p>{env.public.CW_SHOP_NAME} {${expression}}</p><Content of={entry} /></body></html>;
}
`;

interface Site {
  readonly root: string;
  write(path: string, text: string): void;
}

function makeSite(context: TestContext): Site {
  const parent = join(repository, ".curtainwall", "test");
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, "leaks-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("curtainwall.config.ts", config());
  write("environment.ts", environment);
  write("templates/pages.tsx", template('""'));
  write("content/pages/index.md", "---\ntitle: Home\n---\n# Hello\n");
  write("public/site.css", "p { color: red }\n");
  return { root, write };
}

function curtainwall(
  args: readonly string[],
  variables: Record<string, string> = {},
): { status: number | null; said: string; printed: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, ...args], {
    encoding: "utf8",
    cwd: repository,
    env: { ...bareEnvironment, HOME: "/nonexistent/home", ...variables },
  });
  return { status, said: `${stdout}${stderr}`, printed: stdout };
}

const good = { CW_SHOP_NAME: "Rye & Sons", CW_CMS_TOKEN: token };

suite("curtainwall build", () => {
  test("tells what only looks like a token, until it is gone, and publishes", (context) => {
    const site = makeSite(context);
    // Of a token's form, with a checksum that is wrong.
    const lookalike = ["ghp", "Zt7qLp02vKx9dWm4Rb8sNc1yHf5jTg3uQeAi"].join("_");
    const build = () => {
      const { status, said } = curtainwall(["build", site.root], good);
      assert.equal(status, 0, said);
      return said;
    };
    site.write("content/pages/index.md", `---\ntitle: Home\n---\n# Hello\n\n${lookalike}\n`);
    assert.match(build(), /look at index\.html:\d+:\d+ token-github/);
    assert.match(build(), /look at index\.html/, "an unchanged site is told the same");
    site.write("content/pages/index.md", "---\ntitle: Home\n---\n# Hello again\n");
    assert.doesNotMatch(build(), /look at/);
  });

  test("publishes what is public, and nothing that is private in any dress; the release before stays", (context) => {
    const site = makeSite(context);
    const first = curtainwall(["build", site.root, "--json"], good);
    assert.equal(first.status, 0, first.said);
    const { release } = JSON.parse(first.printed) as { release: string };

    for (const text of [token, Buffer.from(`k=${token}`).toString("base64")]) {
      site.write("content/pages/index.md", `---\ntitle: Home\n---\n# Hello\n\n${text}\n`);
      const leaky = curtainwall(["build", site.root], good);
      assert.equal(leaky.status, 1);
      assert.match(
        leaky.said,
        /HARDEN_LEAK_FOUND[^]*index\.html:\d+:\d+ private-value: the value of CW_CMS_TOKEN/,
      );
      assert.ok(!leaky.said.includes(token) && !leaky.said.includes(token.slice(0, 6)), leaky.said);
    }

    site.write("content/pages/index.md", "---\ntitle: Home\n---\n# Hello\n");
    const again = JSON.parse(curtainwall(["build", site.root, "--json"], good).printed) as {
      release: string;
      isNew: boolean;
    };
    assert.deepEqual([again.release, again.isNew], [release, false]);
  });

  test("folders of the machine that can't be looked for are told to who asks; values always are", (context) => {
    const site = makeSite(context);
    site.write("environment.ts", environment.replace('.startsWith("t-")', ""));
    const variables = { ...good, CW_CMS_TOKEN: "true", HOME: "/hq" };
    for (const command of ["build", "leaks"]) {
      const place = command === "build" ? [site.root] : [join(site.root, "content"), "--contract", site.root];
      const quiet = curtainwall([command, ...place], variables).said;
      assert.match(quiet, /not looked for CW_CMS_TOKEN/);
      assert.doesNotMatch(quiet, /the folder/);
      assert.match(
        curtainwall([command, ...place, "--verbose"], variables).said,
        /not looked for the folder \/hq/,
      );
    }
  });

  test("gives templates no private variable, and says so", (context) => {
    const site = makeSite(context);
    site.write("templates/pages.tsx", template("String(env.private.CW_CMS_TOKEN)"));
    const { status, said } = curtainwall(["build", site.root], good);
    assert.equal(status, 1);
    assert.match(said, /CW_CMS_TOKEN is not set[^]*Templates are given no variable of privateEnv/);
  });

  test("gives templates only what the contract declares, and says what it withheld", (context) => {
    const site = makeSite(context);
    site.write("templates/pages.tsx", template("String(process.env.CW_UNDECLARED)"));
    const { status, said } = curtainwall(["build", site.root], { ...good, CW_UNDECLARED: "abc" });
    assert.equal(status, 0, said);
    assert.match(said, /withheld the variable CW_UNDECLARED/);
  });

  test("does not begin when a variable is missing or malformed, and names it without its value", (context) => {
    const site = makeSite(context);
    const { status, said } = curtainwall(["build", site.root], { CW_CMS_TOKEN: "hunter2hunter2" });
    assert.equal(status, 1);
    assert.match(
      said,
      /CONTRACT_ENVIRONMENT_INVALID[^]*CW_SHOP_NAME is not set\n {2}CW_CMS_TOKEN is set, and not/,
    );
    assert.doesNotMatch(said, /hunter2/);
  });

  test("lets an exception pass until its day, and fails after it", (context) => {
    const site = makeSite(context);
    site.write("public/guide.html", "x");
    const exception = (expires: string): string =>
      config(
        `leaks: { allow: [{ rule: "build-path", path: "site.css", reason: "shown in a text about it", expires: "${expires}" }] },`,
      );
    site.write("public/site.css", `/* ${site.root}/src */\np { color: red }\n`);
    rmSync(join(site.root, "public/guide.html"));
    assert.match(curtainwall(["build", site.root], good).said, /site\.css:1:4 build-path/);
    site.write("curtainwall.config.ts", exception("2999-12-31"));
    assert.equal(curtainwall(["build", site.root], good).status, 0);
    site.write("curtainwall.config.ts", exception("2020-01-01"));
    assert.match(curtainwall(["build", site.root], good).said, /exception-expired/);
  });
});

suite("curtainwall leaks", () => {
  test("checks any folder, with the environment's secrets, and ends with 1 for a hit", (context) => {
    const site = makeSite(context);
    site.write("dist/app.js", `const k = "${Buffer.from(token).toString("hex")}";`);
    site.write("dist/.env", "A=1");
    const found = curtainwall(["leaks", join(site.root, "dist"), "--contract", site.root, "--json"], good);
    assert.equal(found.status, 1);
    const { hits } = JSON.parse(found.said) as {
      hits: { path: string; rule: string; encodings: string[] }[];
    };
    assert.deepEqual(
      hits.map(({ path, rule, encodings }) => [path, rule, encodings]),
      [
        [".env", "private-file", []],
        ["app.js", "private-value", ["hex"]],
      ],
    );
  });

  test("passes an honest folder, with a link within it; a link out of it is no pass", (context) => {
    const site = makeSite(context);
    site.write("dist/index.html", "<p>Hello.</p>");
    symlinkSync("index.html", join(site.root, "dist/index.en.html"));
    assert.deepEqual(
      curtainwall(["leaks", join(site.root, "dist"), "--contract", site.root], good).status,
      0,
    );
    symlinkSync("/etc/hostname", join(site.root, "dist/name.txt"));
    const { status, said } = curtainwall(["leaks", join(site.root, "dist"), "--contract", site.root], good);
    assert.equal(status, 1);
    assert.match(said, /name\.txt:1:1 unsearchable/);
  });

  test("names vulnerable browser libraries, by files and by what pages load; a feed of unknown age proves nothing", (context) => {
    const site = makeSite(context);
    const feed = {
      loafjs: {
        vulnerabilities: [{ below: "2.0.0", severity: "high", identifiers: { CVE: ["CVE-2099-0001"] } }],
        extractors: { filecontent: ["/\\*! LoafJS v(§§version§§)"], uri: ["/loaf/(§§version§§)/loaf\\.js"] },
      },
    };
    site.write("feed.json", JSON.stringify(feed));
    site.write(
      "dist/a.html",
      '<script src="//cdn.example/loaf/1.1.0/loaf.js"></script><a href="//x.example/loaf/1.2.0/loaf.js">',
    );
    site.write("dist/b.js", "/*! LoafJS v1.0.0 */");
    const look = (...more: string[]): { status: number | null; said: string } =>
      curtainwall(
        [
          "leaks",
          join(site.root, "dist"),
          "--contract",
          site.root,
          "--advisories",
          join(site.root, "feed.json"),
          ...more,
        ],
        good,
      );
    const { status, said } = look();
    assert.equal(status, 1);
    assert.match(said, /loaf\.js: loafjs 1\.1\.0: high, CVE-2099-0001, fixed in 2\.0\.0/);
    assert.match(said, /b\.js: loafjs 1\.0\.0: high/);
    assert.doesNotMatch(said, /1\.2\.0/);
    assert.match(said, /nobody said when the feed was made/);
    assert.equal(look("--advisories-date", "someday").status, 2);
  });

  test("a folder that is not there, and no folder, are misuse", () => {
    assert.equal(curtainwall(["leaks"]).status, 2);
    assert.equal(curtainwall(["leaks", "/nonexistent/dist"]).status, 2);
  });
});
