import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { CspEvaluator } from "csp_evaluator/dist/evaluator.js";
import { CspParser } from "csp_evaluator/dist/parser.js";
import { Severity } from "csp_evaluator/dist/finding.js";
import fc from "fast-check";
import { isCurtainwallError, sha256, toBase64 } from "../../shared/index.ts";
import { AssetShelf } from "./asset-shelf.ts";
import { inspectPage } from "../checks/inspect-page.ts";
import { inspectTree } from "../checks/inspect-tree.ts";
import type { PageFacts, ReferenceKind } from "../checks/page-facts.ts";
import { AddressBook } from "../paths.ts";
import { pagePolicy } from "./policy.ts";
import { createInlineCode } from "../checks/provenance.ts";
import type { SourceFile } from "../source.ts";

const origin = "https://www.site.example";
const code = createInlineCode();
for (const text of ["go()", "stop()"]) code.script.add(text);
code.style.add("p { color: red }").add("p { background: url(/dot.png) }");

const file = (path: string, text: string, island?: SourceFile["island"]): SourceFile => ({
  path,
  file: `public/${path}`,
  bytes: new TextEncoder().encode(text),
  ...(island === undefined ? {} : { island }),
});

const shelf = await AssetShelf.create(
  [
    file("site.js", "console.log(1)"),
    file("plain.css", "body { margin: 0 }"),
    file("rich.css", "@font-face { src: url(/face.woff2) } body { background: url('/dot.png') }"),
    file("hidden.css", "body { background: \\75rl(https://evil.example/x.png) }"),
    file("face.woff2", "x"),
    file("dot.png", "x"),
    file("_islands/Quiet.js", "1", { calls: false, makesHtml: false }),
    file("_islands/Rich.js", "2", { calls: true, makesHtml: true }),
  ],
  new AddressBook(new Set(["api"])),
);

const address = (name: string): string => shelf.address(name);
const linked = (tag: string, name: string): string =>
  `<${tag}="${address(name)}" integrity="${shelf.integrityOf(address(name))}">`;
const script = (name: string): string => `${linked("script src", name)}</script>`;
const sheet = (name: string): string => linked('link rel="stylesheet" href', name);
const html = (body: string): string =>
  `<!doctype html><html lang="en"><head><title>x</title></head><body>${body}</body></html>`;

async function policyOf(body: string, hasApi = false): Promise<string> {
  const text = html(body);
  const facts = await inspectPage(text, `${origin}/x/`, code);
  assert.deepEqual(facts.problems, []);
  return pagePolicy(text, facts, { origin, path: "/x/", assets: shelf, hasApi, file: "content/x.md" });
}

const directivesOf = (policy: string): Map<string, Set<string>> =>
  new Map(
    policy.split("; ").map((directive) => {
      const [name = "", ...sources] = directive.split(" ");
      return [name, new Set(sources)] as const;
    }),
  );

suite("the policy of a page of ours", () => {
  test("a page of words alone may load nothing", async () => {
    assert.equal(
      await policyOf("<p>words</p>", true),
      "default-src 'none'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; upgrade-insecure-requests",
    );
  });

  test("a page gets what it uses, in an order that does not depend on the page", async () => {
    const parts = [
      "<script>go()</script>",
      script("site.js"),
      sheet("rich.css"),
      '<form action="/api/x"></form>',
    ];
    const policy = await policyOf(parts.join(""), true);
    assert.equal(await policyOf(parts.toReversed().join(""), true), policy);
    assert.match(
      policy,
      /script-src 'sha256-\S+' 'sha256-\S+'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';/,
    );
    assert.match(policy, /form-action 'self';/);
  });

  test("scripts come by hash, never by address, and may connect only where there is an API", async () => {
    assert.doesNotMatch(
      /script-src ([^;]*)/.exec(await policyOf(script("site.js"), true))?.[1] ?? "",
      /'self'/,
    );
    assert.doesNotMatch(await policyOf(script("site.js"), false), /connect-src/);
    assert.match(await policyOf(script("site.js"), true), /connect-src 'self'/);
  });

  test("an island may do what it declares: call the API, or make markup under one named policy", async () => {
    const quiet = await policyOf(script("_islands/Quiet.js"), true);
    assert.doesNotMatch(quiet, /connect-src/);
    assert.match(quiet, /trusted-types 'none'/);
    assert.match(
      await policyOf(script("_islands/Rich.js"), true),
      /connect-src 'self'.*trusted-types curtainwall;/,
    );
  });

  test("a stylesheet that hides another site's address fails the build; it is not allowed, and not left to be blocked", async () => {
    await assert.rejects(policyOf(sheet("hidden.css")), (error) => {
      assert.ok(isCurtainwallError(error, "SITE_REFERENCE_FOREIGN"), String(error));
      assert.match(error.message, /img-src https:\/\/evil\.example/);
      return true;
    });
  });

  test("what stands in no template is not allowed, even if the check of the page missed it", async () => {
    const text = html("<script>go()</script><script>planted()</script>");
    const missed = await inspectPage(html("<script>go()</script>"), `${origin}/x/`, code);
    const { scan: _, ...facts } = missed;
    await assert.rejects(
      pagePolicy(text, facts, { origin, path: "/x/", assets: shelf, hasApi: true, file: "content/x.md" }),
      (error) => isCurtainwallError(error, "SITE_PAGE_UNSAFE"),
    );
  });

  test("a page may show the icon that browsers ask for unasked, and fetch what its template preloads", async () => {
    const withIcon = await AssetShelf.create([file("favicon.ico", "x")], new AddressBook(new Set()));
    const text = html("<p>words</p>");
    const facts = await inspectPage(text, `${origin}/x/`, code);
    const about = { origin, path: "/x/", hasApi: false, file: "content/x.md" };
    assert.match(await pagePolicy(text, facts, { ...about, assets: withIcon }), /; img-src 'self';/);
    assert.doesNotMatch(await pagePolicy(text, facts, { ...about, assets: shelf }), /img-src/);
    const preload = '<link rel="preload" as="fetch" href="/api/x">';
    assert.match(await policyOf(preload), /; connect-src 'self';/);
  });

  test("Google's CSP evaluator finds nothing above information", async () => {
    for (const body of ["", script("site.js") + sheet("rich.css") + "<style>p { color: red }</style>"]) {
      const findings = new CspEvaluator(new CspParser(await policyOf(body, true)).csp).evaluate();
      assert.deepEqual(
        findings
          .filter(({ severity }) => severity <= Severity.MEDIUM_MAYBE)
          .map(({ description }) => description),
        [],
      );
    }
  });
});

/**
 * Another way to the same policy: from what the HTML standard's parser finds, without a word of the builder. It was the build's own until
 * both builds shared one.
 */
async function otherPolicy(facts: PageFacts, hasApi: boolean): Promise<Map<string, Set<string>>> {
  const of = (...kinds: ReferenceKind[]): PageFacts["references"] =>
    facts.references.filter(({ kind }) => kinds.includes(kind));
  const hashes = async (texts: Iterable<string>): Promise<string[]> =>
    Promise.all([...texts].map(async (text) => `'sha256-${toBase64(await sha256(text))}'`));
  const islands = of("script").map(({ url }) => shelf.island(url.pathname));
  const loads = (ending: RegExp): boolean =>
    of("style").some(({ url }) =>
      shelf
        .view(url.pathname)
        ?.stylesheet()
        .loads.some((load) => ending.test(load.address)),
    );
  const own = (needed: boolean): string[] => (needed ? ["'self'"] : []);
  const wanted: [name: string, sources: string[]][] = [
    [
      "script-src",
      [...of("script").map(({ integrity }) => `'${integrity}'`), ...(await hashes(facts.inlineScripts))],
    ],
    ["style-src", [...own(of("style").length > 0), ...(await hashes(facts.inlineStyles))]],
    ["img-src", own(of("image").length > 0 || loads(/\.png$/))],
    ["font-src", own(of("font").length > 0 || loads(/\.woff2$/))],
    ["media-src", own(of("media").length > 0)],
    ["manifest-src", own(of("manifest").length > 0)],
    [
      "connect-src",
      own(hasApi && (facts.inlineScripts.size > 0 || islands.some((island) => island?.calls ?? true))),
    ],
  ];
  const policy = new Map([
    ...wanted.filter(([, sources]) => sources.length > 0),
    ["object-src", ["'none'"]] as const,
    ["base-uri", ["'none'"]] as const,
    ["default-src", ["'none'"]] as const,
    ["form-action", [facts.hasForm ? "'self'" : "'none'"]] as const,
    ["frame-ancestors", ["'none'"]] as const,
    ["require-trusted-types-for", ["'script'"]] as const,
    ["trusted-types", [islands.some((island) => island?.makesHtml) ? "curtainwall" : "'none'"]] as const,
    ["upgrade-insecure-requests", []] as const,
  ]);
  if (!policy.has("script-src")) policy.set("script-src", ["'none'"]);
  return new Map([...policy].map(([name, sources]) => [name, new Set(sources)]));
}

test("directive by directive, no page is allowed more than another reading of it needs, and none less", async () => {
  const piece = fc.constantFrom(
    "<script>go()</script>",
    "<script type=module>stop()</script>",
    '<script type="application/json">{"a":1}</script>',
    "<style>p { color: red }</style>",
    "<style>p { background: url(/dot.png) }</style>",
    script("site.js"),
    script("_islands/Quiet.js"),
    script("_islands/Rich.js"),
    sheet("plain.css"),
    sheet("rich.css"),
    linked('link rel="modulepreload" href', "site.js"),
    '<link rel="preload" as="font" href="/face.woff2" crossorigin>',
    '<link rel="icon" href="/dot.png">',
    '<link rel="manifest" href="/app.webmanifest">',
    '<img src="/dot.png" srcset="/dot.png 1x, /dot.png 2x" alt="">',
    '<picture><source srcset="/dot.png"><img src="/dot.png" alt=""></picture>',
    '<video src="/clip.mp4" poster="/dot.png"></video>',
    '<audio><source src="/clip.mp3"></audio>',
    '<video><track src="/words.vtt"></video>',
    '<svg><use href="#leaf"/></svg>',
    '<svg><image href="/dot.png"/></svg>',
    "<form></form>",
    '<form action="/api/x" method="post"><button formaction="/api/y">y</button></form>',
    '<a href="https://elsewhere.example/">x</a>',
    "<template><p>t</p></template>",
    "words &amp; more",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 7 }), fc.boolean(), async (pieces, hasApi) => {
      const facts = inspectTree(html(pieces.join("")), `${origin}/x/`, code);
      assert.deepEqual(facts.problems, []);
      const expected = await otherPolicy(facts, hasApi);
      const made = directivesOf(await policyOf(pieces.join(""), hasApi));
      assert.deepEqual(Object.fromEntries(made), Object.fromEntries(expected));
    }),
    { numRuns: 400 },
  );
});
