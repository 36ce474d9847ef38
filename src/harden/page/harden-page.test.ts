import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { readPage } from "../../html/index.ts";
import { createFileView } from "../site/file-view.ts";
import { hardenPage } from "./harden-page.ts";
import type { HardenedPage, PageContext } from "./harden-page.ts";
import { serializePolicy } from "../policy/policy.ts";
import { scriptNames } from "../inspect/script-names.ts";
import type { SiteFileView, SiteView } from "../site/site-view.ts";

const hash = (text: string): string => createHash("sha256").update(text).digest("base64");

/** A site in memory. */
function siteOf(files: Readonly<Record<string, string>>, origin?: string): SiteView {
  const names = scriptNames(Object.keys(files));
  const find = (path: string): SiteFileView | undefined => {
    const text = files[path];
    return text === undefined
      ? undefined
      : createFileView(
          {
            path,
            hash: () => hash(text),
            digest: (algorithm) => createHash(algorithm).update(text).digest("base64"),
            text: () => text,
          },
          (other) => scriptsNamedIn(other),
        );
  };
  const scriptsNamedIn = (text: string): readonly SiteFileView[] =>
    names.in(text).flatMap((path) => find(path) ?? []);
  return { origin, hash, find, scriptsNamedIn };
}

function harden(
  html: string,
  files: Readonly<Record<string, string>> = {},
  more: Partial<PageContext> = {},
): HardenedPage {
  return hardenPage(readPage(new TextEncoder().encode(html)), {
    path: "/a/page.html",
    view: siteOf(files),
    ...more,
  });
}

const text = ({ bytes }: HardenedPage): string => new TextDecoder().decode(bytes);
const sources = ({ policy }: HardenedPage, directive: Parameters<typeof policy.get>[0]): string =>
  policy.get(directive)?.join(" ") ?? "";

suite("the policy of a page", () => {
  test("allows nothing that is not on it", () => {
    assert.equal(
      serializePolicy(
        harden("<!doctype html><title>x</title><p>y</p><a href=https://a.example/>z</a>").policy,
      ),
      "default-src 'none'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; upgrade-insecure-requests",
    );
  });

  test("a part of the page's own drawing is no picture that is loaded; a drawing of another file is", () => {
    assert.equal(sources(harden('<svg><use href="#leaf"/></svg>'), "img-src"), "");
    assert.equal(sources(harden('<svg><use href="/tree.svg#leaf"/></svg>'), "img-src"), "'self'");
    assert.equal(sources(harden('<base href="/b/"><svg><use href="#leaf"/></svg>'), "img-src"), "'self'");
  });

  test("of scripts whose maker declares what they do nothing is read, and nothing stays open", () => {
    const html =
      "<script>fetch(anywhere); document.body.innerHTML = anything; new Image()</script><script src=/x.js></script>";
    const files = { "/x.js": 'import "./y.js"; fetch(anywhere)', "/y.js": "1" };
    assert.match(sources(harden(html, files), "connect-src"), /https:/);
    const page = harden(html, files, { declared: { connects: true, typesPolicies: ["ours"] } });
    assert.deepEqual(
      [sources(page, "connect-src"), sources(page, "img-src"), sources(page, "trusted-types")],
      ["'self'", "", "ours"],
    );
    assert.equal(sources(page, "script-src").split(" ").length, 2);
    assert.deepEqual([page.report.weaknesses, page.report.modules], [[], 0]);
    const mute = harden(html, files, { declared: { connects: false, typesPolicies: [] } });
    assert.deepEqual([sources(mute, "connect-src"), sources(mute, "trusted-types")], ["", "'none'"]);
  });

  test("a page that needs no change keeps its bytes", () => {
    const html = '<!doctype html><title>x</title><script>console.log("x")</script><img src="/x.png">';
    assert.equal(text(harden(html)), html);
  });

  test("allows inline code by the hash of what a browser reads", () => {
    const page = harden("<script>a()\r\nb()</script><style>p{}</style>");
    assert.equal(sources(page, "script-src"), `'sha256-${hash("a()\nb()")}'`);
    assert.equal(sources(page, "style-src"), `'sha256-${hash("p{}")}'`);
  });

  test("gives linked scripts and styles their integrity, and allows the script by it", () => {
    const page = harden(
      "<link rel=stylesheet href=../s.css?v=2><script src='/a/x.js'></script><script src=x.js></script>",
      {
        "/s.css": "p { color: red }",
        "/a/x.js": "x()",
      },
    );
    const integrity = ` integrity="sha256-${hash("x()")}"`;
    assert.equal(
      text(page),
      `<link rel=stylesheet href=../s.css?v=2 integrity="sha256-${hash("p { color: red }")}"><script src='/a/x.js'${integrity}></script><script src=x.js${integrity}></script>`,
    );
    assert.equal(sources(page, "script-src"), `'sha256-${hash("x()")}'`);
    assert.equal(sources(page, "style-src"), "'self'");
  });

  test("keeps an integrity that is its file's own, and puts that in the place of any other", () => {
    const files = { "/x.js": "x()" };
    const own = `<script src="/x.js" integrity="sha256-${hash("x()")}"></script>`;
    assert.equal(text(harden(own, files)), own);
    assert.deepEqual(harden(own, files).report.notes, []);
    const wrong = hash("other()");
    for (const written of [
      "none",
      "sha384-AAAA",
      `sha256-${wrong}`,
      `sha256-${hash("x()")} sha256-${wrong}`,
    ]) {
      const page = harden(`<script src="/x.js" integrity="${written}"></script>`, files);
      assert.equal(text(page), own);
      assert.equal(sources(page, "script-src"), `'sha256-${hash("x()")}'`, written);
      assert.deepEqual(
        page.report.notes,
        written === "sha384-AAAA" || written === `sha256-${wrong}`
          ? ["the integrity of /x.js did not fit the file, which browsers refused: it was replaced"]
          : [],
      );
    }
  });

  test("tells of an integrity that browsers refuse, in every digest, and of files that do not exist", () => {
    const digest = (algorithm: string, content: string): string =>
      `${algorithm}-${createHash(algorithm).update(content).digest("base64")}`;
    const files = { "/s.css": "p { background: url(gone.svg) }" };
    const notes = (integrity: string): readonly string[] =>
      harden(`<link rel=stylesheet href=/s.css integrity="${integrity}">`, files).report.notes;
    const refused = ["the integrity of /s.css does not fit the file: browsers refuse it"];
    for (const algorithm of ["sha256", "sha384", "sha512"]) {
      assert.deepEqual(notes(digest(algorithm, files["/s.css"])), [], algorithm);
      assert.deepEqual(notes(digest(algorithm, "other")), refused, algorithm);
      assert.deepEqual(notes(`${digest(algorithm, "other")} ${digest(algorithm, files["/s.css"])}`), []);
    }
    // Only the strongest counts.
    assert.deepEqual(notes(`${digest("sha256", files["/s.css"])} ${digest("sha512", "other")}`), refused);
    assert.deepEqual(notes("md5-AAAA"), []);
    const page = harden(
      '<link rel=stylesheet href=/s.css><link rel=stylesheet href=/t.css><img srcset="a.png 1x, /s.css 2x"><iframe src=/api></iframe><form action=/send></form><script src=x.js></script>',
      files,
    );
    assert.deepEqual(
      page.report.missing.map(({ kind, path }) => `${kind} ${path}`),
      ["picture /a/a.png", "script /a/x.js", "picture /gone.svg", "stylesheet /t.css"],
    );
  });

  test("pins another site's script by its integrity, and names one without as unpinnable, by its exact address", () => {
    const page = harden(
      '<script src="https://cdn.example/lib@1.2.3/x.js?a=b;c" integrity="sha256-AAAA" crossorigin></script><script src="//pay.example/v3;x/"></script>',
    );
    assert.equal(sources(page, "script-src"), "https://pay.example/v3%3Bx/ 'sha256-AAAA'");
    assert.deepEqual(
      page.report.foreign.map(({ url, integrity, versioned }) => ({ url, integrity, versioned })),
      [
        { url: "https://cdn.example/lib@1.2.3/x.js", integrity: "sha256-AAAA", versioned: true },
        { url: "https://pay.example/v3%3Bx/", integrity: undefined, versioned: false },
      ],
    );
    assert.equal(page.report.trustedTypes, "report-only");
  });

  test("reads addresses from the page's base, and lets the base say only what it says", () => {
    const page = harden("<base href=/b/><script src=x.js></script><img src=y.png>", { "/b/x.js": "x()" });
    assert.equal(sources(page, "script-src"), `'sha256-${hash("x()")}'`);
    assert.equal(sources(page, "base-uri"), "'self'");
    assert.equal(
      sources(harden("<base href=https://a.example/b/><img src=y.png>"), "img-src"),
      "https://a.example",
    );
  });

  test("allows pictures, fonts, frames, forms and media from where they come, by origin", () => {
    const page = harden(
      `<link rel=stylesheet href=/s.css><img srcset="a.png 1x, https://i.example/b.png 2x" src="data:image/gif;base64,AAAA">
       <iframe src="https://maps.example/x?y" allow="fullscreen; geolocation"></iframe><video src=/v.mp4></video><form action=https://f.example/send></form>`,
      {
        "/s.css": '@import "t.css"',
        "/t.css": "@font-face { src: url(https://fonts.example/f.woff2) } p { background: url(p.png) }",
      },
    );
    assert.equal(sources(page, "img-src"), "'self' data: https://i.example");
    assert.equal(sources(page, "font-src"), "https://fonts.example");
    assert.equal(sources(page, "frame-src"), "https://maps.example");
    assert.equal(sources(page, "media-src"), "'self'");
    assert.equal(sources(page, "form-action"), "https://f.example");
    assert.deepEqual(
      page.headers.features.find(([feature]) => feature === "geolocation"),
      ["geolocation", ['"https://maps.example"', "self"]],
    );
    assert.equal(page.headers.foreignFrames, true);
  });

  test("allows handlers and style attributes one by one, only in the -attr directives, and lists the page", () => {
    const page = harden('<script>f()</script><p onclick="f(&quot;x&quot;)" style="color: red">');
    assert.equal(sources(page, "script-src-attr"), `'unsafe-hashes' 'sha256-${hash('f("x")')}'`);
    assert.equal(sources(page, "style-src-attr"), `'unsafe-hashes' 'sha256-${hash("color: red")}'`);
    assert.equal(sources(page, "script-src"), `'sha256-${hash("f()")}'`);
    assert.deepEqual(page.report.weaknesses, ["handlers", "style-attributes"]);
  });

  test("turns style attributes into rules only where nothing can tell", () => {
    const moved = (html: string): number => harden(html).report.styleAttributes.moved;
    assert.equal(moved('<p style="color: red">'), 1);
    for (const html of [
      '<p style="color: red"><script>x()</script>',
      '<p style="color: red" onclick="x()">',
      '<style>[style] { color: blue }</style><p style="color: red">',
      '<link rel=stylesheet href=https://a.example/s.css><p style="color: red">',
      '<p style="color: red } body { color: blue">',
      '<p style="color: red /* ">',
      `<p style="content: 'x">`,
      '<p style="width: calc(1px">',
      '<p style="color: \\72 ed">',
      '<style>@layer a { p { color: blue !important } }</style><p style="color: red !important">',
      '<div><template shadowrootmode=open><p style="color: red"></template></div>',
    ])
      assert.equal(moved(html), 0, html);
  });

  test("rewrites javascript: addresses, whatever they are hidden in", () => {
    const page = harden(
      `<a href=" java\tscript:void(go('%41'))">x</a><iframe src="javascript:1"></iframe><form action=javascript:x()></form><a href="javascript:</script>">y</a>`,
    );
    assert.doesNotMatch(text(page), /script:/i);
    assert.match(text(page), /void\(go\('A'\)\)/);
    assert.match(text(page), /<iframe src="about:blank">/);
    assert.deepEqual(page.report.scriptUrls, { rewritten: 1, neutralised: 3 });
  });

  test("leaves connections open only where a script does not say where it connects to, and closes them once learned", () => {
    assert.equal(
      sources(harden("<script>fetch('https://api.example/x')</script>"), "connect-src"),
      "https://api.example",
    );
    const open = harden("<script>fetch(u)</script>");
    assert.equal(sources(open, "connect-src"), "'self' https:");
    assert.equal(sources(harden("<script>new WebSocket(u)</script>"), "connect-src"), "'self' https: wss:");
    assert.deepEqual(open.report.weaknesses, ["runtime-connections"]);
    const learned = harden(
      "<script>fetch(u)</script>",
      {},
      { learned: new Map([["connect-src", ["https://b.example"]]]) },
    );
    assert.equal(sources(learned, "connect-src"), "https://b.example");
    assert.deepEqual(learned.report.weaknesses, []);
  });

  test("where a run has shown that a worker starts, every script of the site counts as the page's", () => {
    const learned = new Map([["worker-src", ["'self'"]]] as const);
    assert.deepEqual(harden("<script>start()</script>", {}, { learned }).report.opened, ["/"]);
    assert.deepEqual(harden("<script>start()</script>").report.opened, []);
  });

  test("leaves styles open only where a script adds some that it does not show", () => {
    const open = harden('<style>p{}</style><script>document.createElement("style")</script>');
    assert.equal(sources(open, "style-src"), "'unsafe-inline'");
    assert.equal(sources(open, "style-src-attr"), "'none'");
    const attributes = harden('<style>p{}</style><script>p.setAttribute("style", x)</script>');
    assert.equal(sources(attributes, "style-src"), `'sha256-${hash("p{}")}'`);
    assert.equal(sources(attributes, "style-src-attr"), "'unsafe-inline'");
    assert.deepEqual(open.report.weaknesses, ["runtime-styles"]);
  });

  test("a loader's scripts are allowed by exact address when the origin is known, else by the origin", () => {
    const files = {
      "/a/load.js": 'webpackChunk; s = document.createElement("script"); s.src = "chunk1.js"',
      "/a/chunk1.js": "1",
    };
    const html = "<script src=load.js></script>";
    assert.match(sources(harden(html, files), "script-src"), /^'self' 'sha256-/);
    const known = harden(html, files, { view: siteOf(files, "https://www.example.com") });
    assert.match(
      sources(known, "script-src"),
      /^https:\/\/www\.example\.com\/a\/ https:\/\/www\.example\.com\/a\/chunk1\.js 'sha256-/,
    );
    assert.deepEqual(known.report.weaknesses, ["runtime-scripts"]);
  });

  test("the policy in a page stands before all that it decides on, and after the encoding", () => {
    const page = harden(
      "<!doctype html><html><head><script>x()</script></head>",
      {},
      { budget: { maxBytes: 10 } },
    );
    assert.match(
      text(page),
      /<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="[^"]+"><script>/,
    );
    assert.equal(serializePolicy(page.header).includes("script-src"), false);
  });

  test("a second integrity does not begin to count when the first is replaced", () => {
    const files = { "/x.js": "x()", "/s.css": "p {}" };
    const integrity = (source: string): string => ` integrity="sha256-${hash(source)}"`;
    assert.equal(
      text(harden('<script integrity="none" integrity="sha256-AAAA" src="/x.js"></script>', files)),
      `<script src="/x.js"${integrity("x()")}></script>`,
    );
    for (const [link, source] of [
      ['rel="modulepreload" href="/x.js"', "x()"],
      ['rel="stylesheet" href="/s.css"', "p {}"],
    ] as const)
      assert.equal(
        text(harden(`<link integrity="none" ${link}>`, files)),
        `<link${integrity(source)} integrity="none" ${link}>`,
      );
  });

  test("counts what pages in frames' srcdoc run and load, from the base of the page around them", () => {
    const page = harden(
      `<base href=/b/><iframe srcdoc="<script>y()</script><style>p{}</style><script src=x.js></script><p onclick=z()><img src=https://i.example/a.png>"></iframe>`,
      { "/b/x.js": "x()" },
    );
    assert.equal(
      sources(page, "script-src"),
      [`'sha256-${hash("x()")}'`, `'sha256-${hash("y()")}'`].sort().join(" "),
    );
    assert.equal(sources(page, "style-src"), `'sha256-${hash("p{}")}'`);
    assert.equal(sources(page, "script-src-attr"), `'unsafe-hashes' 'sha256-${hash("z()")}'`);
    assert.equal(sources(page, "img-src"), "'self' https://i.example");
    assert.deepEqual(page.report.missing, []);
  });

  test("keeps style attributes that a script in a srcdoc could read", () => {
    const page = harden(
      '<p style="color: red"><iframe srcdoc="<script>read(parent.document)</script>"></iframe>',
    );
    assert.deepEqual(page.report.styleAttributes, { kept: 1, moved: 0 });
  });

  test("lets a form send to its own page", () => {
    assert.equal(sources(harden("<form><button>send</button></form>"), "form-action"), "'self'");
    assert.equal(sources(harden("<p>no form"), "form-action"), "'none'");
  });

  test("a page that was transcoded says that it is UTF-8, wherever it said something else", () => {
    const page = hardenPage(
      readPage(
        Buffer.from(
          '<meta charset=latin1><meta http-equiv=content-type content="text/html; charset=latin1"><p>caf\u00e9',
          "latin1",
        ),
      ),
      { path: "/", view: siteOf({}) },
    );
    assert.equal(
      text(page),
      '<meta charset="utf-8"><meta http-equiv=content-type content="text/html; charset=utf-8"><p>caf\u00e9',
    );
  });

  test("an XML page without a head has its policy in the header, and stays well-formed", () => {
    const xml = (html: string): HardenedPage =>
      hardenPage(readPage(new TextEncoder().encode(html), { syntax: "xml" }), {
        path: "/a/page.xhtml",
        view: siteOf({ "/a/m.js": 'import "./n.js"', "/a/n.js": "1" }),
        budget: { maxBytes: 10 },
        syntax: "xml",
      });
    const namespace = 'xmlns="http://www.w3.org/1999/xhtml"';
    const script = '<script type="module" src="m.js"></script>';
    const bare = xml(`<?xml version="1.0"?><html ${namespace}><body>${script}</body></html>`);
    assert.match(
      text(bare),
      /^<\?xml version="1.0"\?><html xmlns="[^"]+"><body><script [^>]+><\/script><\/body>/,
    );
    assert.equal(bare.header, bare.policy);
    assert.match(sources(bare, "script-src"), /^'self' /);
    assert.deepEqual(bare.report.weaknesses, ["runtime-scripts"]);

    const prefixed = xml(
      `<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>x</h:title></h:head><h:body/></h:html>`,
    );
    assert.notEqual(prefixed.header, prefixed.policy);
    assert.match(
      text(prefixed),
      new RegExp(`<h:head><meta ${namespace} charset="utf-8"/><meta ${namespace} http-equiv=`),
    );
  });

  test("tells what it leaves open, and where Trusted Types would refuse, if somebody listens", () => {
    const html =
      '<style>p{}</style><script>fetch("https://api.example/x"); fetch(u); document.createElement("style"); p.innerHTML = x</script>';
    const settings = { reportTo: "/_reports" };
    const page = harden(html, {}, { settings });
    assert.ok(page.reportOnly !== undefined);
    assert.equal(
      serializePolicy(page.reportOnly),
      `style-src 'sha256-${hash("p{}")}'; connect-src 'self' https://api.example; require-trusted-types-for 'script'; trusted-types 'none'; report-uri /_reports; report-to csp`,
    );
    assert.match(
      serializePolicy(page.policy),
      /connect-src 'self' https: .*; report-uri \/_reports; report-to csp$/,
    );
    assert.equal(harden(html).reportOnly, undefined, "without an endpoint nobody hears of it");
    assert.equal(harden("<script>x()</script>", {}, { settings }).reportOnly, undefined, "all is enforced");
    const learned = new Map([["connect-src", ["https://b.example"]]] as const);
    assert.deepEqual(
      [...(harden(html, {}, { settings, learned }).reportOnly?.keys() ?? [])],
      ["require-trusted-types-for", "trusted-types", "report-uri", "report-to"],
      "what is learned is enforced",
    );
    const cramped = harden(html, {}, { settings, budget: { maxBytes: 2_000, shared: true } });
    assert.equal(cramped.reportOnly, undefined);
    assert.deepEqual(cramped.report.notes, ["its host has no room for what is only reported"]);
    assert.match(serializePolicy(cramped.header), /report-to csp/);
    assert.doesNotMatch(text(cramped), /report-to/);
  });

  test("code from strings runs only where the owner wants it and a script needs it, and the page is listed", () => {
    const settings = { evalAllowed: true };
    for (const source of ["eval(x)", "new Function(x)", 'setTimeout("go()", 1)']) {
      const html = `<script>${source}</script>`;
      assert.doesNotMatch(sources(harden(html), "script-src"), /unsafe-eval/, source);
      assert.match(harden(html).report.notes.join(), /code from strings, which is blocked/);
      const allowed = harden(html, {}, { settings });
      assert.match(sources(allowed, "script-src"), /^'unsafe-eval' 'sha256-[^ ]+$/, source);
      assert.deepEqual(allowed.report.weaknesses, ["code-from-strings"]);
    }
    for (const source of ["x()", "// no eval( here", 'say("eval(x)")', 'new Function("return this")'])
      assert.doesNotMatch(
        sources(harden(`<script>${source}</script>`, {}, { settings }), "script-src"),
        /unsafe-eval/,
        source,
      );
    assert.equal(
      sources(harden("<script>WebAssembly.compile(x)</script>", {}, { settings }), "script-src").includes(
        "'unsafe-eval'",
      ),
      false,
    );
  });

  test("is the same every time", () => {
    const html =
      '<script src=b.js></script><p style="color:red"><a href="javascript:x()">y</a><script>z()</script>';
    const files = { "/a/b.js": 'import "./c.js"', "/a/c.js": "1" };
    assert.deepEqual(harden(html, files), harden(html, files));
  });
});
