import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { decodeRelease, encodeRelease, securityHeaders } from "../src/contract/index.ts";
import type { Header, Release, ReleaseInput } from "../src/contract/index.ts";
import { emitHost } from "../src/hosts/index.ts";
import type { DeclaredRedirect, DeclaredSite, Emission, HostName } from "../src/hosts/index.ts";
import { bakeryRelease } from "./support/bakery-release.ts";
import { differences, targetOf } from "./support/host-compare.ts";
import { miniflare, netlifyHeaders, netlifyRedirects, vercelRoutes } from "./support/host-parsers.ts";
import { ask, declaredSite, startEdge, temporaryFolder, writeEmission } from "./support/host-servers.ts";
import type { HostAnswer } from "./support/host-servers.ts";
import { foldersRelease, hostilePaths, missingPaths } from "./support/host-site.ts";

/** A site of many folders and files whose names mean something: what each host says that it can serve. */
async function namedRelease(paths: readonly string[]): Promise<Release> {
  const html = (policy: string): Header[] => [
    ["content-type", "text/html; charset=utf-8"],
    ["cache-control", "no-cache"],
    ...securityHeaders(policy),
  ];
  const bytes = (text: string): ReleaseInput["bytes"] => ({ identity: Buffer.from(text) });
  const immutable: Header[] = [
    ["cache-control", "public, max-age=31536000, immutable"],
    ["access-control-allow-origin", "*"],
  ];
  return decodeRelease(
    await encodeRelease(
      [
        { path: "/", headers: html("default-src 'self'"), bytes: bytes("home") },
        { path: "/404/", headers: html("default-src 'self'"), bytes: bytes("missing") },
        { path: "/about/", headers: html("default-src 'none'"), bytes: bytes("about") },
        { path: "/page.html", headers: html("default-src 'self'"), bytes: bytes("page") },
        { path: "/docs/a.html", headers: html("img-src 'self'"), bytes: bytes("a") },
        { path: "/docs/b.html", headers: html("img-src 'self'"), bytes: bytes("b") },
        { path: "/docs/index.html", headers: html("img-src 'self'"), bytes: bytes("index") },
        {
          path: "/assets/a.css",
          headers: [["content-type", "text/css; charset=utf-8"], ...immutable],
          bytes: bytes("a{}"),
        },
        {
          path: "/assets/b.js",
          headers: [["content-type", "text/javascript"], ...immutable],
          bytes: bytes("b"),
        },
        {
          path: "/assets/data",
          headers: [["content-type", "application/json"], ...immutable],
          bytes: bytes("{}"),
        },
        ...paths.map((path): ReleaseInput => ({
          path,
          headers: [
            ["content-type", "text/plain; charset=utf-8"],
            ["cache-control", "no-cache"],
            ["x-name", "own"],
          ],
          bytes: bytes(path),
        })),
      ],
      { notFound: "/404/" },
    ),
  );
}

/** Sorts names into those that a host can serve and those that its emitter refuses. */
async function sortNames(host: HostName): Promise<{ served: string[]; refused: string[] }> {
  const served: string[] = [];
  const refused: string[] = [];
  for (const path of hostilePaths) {
    try {
      emitHost(host, declaredSite(await namedRelease([path])));
      served.push(path);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "HOSTS_PATH_REFUSED");
      refused.push(path);
    }
  }
  return { served, refused };
}

const redirects: DeclaredRedirect[] = [
  { from: "/old", to: "/about/", status: 301 },
  { from: "/gone/page.html", to: "https://other.test/x?y=1", status: 302 },
];

const fileOf = (emission: Emission, path: string): string =>
  emission.files.find((file) => file.path === path)?.text ?? assert.fail(`no ${path}`);

suite(
  "Cloudflare's own server, with what is emitted for it",
  { skip: miniflare.skip, timeout: 120_000 },
  () => {
    /** What a client gets from Cloudflare, asked without compression and without following. */
    async function serve(context: TestContext, release: Release, site: DeclaredSite) {
      const folder = temporaryFolder(context);
      const emission = emitHost("cloudflare", site);
      writeEmission(folder, emission, release);
      const config = JSON.parse(fileOf(emission, "wrangler.jsonc")) as {
        compatibility_date: string;
        assets: { html_handling: string; not_found_handling: string };
      };
      const { Miniflare } = await miniflare.load();
      const server = new Miniflare({
        modules: true,
        script: "export default { fetch() { return new Response(undefined, { status: 500 }); } }",
        compatibilityDate: config.compatibility_date,
        assets: {
          directory: join(folder, "site"),
          routerConfig: { has_user_worker: false },
          assetConfig: {
            html_handling: config.assets.html_handling,
            not_found_handling: config.assets.not_found_handling,
          },
        },
      });
      context.after(() => server.dispose());
      const origin = await server.ready;
      return async (path: string): Promise<HostAnswer> => {
        const answer = await fetch(new URL(path, origin), {
          redirect: "manual",
          headers: { "accept-encoding": "identity" },
        });
        return {
          status: answer.status,
          headers: [...answer.headers],
          body: Buffer.from(await answer.arrayBuffer()),
        };
      };
    }

    /** What Cloudflare sets itself, and what it says otherwise. */
    const known = new Set(["+cf-cache-status", "+etag", "~etag", "-vary"]);

    async function compare(
      context: TestContext,
      release: Release,
      paths: readonly string[],
      site = declaredSite(release),
    ) {
      const get = await serve(context, release, site);
      const edge = await startEdge(context, release);
      const found: string[] = [];
      for (const path of paths) {
        const [expected, actual] = await Promise.all([ask(edge, { path }), get(path)]);
        for (const what of differences(expected, actual))
          if (!known.has(what.slice(4))) found.push(`${path}: ${what}`);
      }
      return found;
    }

    test("every page of the bakery: status, headers and bytes", async (context) => {
      const release = await bakeryRelease(context);
      const paths = release.manifest.files.map(({ path }) => targetOf(path));
      assert.deepEqual(await compare(context, release, paths), []);
    });

    test("a name is served as by the edge, or refused when the files are written", async (context) => {
      const { served, refused } = await sortNames("cloudflare");
      assert.deepEqual(refused, ["/~^.*$", "/star*.txt"]);
      const release = await namedRelease(served);
      // Where the address is written otherwise than Cloudflare writes it, it redirects there.
      const get = await serve(context, release, declaredSite(release));
      const paths: string[] = [];
      for (const { path } of release.manifest.files) {
        const answer = await get(targetOf(path));
        const location = answer.headers.find(([name]) => name === "location")?.[1];
        if (answer.status === 307) paths.push(location ?? assert.fail(path));
        else paths.push(targetOf(path));
      }
      assert.deepEqual(await compare(context, release, paths), []);
    });

    test("what is not there gets the 404 page of its nearest folder, with that page's policy", async (context) => {
      const release = await foldersRelease({ plainNames: true });
      assert.deepEqual(
        await compare(context, release, ["/odd/no", ...missingPaths.filter((path) => !path.includes("%"))]),
        [],
      );
    });

    test("redirects, folders without their slash, and what is not there", async (context) => {
      const release = await namedRelease([]);
      const found = await compare(context, release, [
        "/about",
        "/about?a=1",
        "/nothing",
        "/docs",
        "/page",
        "/docs/",
      ]);
      assert.deepEqual(found, [
        // Both have the headers of the 404 page, which every address has that is no file's.
        "/about: 308 ~content-security-policy",
        "/about?a=1: 308 ~content-security-policy",
        // All below /docs/ have the headers of that folder's files, also what is not there.
        "/docs/: 404 ~content-security-policy",
      ]);
      const get = await serve(context, release, { ...declaredSite(release), redirects });
      const seen: string[] = [];
      for (const { from } of redirects) {
        const answer = await get(from);
        seen.push(`${from} ${answer.status} ${answer.headers.find(([name]) => name === "location")?.[1]}`);
      }
      assert.deepEqual(seen, ["/old 301 /about/", "/gone/page.html 302 https://other.test/x?y=1"]);
    });
  },
);

suite(
  "Netlify's own parsers, with what is emitted for it",
  { skip: netlifyHeaders.skip || netlifyRedirects.skip },
  () => {
    /** As Netlify's command line does it: all rules that match, the later ones over the earlier. */
    async function headersFor(context: TestContext, release: Release, site: DeclaredSite) {
      const folder = temporaryFolder(context);
      writeEmission(folder, emitHost("netlify", site), release);
      const { parseAllHeaders } = await netlifyHeaders.load();
      const parsed = await parseAllHeaders({ headersFiles: [join(folder, "site/_headers")], minimal: false });
      assert.deepEqual(parsed.errors, []);
      const redirectsParser = await netlifyRedirects.load();
      const { redirects: rows, errors } = await redirectsParser.parseAllRedirects({
        redirectsFiles: [join(folder, "site/_redirects")],
        minimal: true,
      });
      assert.deepEqual(errors, []);
      const of = (path: string): Record<string, string> =>
        Object.assign(
          {},
          ...parsed.headers.filter((rule) => rule.forRegExp.test(path)).map((rule) => rule.values),
        );
      return { of, rows };
    }

    async function assertAll(context: TestContext, release: Release): Promise<void> {
      const { of } = await headersFor(context, release, declaredSite(release));
      const edge = await startEdge(context, release);
      const own = new Set([
        "connection",
        "accept-ranges",
        "content-length",
        "content-type",
        "date",
        "etag",
        "vary",
        "keep-alive",
      ]);
      for (const { path } of release.manifest.files) {
        const answer = await ask(edge, { path: targetOf(path) });
        const expected = Object.fromEntries(answer.headers.filter(([name]) => !own.has(name)));
        const { "content-type": _, ...actual } = of(path);
        assert.deepEqual(actual, expected, path);
      }
    }

    test("every page of the bakery gets its headers", async (context) => {
      await assertAll(context, await bakeryRelease(context));
    });

    test("a name gets its headers, or is refused when the files are written", async (context) => {
      const { served, refused } = await sortNames("netlify");
      await assertAll(
        context,
        await namedRelease(
          served.filter((path) => path.toLowerCase() !== "/case.txt" || path === "/case.txt"),
        ),
      );
      assert.ok(
        refused.includes("/a b/é.txt") &&
          refused.includes("/:splat/:name.txt") &&
          refused.includes("/star*.txt"),
      );
      assert.ok(served.includes("/.well-known/security.txt"));
    });

    test("a folder's 404 page is sent where it has the headers of the root's, and a note says where not", async (context) => {
      const release = await foldersRelease({ plainNames: true });
      const site = declaredSite(release);
      const { notes } = emitHost("netlify", site);
      assert.equal(notes.filter((note) => note.includes("What is not there below")).length, 3);
      const same = site.files.find(({ path }) => path === site.notFound)?.headers ?? assert.fail();
      const files = site.files.map((file) =>
        file.path === "/de/404.html" ? { ...file, headers: same } : file,
      );
      const { rows } = await headersFor(context, release, { ...site, files });
      assert.deepEqual(
        rows.map(({ from, to, status }) => ({ from, to, status })),
        [{ from: "/de/*", to: "/de/404.html", status: 404 }],
      );
    });

    test("redirects are read as they are declared", async (context) => {
      const release = await namedRelease([]);
      const { rows } = await headersFor(context, release, { ...declaredSite(release), redirects });
      assert.deepEqual(
        rows.map(({ from, to, status }) => ({ from, to, status })),
        redirects,
      );
    });
  },
);

suite("Vercel's own checks, with what is emitted for it", { skip: vercelRoutes.skip }, () => {
  interface Route {
    src?: string;
    handle?: string;
    headers?: Record<string, string>;
    status?: number;
    continue?: boolean;
    dest?: string;
  }

  /** As the documentation of the Build Output describes it: in order, `continue` goes on, a status ends it. */
  function answer(routes: readonly Route[], paths: ReadonlySet<string>, path: string) {
    const headers: Record<string, string>[] = [];
    for (const route of routes) {
      if (route.handle === "filesystem") {
        if (paths.has(path)) return { status: 200, headers, dest: undefined };
        continue;
      }
      if (!new RegExp(route.src ?? "", "u").test(path)) continue;
      headers.push(route.headers ?? {});
      if (route.continue !== true) return { status: route.status ?? 200, headers, dest: route.dest };
    }
    return { status: 404, headers, dest: undefined };
  }

  async function assertAll(
    context: TestContext,
    release: Release,
    elsewhere: readonly string[] = ["/about", "/nothing"],
  ): Promise<void> {
    const site = declaredSite(release);
    const emission = emitHost("vercel", site);
    const config = JSON.parse(fileOf(emission, ".vercel/output/config.json")) as {
      routes: Route[];
      overrides: Record<string, { contentType: string }>;
    };
    const { normalizeRoutes } = await vercelRoutes.load();
    assert.equal(normalizeRoutes(structuredClone(config.routes)).error, null);
    const edge = await startEdge(context, release);
    const paths = new Set(release.manifest.files.map(({ path }) => path));
    const own = new Set([
      "accept-ranges",
      "connection",
      "content-length",
      "date",
      "etag",
      "vary",
      "keep-alive",
    ]);
    for (const path of [...paths, ...elsewhere]) {
      const expected = await ask(edge, { path: targetOf(path) });
      const actual = answer(config.routes, paths, path);
      assert.equal(actual.status, expected.status, path);
      const fields = actual.headers.flatMap((route) => Object.entries(route));
      assert.equal(
        new Set(fields.map(([name]) => name)).size,
        fields.length,
        `${path}: one header from two routes`,
      );
      const file =
        actual.dest !== undefined
          ? actual.dest.slice(1)
          : `${path}${path.endsWith("/") ? "index.html" : ""}`.slice(1);
      const type = config.overrides[file]?.contentType;
      if (type !== undefined && expected.status !== 308) fields.push(["content-type", type]);
      assert.deepEqual(
        Object.fromEntries(fields),
        Object.fromEntries(expected.headers.filter(([name]) => !own.has(name))),
        path,
      );
    }
  }

  test("every page of the bakery gets its headers, each from one route", async (context) => {
    await assertAll(context, await bakeryRelease(context));
  });

  test("what is not there gets the 404 page of its nearest folder", async (context) => {
    const release = await foldersRelease({ plainNames: true });
    await assertAll(context, release, ["/no", "/de/no", "/de/at/no", "/de/at/no/no/", "/DE/no", "/odd/no"]);
  });

  test("every name gets its headers", async (context) => {
    await assertAll(context, await namedRelease(hostilePaths));
  });
});
