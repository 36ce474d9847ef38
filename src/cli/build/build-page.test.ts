import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, suite, test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { makeProject } from "../../../test/support/project.ts";
import { requires } from "../../../test/requires.ts";
import { loadContract, publishPage, readPageReport, startPageBuilder, withVault } from "../../stack/index.ts";
import { buildPage } from "./build-page.ts";
import { recall, recordFiles } from "./build-record.ts";
import type { PageEdit } from "./build-record.ts";
import type { BuildResult } from "./build-result.ts";
import { buildAny } from "./build.ts";

const template = `import { Content, asset } from "curtainwall/template";
export const page = ({ entry }) => <html lang="en"><head><title>{entry.data.title}</title></head><body><Content of={entry} /><img src={asset("a.svg")} alt="" /></body></html>;
`;
const contract = `import { defineStack } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  privateEnv: z.object({ SHOP_TOKEN: z.string() }),
  site: { content: "content", templates: "templates", assets: "public", collections: { pages: z.object({ title: z.string() }) } },
});
`;
const secretsOfSite = `
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  secrets: { SHOP_KEY: secret({ use: "GET https://127.0.0.1:9/api/x", by: "GET /api/x", inject: bearer() }) },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" } }`;
const text = `---\ntitle: Home\n---\n# Bread\n\n${"Rye and oat. ".repeat(40)}\n`;
const secret = "not-a-real-token-only-9-words";
process.env.SHOP_TOKEN = secret;

const project = await makeProject({
  config: contract,
  files: {
    "content/pages/index.md": text,
    "content/pages/about.md": text.replace("Home", "About"),
    "templates/pages.tsx": template,
    "public/a.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>`,
  },
});
after(() => project.remove());
const { root } = project;
// As root, a project that others can't read is built in a copy, which is gone afterwards.
chmodSync(root, 0o755);
const files = recordFiles(root);
const page = join(root, "content/pages/index.md");
const options = { drafts: false, json: false, verbose: false };

const buildAll = async (): Promise<BuildResult> => {
  const built = await buildAny(root, options);
  assert.ok(built !== undefined);
  return built;
};
const edit = (words: string): PageEdit | undefined => {
  writeFileSync(page, `${text}\n${words}\n`);
  return recall(files, Date.now()).edit;
};
const releases = (): string[] => readdirSync(join(root, ".curtainwall/edge/releases")).sort();

suite("a build after one text was edited", requires("bwrap"), () => {
  let last: BuildResult;
  beforeEach(async () => {
    writeFileSync(page, text);
    last = recall(files, Date.now()).same ?? (await buildAll());
  });

  test("makes the release that a whole build makes, and the next finds nothing to do", async () => {
    for (const words of ["More.", "## Oat\n\n<b>dark</b> <script>x</script>", "Less."]) {
      const change = edit(words);
      assert.ok(change !== undefined);
      const made = await buildPage(change, files);
      assert.ok(made !== undefined, words);
      assert.equal(made.isNew, true);
      assert.equal(made.sequence, (last.sequence ?? 0) + 1);
      assert.deepEqual(recall(files, Date.now()).same, { ...made, isNew: false });
      rmSync(files.cache, { recursive: true });
      const whole = await buildAll();
      assert.deepEqual(
        { ...made, isNew: false, milliseconds: 0 },
        { ...whole, isNew: false, milliseconds: 0 },
      );
      last = whole;
    }
  });

  test("goes by the text, not by how an editor saves it", async () => {
    writeFileSync(`${page}~`, `${text}\nSaved aside.\n`);
    renameSync(`${page}~`, page);
    const change = recall(files, Date.now()).edit;
    assert.equal(change?.file, "content/pages/index.md");
    assert.ok(change !== undefined && (await buildPage(change, files)));
  });

  test("publishes nothing new when the page is the same", async () => {
    const change = edit("");
    assert.ok(change !== undefined);
    const made = await buildPage(change, files);
    assert.equal(made?.isNew, false);
    assert.equal(made?.release, last.release);
  });

  test("is stopped by a private value in the text, and a whole build says where it is", async () => {
    const stored = releases();
    const change = edit(`The token is ${secret}.`);
    assert.ok(change !== undefined);
    assert.equal(await buildPage(change, files), undefined);
    assert.deepEqual(releases(), stored);
    await assert.rejects(buildAll(), { code: "HARDEN_LEAK_FOUND", message: /index\.html/ });
  });

  test("is a whole one when a private value became another, since each page must be searched for it", async () => {
    process.env.SHOP_TOKEN = "Rye and oat. Rye and oat.";
    assert.equal(edit("More."), undefined);
    await assert.rejects(buildAll(), { code: "HARDEN_LEAK_FOUND", message: /about/ });
    process.env.SHOP_TOKEN = secret;
  });

  const others: Record<string, () => void> = {
    "another page": () => writeFileSync(join(root, "content/pages/about.md"), text),
    "a page that is new": () => writeFileSync(join(root, "content/pages/new.md"), text),
    "the template": () => writeFileSync(join(root, "templates/pages.tsx"), template.replace("en", "de")),
    "the contract": () => writeFileSync(join(root, "curtainwall.config.ts"), `${contract}\n`),
    "an environment file": () => writeFileSync(join(root, ".env"), "A=1"),
    "who may read it": () => chmodSync(page, 0o600),
  };
  for (const [what, change] of Object.entries(others))
    test(`is a whole one when ${what} changed too`, async () => {
      change();
      assert.equal(edit("More."), undefined);
      rmSync(join(root, "content/pages/new.md"), { force: true });
      rmSync(join(root, ".env"), { force: true });
      chmodSync(page, 0o644);
      writeFileSync(join(root, "curtainwall.config.ts"), contract);
      writeFileSync(join(root, "templates/pages.tsx"), template);
      writeFileSync(join(root, "content/pages/about.md"), text.replace("Home", "About"));
    });

  test("is a whole one after a build that was ended before it published", async () => {
    const change = edit("## Another part");
    assert.ok(change !== undefined);
    assert.ok(await startPageBuilder(change.again.start, change.file, () => {}));
    const again = recall(files, Date.now()).edit;
    assert.ok(again !== undefined);
    assert.equal(await buildPage(again, files), undefined);
    assert.equal((await buildAll()).isNew, true);
  });

  test("is a whole one when notes, or the release, were written to", async () => {
    for (const place of [join(files.cache, "site", "pages.notes"), last.file]) {
      const kept = readFileSync(place);
      writeFileSync(place, kept.with(40, (kept[40] ?? 0) ^ 1));
      const change = edit("More.");
      if (change !== undefined) assert.equal(await buildPage(change, files), undefined);
      writeFileSync(place, kept);
    }
  });

  test("takes no more from a jail than a page that was there", async () => {
    const change = edit("More.");
    assert.ok(change !== undefined);
    const report = await startPageBuilder(change.again.start, change.file, () => {});
    const made = readPageReport(report ?? new Uint8Array());
    assert.ok(made !== undefined);
    const publish = (forged: Partial<typeof made>): Promise<unknown> =>
      publishPage({
        root,
        policy: change.again.policy,
        base: { digest: last.release, sequence: last.sequence ?? 0 },
        page: async () => ({ ...made, ...forged }),
      });
    const stored = releases();
    assert.equal(await publish({ path: "/a.svg" }), undefined);
    assert.equal(await publish({ path: "/new/" }), undefined);
    assert.equal(await publish({ bytes: { identity: made.bytes.identity ?? new Uint8Array() } }), undefined);
    const other = brotliCompressSync(Buffer.from("<p>Another page for who asks for brotli."));
    assert.equal(await publish({ bytes: { ...made.bytes, br: other } }), undefined);
    assert.deepEqual(releases(), stored);
  });

  test("is ended when a template says more than anybody reads", async () => {
    const change = edit("More.");
    assert.ok(change !== undefined);
    const { start } = change.again;
    const program = [
      process.execPath,
      "-e",
      `for (;;) require("node:fs").writeSync(1, "word\\n".repeat(1000))`,
    ];
    let told = 0;
    assert.equal(await startPageBuilder({ ...start, program }, change.file, () => told++), undefined);
    assert.equal(told, 1000);
  });

  test("is ended when it fills the disk, with what it wrote, and a whole one can follow", async () => {
    const change = edit("More.");
    assert.ok(change !== undefined);
    const { start } = change.again;
    const { cacheFolder } = start.order;
    const fill = `const fs = require("node:fs"); const piece = Buffer.alloc(2 ** 20, 1);
      for (let n = 0; ; n++) fs.writeFileSync(${JSON.stringify(cacheFolder)} + "/fill-" + n, piece);`;
    const program = [process.execPath, "-e", fill];
    const limits = { diskBytes: 64 * 2 ** 20 };
    assert.equal(await startPageBuilder({ ...start, program }, change.file, () => {}, limits), undefined);
    assert.equal(existsSync(cacheFolder), false);
    await buildAll();
  });
});

suite("a build after one text was edited, of a site with secrets", requires("bwrap"), () => {
  const value = "kestrel-9-walnut-77-otter-lamp-31";
  const key = async (value: string): Promise<unknown> =>
    withVault(await loadContract(place.root), { environment: "development", create: true }, (vault) =>
      vault.set("SHOP_KEY", Buffer.from(value)),
    );
  let place: Awaited<ReturnType<typeof makeProject>>;
  let record: ReturnType<typeof recordFiles>;
  const change = (words: string): PageEdit => {
    writeFileSync(join(place.root, "content/pages/index.md"), `${text}\n${words}\n`);
    const found = recall(record, Date.now()).edit;
    assert.ok(found !== undefined, "one page can be made by itself");
    return found;
  };
  const buildWhole = async (): Promise<BuildResult> => {
    const built = await buildAny(place.root, options);
    assert.ok(built !== undefined);
    return built;
  };

  before(async () => {
    place = await makeProject({
      config: contract
        .replace("defineStack }", "bearer, defineStack, everyone, secret, upstream }")
        .replace("privateEnv: z.object({ SHOP_TOKEN: z.string() })", secretsOfSite),
      files: {
        "content/pages/index.md": text,
        "templates/pages.tsx": template,
        "public/a.svg": "<svg/>",
      },
    });
    chmodSync(place.root, 0o755);
    record = recordFiles(place.root);
  });
  after(() => place.remove());

  test("is signed by the vault, and is the release that a whole build makes", async () => {
    await key(value);
    const whole = await buildWhole();
    assert.ok(!existsSync(join(place.root, ".curtainwall/release/release.key")), "no build has the key");
    const made = await buildPage(change("More."), record);
    assert.equal(made?.isNew, true);
    assert.equal(made.sequence, (whole.sequence ?? 0) + 1);
    assert.deepEqual(recall(record, Date.now()).same, { ...made, isNew: false });
    rmSync(record.cache, { recursive: true });
    const { release, sequence } = await buildWhole();
    assert.deepEqual([release, sequence], [made.release, made.sequence]);
  });

  test("is stopped by a value of the vault in the text, and a whole build says where it is", async () => {
    assert.equal(await buildPage(change(`Bread for ${value}.`), record), undefined);
    await assert.rejects(buildWhole(), { code: "HARDEN_LEAK_FOUND", message: /index\.html.*SHOP_KEY/s });
  });

  test("is a whole one when a secret got another value, since each page must be searched for it", async () => {
    change("");
    await buildWhole();
    await key(`${value}-2`);
    assert.equal(await buildPage(change("Less."), record), undefined);
    await buildWhole();
    assert.ok(await buildPage(change("Less still."), record));
  });

  test("is a whole one when the vault is gone", async () => {
    rmSync(join(place.root, ".curtainwall/vault"), { recursive: true });
    assert.equal(await buildPage(change("Nothing."), record), undefined);
  });
});

suite("a page's report", () => {
  const head = (lengths: number[]): string =>
    `${JSON.stringify({ path: "/", lengths, warnings: [], notes: "0".repeat(64), missed: [] })}\n`;

  test("is read with its forms", () => {
    const report = readPageReport(Buffer.from(`${head([4, 2, 0, 1])}pagebrz`));
    assert.deepEqual(
      Object.entries(report?.bytes ?? {}).map(([form, bytes]) => [form, Buffer.from(bytes).toString()]),
      [
        ["identity", "page"],
        ["br", "br"],
        ["zstd", "z"],
      ],
    );
  });

  for (const [what, report] of Object.entries({
    "that ends too early": `${head([4, 2, 0, 1])}pageb`,
    "that goes on": `${head([4, 2, 0, 1])}pagebrzz`,
    "of no page": "null\n",
    "without an end of its line": head([0, 0, 0, 0]).trimEnd(),
    "of nonsense": "{\n",
    "with what it does not have": `${head([1, 0, 0, 0]).replace("{", '{"headers":[],')}p`,
    "of less than nothing": `${head([4, -1, 0, 1])}page`,
    "that is empty": "",
  }))
    test(`${what} is none`, () => assert.equal(readPageReport(Buffer.from(report)), undefined));
});
