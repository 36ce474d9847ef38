import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { isCurtainwallError } from "../../shared/index.ts";
import { createBlobStore } from "./blob-store.ts";
import { hardenFolder } from "./harden-folder.ts";
import { replaceFolder } from "./replace-folder.ts";
import type { HardenedFile, HardenFolderOptions } from "./harden-folder.ts";
import { readUnchanged } from "./read-file.ts";
import { walk } from "./walk.ts";

interface Place {
  readonly root: string;
  readonly folder: string;
  readonly blobs: string;
}

function write(context: TestContext, files: Readonly<Record<string, string | Uint8Array>>): Place {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-folder-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, "site");
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return { root, folder, blobs: join(root, "blobs") };
}

const harden = (place: Place, more: Partial<HardenFolderOptions> = {}): ReturnType<typeof hardenFolder> =>
  hardenFolder({ folder: place.folder, blobs: place.blobs, ...more });
const header = (files: readonly HardenedFile[], path: string, name: string): string =>
  files.find((file) => file.path === path)?.headers.find(([own]) => own === name)?.[1] ?? "";
const byText = (left: string, right: string): number => (left < right ? -1 : 1);
const refused =
  (code: string, words: RegExp) =>
  (error: unknown): boolean =>
    isCurtainwallError(error, code) && words.test(error.message) && error.hint !== undefined;

suite("hardening a folder", () => {
  test("tells each script once a page, also where the page may run all of a folder", async (context) => {
    const loader = 's = document.createElement("script"); s.src = name; webpackChunk';
    const place = write(context, {
      "index.html": `<!doctype html><title>x</title><script src="/js/load.js"></script><script src="/js/a.js"></script><script>${loader}</script>`,
      "other.html": `<!doctype html><title>x</title><script src="/js/a.js"></script>`,
      "js/load.js": loader,
      "js/a.js": "1",
      "js/b.js": "2",
    });
    const told: string[] = [];
    await harden(place, {
      onScript: (page, { kind, text }) => void (kind === "external" && told.push(`${page} ${text}`)),
    });
    assert.deepEqual(told.toSorted(), [
      "/index.html /js/a.js",
      "/index.html /js/b.js",
      "/index.html /js/load.js",
      "/other.html /js/a.js",
    ]);
  });

  test("gives every file its type, its policy and its caching, and an index two addresses", async (context) => {
    const place = write(context, {
      "index.html": "<!doctype html><title>x</title>",
      "guide/index.html.fr": "<!doctype html><title>x</title>",
      "guide/index.html": "<!doctype html><title>y</title>",
      "assets/app-BxY3k9Qz.js": "console.log(1)",
      "plain.js": "console.log(1)",
      Makefile: "all:\n\ttrue\n",
      "data.bin": new Uint8Array([0, 1, 2]),
      "old.txt": Buffer.from("caf\u00e9", "latin1"),
      "doc.pdf": "%PDF-1.7",
    });
    const { files, report } = await harden(place);
    assert.deepEqual(
      files.map(({ path }) => [
        path,
        header(files, path, "content-type"),
        header(files, path, "cache-control"),
      ]),
      [
        ["/", "text/html; charset=utf-8", "no-cache"],
        ["/Makefile", "text/plain; charset=utf-8", "no-cache"],
        ["/assets/app-BxY3k9Qz.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
        ["/data.bin", "application/octet-stream", "no-cache"],
        ["/doc.pdf", "application/pdf", "no-cache"],
        ["/guide/", "text/html; charset=utf-8", "no-cache"],
        ["/guide/index.html", "text/html; charset=utf-8", "no-cache"],
        ["/guide/index.html.fr", "text/html; charset=utf-8", "no-cache"],
        ["/index.html", "text/html; charset=utf-8", "no-cache"],
        ["/old.txt", "text/plain; charset=windows-1252", "no-cache"],
        ["/plain.js", "text/javascript; charset=utf-8", "no-cache"],
      ],
    );
    assert.equal(report.pages, 3);
    assert.match(header(files, "/Makefile", "content-security-policy"), /default-src 'none';.*sandbox/);
    // A sandbox keeps browsers from showing it.
    assert.doesNotMatch(header(files, "/doc.pdf", "content-security-policy"), /sandbox|default-src/);
    for (const { path, sha256, bytes } of files) {
      assert.equal(readFileSync(join(place.blobs, sha256)).length, bytes, path);
      assert.equal(header(files, path, "x-content-type-options"), "nosniff");
      assert.equal(header(files, path, "strict-transport-security"), "max-age=63072000");
    }
  });

  test("lets the site frame only what it frames, by whichever address", async (context) => {
    const { files } = await harden(
      write(context, {
        "index.html": "<iframe src=inner/></iframe>",
        "inner/index.html": "<p>x",
        "other.html": "<p>x",
      }),
    );
    for (const path of ["/inner/", "/inner/index.html"]) {
      assert.match(header(files, path, "content-security-policy"), /frame-ancestors 'self'/);
      assert.equal(header(files, path, "x-frame-options"), "SAMEORIGIN");
    }
    assert.match(header(files, "/other.html", "content-security-policy"), /frame-ancestors 'none'/);
    assert.equal(header(files, "/other.html", "x-frame-options"), "DENY");
  });

  test("reads pages as their old server sent them, if that is known", async (context) => {
    const place = write(context, { "index.html": Buffer.from("<!doctype html><p>\u00f1", "latin1") });
    const read = async (name: string, charset?: string): Promise<string> => {
      const blobs = join(place.root, name);
      const { files } = await harden({ ...place, blobs }, charset === undefined ? {} : { charset });
      return readFileSync(join(blobs, files[0]?.sha256 ?? ""), "utf8");
    };
    assert.match(await read("unknown"), /\u00f1$/);
    assert.match(await read("cyrillic", "koi8-r"), /\u042f$|\u044f$|\u00f1$|[\u0400-\u04ff]$/);
  });

  test("gives the same result every time, on one thread and on several", async (context) => {
    const pages = Object.fromEntries(
      Array.from({ length: 90 }, (_, index) => [
        `p${index}.html`,
        `<!doctype html><title>${index}</title><script src=x.js></script><p style="color: red" onclick="go(${index})">${"x".repeat(60_000)}`,
      ]),
    );
    const place = write(context, { ...pages, "x.js": "fetch(location.hash)" });
    const several = await harden(place, { threads: 3 });
    const one = await harden({ ...place, blobs: join(place.root, "one") }, { threads: 1 });
    assert.deepEqual(one, several);
    assert.deepEqual(
      readdirSync(join(place.root, "one")).sort(byText),
      readdirSync(place.blobs).sort(byText),
    );
    assert.equal(several.report.weaknesses["runtime-connections"]?.pages, 90);
  });

  test("publishes pages that are broken, cut short, empty or no text at all", async (context) => {
    const { files, report } = await harden(
      write(context, {
        "a.html": "<!doctype html><title>x</tit",
        "b.html": "<script>if (a <",
        "c.html": "",
        "d.html": new Uint8Array(5_000).map((_, index) => (index * 7919) % 256),
        "e.xhtml": "<html><p></html>",
        "f.html": '<img src="',
      }),
    );
    assert.equal(files.length, 6);
    assert.equal(report.pages, 5);
    assert.match(header(files, "/e.xhtml", "content-security-policy"), /default-src 'none'/);
  });

  test("leaves out what begins with a dot, except .well-known, and says so", async (context) => {
    const { files, report } = await harden(
      write(context, {
        ".env": "A=1",
        ".git/config": "x",
        ".well-known/security.txt": "x",
        "index.html": "x",
      }),
    );
    assert.deepEqual(
      files.map(({ path }) => path),
      ["/", "/.well-known/security.txt", "/index.html"],
    );
    assert.deepEqual(
      report.skipped.map(({ path }) => path),
      ["/.env", "/.git"],
    );
  });
});

suite("bad input", () => {
  test("a link that leads out of the folder is refused by name; one that may is followed", async (context) => {
    const place = write(context, { "index.html": "<script src=x.js></script>" });
    mkdirSync(join(place.root, "shared"));
    writeFileSync(join(place.root, "shared/x.js"), "1");
    symlinkSync(join(place.root, "shared/x.js"), join(place.folder, "x.js"));
    await assert.rejects(harden(place), refused("HARDEN_LINK_ESCAPES", /"\/x\.js".*leads out/));
    const { files } = await harden(place, { follow: [join(place.root, "shared")] });
    assert.ok(files.some(({ path }) => path === "/x.js"));
  });

  test("links within the folder are files; links to nothing and in circles are left out", async (context) => {
    const place = write(context, { "a/index.html": "x" });
    symlinkSync("a", join(place.folder, "b"));
    symlinkSync("../a", join(place.folder, "a/again"));
    symlinkSync("gone", join(place.folder, "c"));
    const { files, report } = await harden(place);
    assert.deepEqual(
      files.map(({ path }) => path),
      ["/a/", "/a/index.html", "/b/", "/b/index.html"],
    );
    assert.deepEqual(
      report.skipped.map(({ path }) => path),
      ["/a/again", "/b/again", "/c"],
    );
  });

  test("folders that link to each other are refused before their paths are many; a folder with two names is not", async (context) => {
    const clique = write(context, { "index.html": "x" });
    const names = Array.from({ length: 10 }, (_, index) => `d${index}`);
    for (const name of names) {
      mkdirSync(join(clique.folder, name));
      for (const other of names.filter((one) => one !== name))
        symlinkSync(`../${other}`, join(clique.folder, name, other));
    }
    await assert.rejects(harden(clique), refused("HARDEN_LINKS_MULTIPLY", /met again, the last in "\/d/));

    const versions = write(context, { "v1/index.html": "x", "v2/index.html": "y", "static/x.css": "a{}" });
    for (const version of ["v1", "v2"]) symlinkSync("../static", join(versions.folder, version, "static"));
    symlinkSync("v2", join(versions.folder, "latest"));
    const { files } = await harden(versions);
    const paths = new Set(files.map(({ path }) => path));
    for (const path of ["/latest/", "/latest/static/x.css", "/v1/static/x.css", "/static/x.css"])
      assert.ok(paths.has(path), path);
  });

  test("names with line breaks, control characters or backslashes are refused", async (context) => {
    for (const name of ["a\nb.html", "a\u001b[2Jb.html", "a\\..\\b.html"]) {
      const place = write(context, { [name]: "x" });
      await assert.rejects(harden(place), (error) => {
        assert.ok(isCurtainwallError(error, "HARDEN_NAME_INVALID"));
        // oxlint-disable-next-line no-control-regex -- what must not be printed
        assert.doesNotMatch(error.message, /[\u0000-\u001f]/);
        return true;
      });
    }
  });

  test("names that are one where case does not count are refused", async (context) => {
    await assert.rejects(
      harden(write(context, { "About.html": "x", "about.html": "y" })),
      refused("HARDEN_PATH_CONFLICT", /"\/About\.html" and "\/about\.html"/),
    );
  });

  test("an address for reports that would end its header's value, and a reason that says nothing, are refused", async (context) => {
    const place = write(context, { "index.html": "x" });
    for (const reportTo of [
      "//evil.example/",
      "/\\\\evil.example/",
      "/a;script-src *",
      "/a, b",
      "http://a.example/",
      'https://a"b/',
    ])
      await assert.rejects(
        harden(place, { reportTo }),
        refused("HARDEN_OPTION_INVALID", /Reports can't/),
        reportTo,
      );
    await assert.rejects(harden(place, { insecureEval: " " }), refused("HARDEN_OPTION_INVALID", /reason/));
    const told = await harden(place, { insecureEval: "the search compiles its templates" });
    assert.equal(told.report.insecureEval, "the search compiles its templates");
    const { files } = await harden(place, { reportTo: "https://reports.example/in?site=1" });
    assert.equal(header(files, "/", "reporting-endpoints"), 'csp="https://reports.example/in?site=1"');
  });

  test("a folder that is missing, or is a file, is refused", async (context) => {
    const place = write(context, { "a.html": "x" });
    await assert.rejects(
      harden(place, { folder: join(place.root, "none") }),
      refused("HARDEN_FOLDER_INVALID", /no folder/),
    );
    await assert.rejects(
      harden(place, { folder: join(place.folder, "a.html") }),
      refused("HARDEN_FOLDER_INVALID", /not a folder/),
    );
  });

  test("a file that changes after the folder was listed is noticed, whatever its new size", (context) => {
    const place = write(context, {
      "a.html": "before",
      "b.html": "before",
      "c.html": "before",
      "d.html": "before",
    });
    const [a, b, c, d] = walk(place.folder).files;
    assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined);
    writeFileSync(a.file, "longer than before");
    rmSync(b.file);
    rmSync(c.file);
    writeFileSync(c.file, "before");
    for (const file of [a, b, c])
      assert.throws(() => readUnchanged(file), refused("HARDEN_FILE_CHANGED", /changed while/));
    assert.equal(readUnchanged(d).toString(), "before");
  });

  test("a place that can't be written is told as that, and what lay there stays", (context) => {
    const place = write(context, { "a.html": "x" });
    assert.throws(
      () => createBlobStore(join(place.root, "none")).put(new Uint8Array(3)),
      refused("HARDEN_OUTPUT_FAILED", /can't be written/),
    );
    assert.throws(
      () => replaceFolder(join(place.root, "gone"), place.folder),
      refused("HARDEN_OUTPUT_FAILED", /can't be written/),
    );
    assert.deepEqual(readdirSync(place.folder), ["a.html"]);
  });

  test("a page of fifty megabytes is hardened", { timeout: 120_000 }, async (context) => {
    const line = '<p class="x">a line of text that is like every other line of text on this page</p>\n';
    const place = write(context, {
      "big.html": `<!doctype html><title>x</title><script>go()</script>${line.repeat(Math.ceil(50_000_000 / line.length))}`,
    });
    const { report } = await harden(place);
    assert.equal(report.inlineScripts, 1);
    assert.ok(report.bytes > 50_000_000);
  });
});
