import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { isCurtainwallError } from "../../shared/index.ts";
import { approve, prune, record } from "./approve.ts";
import { describePending, describeReview } from "./describe.ts";
import { emptyLock } from "./lock-text.ts";
import { createProvenance } from "./provenance.ts";
import type { Lock, Review, SeenScript } from "./types.ts";

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
const inline = (text: string, page = "/index.html"): SeenScript => ({
  kind: "inline",
  text,
  hash: digest(text),
  page,
});
const file = (path: string, page = "/index.html"): SeenScript => ({ kind: "file", text: path, page });

interface Site {
  readonly lock?: Lock;
  readonly site?: string;
  readonly files?: Readonly<Record<string, string>>;
}

function review(
  scripts: readonly SeenScript[],
  { lock = emptyLock, site = "dist", files = {} }: Site = {},
): Review {
  const provenance = createProvenance({ lock, site, digest });
  for (const script of scripts) provenance.admit(script);
  return provenance.finish((path) => files[path] ?? "");
}

const theme = inline("document.documentElement.className = 'js'");
const day = "2026-11-22";
const approval = { names: [], allShared: false, reason: "looked at it", day, digest };

/** A lock in which everything of these scripts is approved. */
function approvedLock(scripts: readonly SeenScript[], files: Site["files"] = {}): Lock {
  const found = review(scripts, { files });
  return approve(emptyLock, found, { ...approval, names: found.added.map(({ id }) => id) });
}

suite("what the lock knows", () => {
  test("a first run finds everything new, and what stands on one page only first", () => {
    const found = review(
      [theme, { ...theme, page: "/b.html" }, inline("planted()", "/b.html"), file("/a.js")],
      {
        files: { "/a.js": "a()" },
      },
    );
    assert.equal(found.firstRun, true);
    assert.deepEqual(
      found.added.map(({ kind, pages, lines }) => [kind, pages, lines]),
      [
        ["inline", 1, ["planted()"]],
        ["file", 1, ["a()"]],
        ["inline", 2, ["document.documentElement.className = 'js'"]],
      ],
    );
  });

  test("an approved script stays approved when its data changes", () => {
    const lock = approvedLock([inline(`self.q.push([1,"a"])`)]);
    const found = review([inline(`self.q.push([1,"b",{"c":2}])`)], { lock });
    assert.deepEqual([found.added, found.unreviewed, found.approved], [[], [], 1]);
  });

  test("a changed one is new, with what changed against the one it was", () => {
    const lock = approvedLock([inline("a();b();c();"), inline("other({x:1})")]);
    const found = review([inline("a();steal(document.cookie);c();"), inline("other({x:1})")], { lock });
    assert.deepEqual(found.added[0]?.nearest?.diff, [
      { sign: " ", text: "a();" },
      { sign: "-", text: "b();" },
      { sign: "+", text: "steal(document.cookie);" },
      { sign: " ", text: "c();" },
    ]);
  });

  test("of a long one the diff shows the sections that are new", () => {
    const long = Array.from({ length: 900 }, (_, index) => `step${index}(${index * 7});`);
    const lock = approvedLock([file("/app.js")], { "/app.js": long.join("") });
    assert.ok(JSON.stringify(lock).length < 4_000, `${JSON.stringify(lock).length}`);
    const changed = long.toSpliced(450, 0, "steal(document.cookie);").join("");
    const found = review([file("/app.js")], { lock, files: { "/app.js": changed } });
    const added = found.added[0]?.nearest?.diff.filter(({ sign }) => sign === "+") ?? [];
    assert.match(added.map(({ text }) => text).join("\n"), /steal\(document\.cookie\);/);
    assert.ok(added.flatMap(({ text }) => text.split("\n")).length < 100);
  });

  test("code that is approved as a handler is not approved as a script", () => {
    const lock = approvedLock([{ ...inline("go()"), kind: "handler" }]);
    assert.equal(review([inline("go()")], { lock }).added.length, 1);
  });

  test("what the first run recorded is no longer new, and still not approved", () => {
    const lock = record(emptyLock, review([theme]), day);
    const found = review([theme], { lock });
    assert.deepEqual([found.firstRun, found.added.length, found.unreviewed.length], [false, 0, 1]);
  });

  test("what is no longer there can be pruned, and only of this site", () => {
    const lock = approvedLock([theme, inline("old()")]);
    const other = record(lock, review([inline("docs()")], { site: "docs" }), day);
    const found = review([theme], { lock: other });
    assert.deepEqual(
      found.unused.map(({ code }) => code),
      [["old()"]],
    );
    assert.deepEqual(
      prune(other, found).scripts.map(({ site, code }) => [site, code?.[0]]),
      [
        ["dist", theme.text],
        ["docs", "docs()"],
      ],
    );
  });

  test("which page a script was first seen on does not depend on the order in which threads answer", () => {
    const pages = ["/c", "/a", "/b"].map((page) => inline(`self.q.push([1,"${page}"])`, page));
    assert.deepEqual(review(pages), review(pages.toReversed()));
  });
});

suite("sites of one project", () => {
  const scripts = [theme, inline("a()"), inline("b()")];
  test("another site begins anew", () => {
    const found = review([inline("docs()")], { lock: approvedLock(scripts), site: "docs" });
    assert.deepEqual([found.site, found.firstRun], ["docs", true]);
  });

  test("a copy of a site in another folder is held to the site's own approvals", () => {
    const found = review([...scripts, inline("planted()")], { lock: approvedLock(scripts), site: "copy" });
    assert.deepEqual([found.site, found.firstRun, found.added.length], ["dist", false, 1]);
  });
});

suite("scripts with an address", () => {
  const url = "https://tags.example/load.js?id=A-1";
  const unpinned: SeenScript = { kind: "unpinned", text: url, page: "/" };
  const pinned: SeenScript = { kind: "pinned", text: url, integrity: "sha384-x", page: "/" };

  test("another query is another script: some sites choose by it which program they send", () => {
    const lock = approvedLock([unpinned]);
    assert.equal(review([unpinned], { lock }).added.length, 0);
    assert.equal(review([{ ...unpinned, text: url.replace("A-1", "B-2") }], { lock }).added.length, 1);
  });

  test("another integrity, or none, is another script", () => {
    const lock = approvedLock([pinned]);
    assert.equal(review([pinned], { lock }).added.length, 0);
    assert.equal(review([{ ...pinned, integrity: "sha384-y" }], { lock }).added.length, 1);
    assert.equal(review([unpinned], { lock }).added.length, 1);
  });

  test("a file is known by its code, whatever it is called", () => {
    const lock = approvedLock([file("/app.11aa.js")], { "/app.11aa.js": "go(1)" });
    assert.equal(
      review([file("/app.22bb.js")], { lock, files: { "/app.22bb.js": "go( 1 );" } }).added.length,
      0,
    );
    assert.equal(
      review([file("/app.11aa.js")], { lock, files: { "/app.11aa.js": "go(2)" } }).added.length,
      1,
    );
  });

  test("a trusted folder covers what lies in it, and nothing beside it", () => {
    const files = { "/assets/a.js": "a()", "/assets-2/b.js": "b()" };
    const seen = [file("/assets/a.js"), file("/assets-2/b.js")];
    const lock = approve(emptyLock, review(seen, { files }), { ...approval, names: ["/assets/"] });
    const found = review(seen, { lock, files: { ...files, "/assets/a.js": "changed()" } });
    assert.deepEqual(
      found.added.map(({ url: path }) => path),
      ["/assets-2/b.js"],
    );
  });
});

suite("approvals", () => {
  const found = review([theme, { ...theme, page: "/b" }, inline("once()"), file("/js/a.js")]);
  const refusal = (names: readonly string[], reason = "looked at it"): void =>
    assert.throws(
      () => approve(emptyLock, found, { ...approval, names, reason }),
      (error) => isCurtainwallError(error, "HARDEN_APPROVAL_INVALID"),
    );

  test("all that stand on several pages, and none that stands on one", () => {
    const { scripts } = approve(emptyLock, found, { ...approval, allShared: true });
    assert.deepEqual(
      scripts.map(({ code, reason, approved }) => [code, reason, approved]),
      [[[theme.text], "looked at it", day]],
    );
  });
  const once = found.added.find(({ lines }) => lines[0] === "once()")?.id ?? "";
  const approveOne = (name: string, shown?: readonly string[], now = found): string | undefined =>
    approve(emptyLock, now, { ...approval, names: [name], shown }).scripts[0]?.id;
  const whole = found.added.map(({ id }) => id);

  test("an id in full, or its first 32 digits, needs no list", () => {
    assert.equal(approveOne(once), once);
    assert.equal(approveOne(once.slice(0, "inline-".length + 32)), once);
    refusal([once.slice(0, "inline-".length + 31)]);
  });
  test("the first letters of an id stand for what was shown, and only for that", () => {
    assert.equal(approveOne(once.slice(0, 15), whole), once);
    assert.throws(() => approveOne(once.slice(0, 15)), /cut short, and no plan was shown/);
    assert.throws(() => approveOne("inline-", whole), /stands for 2 scripts/);
  });
  test("a script put in the place of the one that was shown, with an id that begins alike, is not approved", () => {
    // Twelve digits of the digest, found by trying: what a list shows of both is the same.
    const short = once.slice(0, "inline-".length + 12);
    const [shownOne = assert.fail()] = found.added.filter(({ id }) => id === once);
    const evil = { ...shownOne, id: `${short}${"0".repeat(52)}` };
    const swapped = { ...found, added: [...found.added.filter(({ id }) => id !== once), evil] };
    assert.throws(() => approveOne(short, whole, swapped), /its code has changed since/);
    const both = { ...found, added: [evil, ...found.added] };
    assert.equal(approveOne(short, whole, both), once);
  });
  test("what came to several pages since the list was shown is not approved with the rest", () => {
    const [shared] = found.added.filter(({ pages }) => pages > 1).map(({ id }) => id);
    const all = (shown: readonly string[]): Lock =>
      approve(emptyLock, found, { ...approval, allShared: true, shown });
    assert.equal(all(whole).scripts[0]?.id, shared);
    assert.throws(() => all([once]), /1 of 1 scripts on several pages came or changed/);
  });
  test("an id that is none is refused", () => refusal(["inline-0000000000000000"]));
  test("no reason is refused", () => refusal([found.added[0]?.id ?? ""], " "));
  test("a folder that holds no script is refused", () => refusal(["/nothing/"]));
  test("the whole site is refused", () => refusal(["/"]));
  test("a folder without its slash is refused", () => refusal(["/js"]));
});

suite("descriptions", () => {
  test("nothing in a page can steer a terminal or turn letters around", () => {
    const nasty = inline('/*\u202e*/ go("\u001b[2J\u202e\u2066", `\u0007`)', "/\u001b]0;x\u0007.html");
    const text = describeReview(review([nasty]).added).join("\n");
    assert.doesNotMatch(text.replaceAll("\n", ""), /\p{C}/u);
    assert.match(text, /\\u\{1b\}\[2J/);
  });

  test("a long line hides nothing at its end", () => {
    const [script] = review([inline(`x = "${"a".repeat(700)}" + steal()`)]).added;
    assert.match(describePending(script ?? assert.fail()).join(""), /steal\(\)/);
  });

  test("what approval allows is said", () => {
    const seen: SeenScript = { kind: "unpinned", text: "https://a.example/x.js", page: "/" };
    const text = describeReview(review([seen]).added).join("\n");
    assert.match(text, /whatever the other site sends runs, today and later/);
    assert.match(text, /https:\/\/a\.example\/x\.js/);
  });
});

test("thirty thousand pages with data of their own take a few entries and little memory", () => {
  const provenance = createProvenance({ lock: emptyLock, site: "dist", digest });
  const filler = "x".repeat(2_000);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let page = 0; page < 30_000; page++) {
    const path = `/p/${page}.html`;
    provenance.admit({ ...theme, page: path });
    provenance.admit({
      kind: "inline",
      text: `self.q.push([1,"${page}${filler}"])`,
      hash: `${page}`,
      page: path,
    });
  }
  const grown = process.memoryUsage().heapUsed - before;
  const found = provenance.finish(() => "");
  assert.deepEqual(
    found.added.map(({ pages, examples }) => [pages, examples.length]),
    [
      [30_000, 5],
      [30_000, 5],
    ],
  );
  assert.ok(grown < 100e6, `${Math.round(grown / 1e6)} MB`);
});
