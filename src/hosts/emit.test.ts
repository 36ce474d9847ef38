import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Header } from "../contract/index.ts";
import { isCurtainwallError } from "../shared/index.ts";
import { emitHost, hostNames } from "./emit.ts";
import type { HostsErrorCode } from "./errors.ts";
import { hostLimits } from "./limits.ts";
import type { DeclaredFile, DeclaredSite, HostName } from "./site.ts";

const digest = (at: number): string => at.toString(16).padStart(64, "0");
const file = (path: string, headers: readonly Header[] = [], at = 1): DeclaredFile => ({
  path,
  headers,
  sha256: digest(at),
  encodings: [],
});
const siteOf = (files: readonly DeclaredFile[], more: Partial<DeclaredSite> = {}): DeclaredSite => ({
  origin: "https://site.test",
  files,
  ...more,
});

function refuses(host: HostName, site: DeclaredSite, code: HostsErrorCode, says: RegExp): void {
  assert.throws(
    () => emitHost(host, site),
    (error) => {
      assert.ok(isCurtainwallError(error, code), `${host}: ${String(error)}`);
      assert.match(error.message, says);
      assert.ok(error.hint !== undefined && error.hint.length > 10);
      return true;
    },
  );
}

const csp = (policy: string): Header => ["content-security-policy", policy];

suite("what no host can be given", () => {
  test("an honest site is taken by all of them", () => {
    const site = siteOf(
      [
        file("/", [csp("default-src 'none'")]),
        file("/about/", [csp("default-src 'self'")], 2),
        file("/a.css", [], 3),
      ],
      { notFound: "/about/", redirects: [{ from: "/old", to: "/about/", status: 301 }] },
    );
    for (const host of hostNames) {
      const { files, placements, notes } = emitHost(host, site);
      assert.ok(files.length > 0 && placements.length >= 3 && notes.length > 0, host);
      assert.deepEqual(emitHost(host, site).files, files, "the same site gives the same files");
    }
  });

  test("paths that mean something else than they read like", () => {
    for (const path of [
      "a",
      "",
      "/../x",
      "/a/./b",
      "/a//b",
      "/a\\b",
      "/a\nb",
      "/a\u0000",
      "/a\u007f",
      "/\ud800",
    ])
      for (const host of hostNames)
        refuses(host, siteOf([file(path)]), "HOSTS_PATH_REFUSED", /can't be served/);
  });

  test("headers that could end their line, or that are not a site's to set", () => {
    const bad: Header[] = [
      ["x-a", "1\r\nset-cookie: a=b"],
      ["x-a", "1\u0000"],
      ["x-a", "é"],
      ["x-a", ""],
      ["x-a", " 1"],
      ["x-a", "1 "],
      ["X-A", "1"],
      ["x a", "1"],
      ["x-a:", "1"],
      ["set-cookie", "a=b"],
      ["content-length", "1"],
      ["etag", '"1"'],
    ];
    for (const header of bad)
      for (const host of hostNames)
        refuses(host, siteOf([file("/", [header])]), "HOSTS_HEADER_REFUSED", /can't be emitted/);
    refuses(
      "nginx",
      siteOf([
        file("/", [
          ["x", "1"],
          ["x", "2"],
        ]),
      ]),
      "HOSTS_HEADER_REFUSED",
      /set twice/,
    );
  });

  test("sites that contradict themselves", () => {
    const page = file("/");
    const cases: [DeclaredSite, RegExp][] = [
      [siteOf([]), /no files/],
      [siteOf([page, page]), /declared twice/],
      [siteOf([page], { notFound: "/404" }), /not among its files/],
      [siteOf([page], { origin: "http://site.test" }), /its origin/],
      [siteOf([page], { origin: "https://site.test/x" }), /its origin/],
      [siteOf([{ ...page, sha256: "../../etc/passwd" }]), /no SHA-256/],
      [siteOf([{ ...page, encodings: [{ encoding: "br", sha256: "x" }] }]), /no SHA-256/],
      [siteOf([page], { redirects: [{ from: "/", to: "/a", status: 301 }] }), /both a file and a redirect/],
      [siteOf([page], { redirects: [{ from: "/a", to: "/a", status: 301 }] }), /back to itself/],
      [siteOf([page], { redirects: [{ from: "/a", to: "//evil.test", status: 301 }] }), /neither a path/],
      [
        siteOf([page], { redirects: [{ from: "/a", to: "javascript:alert(1)", status: 301 }] }),
        /neither a path/,
      ],
      [siteOf([page], { redirects: [{ from: "/a", to: "/b\r\nx: y", status: 301 }] }), /not an encoded URL/],
    ];
    for (const [site, says] of cases)
      for (const host of hostNames) refuses(host, site, "HOSTS_SITE_INVALID", says);
  });

  test("places that a configuration would read as something else", () => {
    const site = siteOf([file("/")]);
    for (const folder of ["relative", "/a$b", "/a\nb", "/a*b", "/a{b}"]) {
      const code = { code: "HOSTS_OPTION_INVALID" };
      if (!/[{]/.test(folder))
        assert.throws(() => emitHost("nginx", site, { nginx: { folder } }), code, folder);
      if (!/[$*]/.test(folder))
        assert.throws(() => emitHost("caddy", site, { caddy: { folder } }), code, folder);
    }
    const listen = { nginx: { listen: ["443; } evil {"] } };
    assert.throws(() => emitHost("nginx", site, listen), { code: "HOSTS_OPTION_INVALID" });
    const name = { cloudflare: { name: "Not A Name" } };
    assert.throws(() => emitHost("cloudflare", site, name), { code: "HOSTS_OPTION_INVALID" });
  });
});

suite("what one host can't be given fails before the upload", () => {
  const pages = (count: number): DeclaredFile[] =>
    Array.from({ length: count }, (_, at) => file(`/${at}.html`, [csp(`script-src 'sha256-${at}'`)], at));

  test("Cloudflare reads 100 header rules", () => {
    emitHost("cloudflare", siteOf(pages(100)));
    refuses(
      "cloudflare",
      siteOf(pages(101)),
      "HOSTS_LIMIT_EXCEEDED",
      /101 rules, most of them for content-security-policy \(101\)/,
    );
  });

  test("Cloudflare drops lines of more than 2000 characters: a policy of the stated length fits", () => {
    const policy = (length: number): DeclaredSite => siteOf([file("/", [csp("a".repeat(length))])]);
    emitHost("cloudflare", policy(hostLimits.cloudflare.maxValueLength));
    refuses("cloudflare", policy(2000), "HOSTS_LIMIT_EXCEEDED", /2025 characters/);
  });

  test("Cloudflare replaces placeholders in values, and text by stars in paths", () => {
    refuses("cloudflare", siteOf([file("/", [["x-a", "a:splat"]])]), "HOSTS_HEADER_REFUSED", /:splat/);
    const starred = [file("/a", [["x-a", "1"]]), file("/b*", [["x-a", "2"]], 2)];
    refuses("cloudflare", siteOf(starred), "HOSTS_PATH_REFUSED", /stands for any text/);
  });

  test("a name can't be a file and a folder, or the host's own, on hosts that take a folder", () => {
    for (const host of ["cloudflare", "netlify", "vercel"] as const) {
      refuses(host, siteOf([file("/a"), file("/a/b", [], 2)]), "HOSTS_PATH_REFUSED", /a file and a folder/);
      refuses(host, siteOf([file("/a/"), file("/a/index.html", [], 2)]), "HOSTS_PATH_REFUSED", /other bytes/);
      refuses(host, siteOf([file(`/${"é".repeat(200)}`)]), "HOSTS_PATH_REFUSED", /255 bytes/);
    }
    refuses("cloudflare", siteOf([file("/_headers")]), "HOSTS_PATH_REFUSED", /host's own/);
    refuses("netlify", siteOf([file("/_redirects")]), "HOSTS_PATH_REFUSED", /host's own/);
    for (const host of ["nginx", "caddy"] as const)
      emitHost(host, siteOf([file("/a"), file("/a/b", [], 2), file("/_headers", [], 3)]));
  });

  test("Netlify's rules cover more than they name: case, the last slash, and folders that begin alike", () => {
    const asset = (path: string, at: number): DeclaredFile => file(path, [["x-kind", "asset"]], at);
    const other = (path: string): DeclaredFile => file(path, [["x-kind", "other"]], 9);
    const assets = [asset("/assets/a", 1), asset("/assets/b", 2)];
    refuses(
      "netlify",
      siteOf([...assets, file("/assets-old/c", [], 3)]),
      "HOSTS_PATH_REFUSED",
      /assets-old.*covers it too/,
    );
    refuses("netlify", siteOf([asset("/a", 1), other("/A")]), "HOSTS_PATH_REFUSED", /covers it too/);
    emitHost("netlify", siteOf([...assets, file("/old/c", [], 3)]));
  });

  test("a header that the host sets itself is refused, not lost", () => {
    const site = siteOf([file("/", [["age", "1"]])]);
    refuses("netlify", site, "HOSTS_HEADER_REFUSED", /netlify sets it itself/);
    emitHost("nginx", site);
  });

  test("Netlify changes commas and can't match escapes", () => {
    refuses("netlify", siteOf([file("/", [["x-a", "1,2"]])]), "HOSTS_HEADER_REFUSED", /would be changed/);
    const escaped = [file("/a", [["x-a", "1"]]), file("/b c", [["x-a", "2"]], 2)];
    refuses("netlify", siteOf(escaped), "HOSTS_PATH_REFUSED", /not documented/);
  });

  test("Vercel takes 2048 routes, and values of 32,768 characters", () => {
    refuses("vercel", siteOf(pages(2048)), "HOSTS_LIMIT_EXCEEDED", /20\d\d routes/);
    refuses("vercel", siteOf([file("/", [csp("a".repeat(40_000))])]), "HOSTS_LIMIT_EXCEEDED", /32768/);
    const alike = Array.from({ length: 5000 }, (_, at) =>
      file(`/docs/page-${at}.html`, [csp("default-src 'none'")], at),
    );
    emitHost("vercel", siteOf(alike));
  });

  test("nginx reads parameters of 4096 bytes: longer policies are put together, longer paths refused", () => {
    const http = emitHost("nginx", siteOf([file("/", [csp("a$".repeat(20_000))])])).files[0]?.text ?? "";
    assert.ok(http.split("\n").every((line) => Buffer.byteLength(line) < 4096 + 32));
    const long = file(`/${"a".repeat(hostLimits.nginx.maxPathLength - 1)}`);
    emitHost("nginx", siteOf([long]));
    refuses("nginx", siteOf([file(`/${"a".repeat(4090)}`)]), "HOSTS_LIMIT_EXCEEDED", /too long/);
  });
});
