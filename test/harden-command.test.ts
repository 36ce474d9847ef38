import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { command, commandInShell } from "./support/command.ts";

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Place {
  readonly root: string;
  readonly out: string;
  write(files: Readonly<Record<string, string>>): void;
  harden(...options: readonly string[]): Run;
}

function place(context: TestContext): Place {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-command-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const out = join(root, "out");
  mkdirSync(join(root, "dist"));
  return {
    root,
    out,
    write(files) {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, "dist", name)), { recursive: true });
        writeFileSync(join(root, "dist", name), content);
      }
    },
    harden: (...options) => {
      const where = options.includes("--out") ? [] : ["--out", out];
      return spawnSync(process.execPath, [...command, "harden", join(root, "dist"), ...where, ...options], {
        encoding: "utf8",
        cwd: root,
        env: { ...process.env, NO_COLOR: "1" },
      });
    },
  };
}

const site = {
  "index.html": `<!doctype html><title>x</title><script src="x.js"></script><p onclick="x()">y</p><script src="https://cdn.example/roll.js"></script>`,
  "plain.html": "<!doctype html><title>x</title><p style='color: red'>y",
  "x.js": "x = () => 1",
  "404.html": "<!doctype html><title>gone</title>",
};

suite("curtainwall harden", () => {
  test("tells what it found, what is weaker and why, and what can't be pinned", (context) => {
    const { write, harden } = place(context);
    write(site);
    const { status, stdout, stderr } = harden();
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^3 pages, 4 files: 0 inline scripts, 2 linked scripts, 1 event handler$/m);
    assert.match(stdout, /^ {2}strict {4}2 of 3 pages/m);
    assert.match(stdout, /weakened {2}event handlers in attributes.*\(\/index\.html\)/);
    assert.match(stdout, /foreign {3}https:\/\/cdn\.example\/roll\.js {2}unpinnable/);
    assert.match(stdout, /moved {5}1 style= attribute/);
    assert.match(stderr, /hardened in \d+ m?s: /);
  });

  test("writes a plain folder with a manifest of headers, and replaces it whole the next time", (context) => {
    const { write, harden, out, root } = place(context);
    write({ ...site, "old.html": "x" });
    assert.equal(harden().status, 0);
    assert.ok(existsSync(join(out, "site/old.html")));
    rmSync(join(root, "dist/old.html"));
    assert.equal(harden().status, 0);
    assert.deepEqual(
      readdirSync(join(out, "site")).sort((left, right) => (left < right ? -1 : 1)),
      ["404.html", "index.html", "plain.html", "x.js"],
    );
    const manifest = JSON.parse(readFileSync(join(out, "curtainwall-site.json"), "utf8")) as {
      notFound: string;
      headerSets: [string, string][][];
      files: { path: string; headers: number }[];
    };
    assert.equal(manifest.notFound, "/404.html");
    const index = manifest.files.find(({ path }) => path === "/");
    const policy = manifest.headerSets[index?.headers ?? -1]?.find(
      ([name]) => name === "content-security-policy",
    );
    assert.match(policy?.[1] ?? "", /script-src-attr 'unsafe-hashes' 'sha256-/);
    assert.deepEqual(
      readdirSync(root).sort((left, right) => (left < right ? -1 : 1)),
      ["curtainwall.lock.json", "dist", "out"],
    );
  });

  test("lets pages report where it is told to, and nothing else", (context) => {
    const { write, harden, out } = place(context);
    write(site);
    assert.equal(harden("--reports", "/_reports").status, 0);
    const { headerSets, files } = JSON.parse(readFileSync(join(out, "curtainwall-site.json"), "utf8")) as {
      headerSets: [string, string][][];
      files: { path: string; headers: number }[];
    };
    const headersOf = (asked: string): Map<string, string> =>
      new Map(headerSets[files.find(({ path }) => path === asked)?.headers ?? -1]);
    assert.match(
      headersOf("/").get("content-security-policy") ?? "",
      /; report-uri \/_reports; report-to csp$/,
    );
    assert.equal(headersOf("/").get("reporting-endpoints"), 'csp="/_reports"');
    assert.equal(headersOf("/x.js").get("reporting-endpoints"), undefined);
    for (const bad of ["//evil.example/", "/a;script-src *"])
      assert.equal(harden("--reports", bad).status, 2, bad);
  });

  test("refuses a learned file that allows more than was to be learned, and writes nothing", (context) => {
    const { write, harden, out, root } = place(context);
    write(site);
    const file = join(root, "learned.json");
    const classes = [{ pages: ["/index.html"], allow: { "connect-src": ["*"] } }];
    writeFileSync(file, JSON.stringify({ format: "curtainwall-learned 1", classes }));
    const { status, stderr } = harden("--learned", file);
    assert.equal(status, 1);
    assert.match(stderr, /HARDEN_LEARNED_INVALID.*connect-src can't be given "\*"/);
    assert.ok(!existsSync(out));
    assert.equal(harden("--learned", join(root, "none.json")).status, 2);
  });

  for (const host of ["nginx", "caddy", "cloudflare", "netlify", "vercel"]) {
    test(`writes ${host}'s files`, (context) => {
      const { write, harden, out } = place(context);
      write(site);
      const { status, stderr } = harden("--for", host, "--origin", "https://www.example.com");
      assert.equal(status, 0, stderr);
      const texts = readdirSync(out, { recursive: true, encoding: "utf8" })
        .filter((name) => /conf|json|toml|_headers/.test(name) && name !== "curtainwall-site.json")
        .map((name) => readFileSync(join(out, name), "utf8"))
        .join("\n");
      assert.match(texts, /frame-ancestors 'none'/);
    });
  }

  test("only tells with --plan", (context) => {
    const { write, harden, root } = place(context);
    write(site);
    const { status, stdout, stderr } = harden("--plan");
    assert.equal(status, 0);
    assert.match(stdout, /^3 pages/);
    assert.match(stderr, /nothing was written/);
    assert.deepEqual(readdirSync(root), ["dist"]);
  });

  test("prints the report as JSON", (context) => {
    const { write, harden } = place(context);
    write(site);
    const { report } = JSON.parse(harden("--json").stdout) as {
      report: { pages: number; weaknesses: object };
    };
    assert.equal(report.pages, 3);
    assert.deepEqual(Object.keys(report.weaknesses), ["handlers", "runtime-connections"]);
  });

  test("leaves what was there before alone when something is wrong, and nothing half done beside it", (context) => {
    const { write, harden, out, root } = place(context);
    write(site);
    assert.equal(harden().status, 0);
    const before = readFileSync(join(out, "curtainwall-site.json"), "utf8");
    write({
      "x.js.map": '{"version":3,"sources":["x.ts"],"sourcesContent":["x = () => 1"],"mappings":"AAAA"}',
    });
    const { status, stderr } = harden();
    assert.equal(status, 1);
    assert.match(stderr, /HARDEN_LEAK_FOUND/);
    assert.equal(readFileSync(join(out, "curtainwall-site.json"), "utf8"), before);
    assert.deepEqual(
      readdirSync(root).sort((left, right) => (left < right ? -1 : 1)),
      ["curtainwall.lock.json", "dist", "out"],
    );
  });

  test("replaces no folder that it did not make, and none that holds the site or lies in it", (context) => {
    const { write, harden, out, root } = place(context);
    write(site);
    mkdirSync(out);
    writeFileSync(join(out, "thesis.txt"), "x");
    assert.match(harden().stderr, /^HARDEN_OUTPUT_REFUSED/);
    assert.match(harden("--out", join(root, "dist/out")).stderr, /^HARDEN_OUTPUT_REFUSED/);
    assert.match(harden("--out", root).stderr, /^HARDEN_OUTPUT_REFUSED/);
    assert.deepEqual(readdirSync(out), ["thesis.txt"]);
  });

  test("is told when it is misused", (context) => {
    const { write, harden } = place(context);
    write(site);
    for (const options of [
      ["--for", "apache"],
      ["--origin", "http://www.example.com"],
      ["--origin", "https://a.example/b"],
      ["--bogus"],
    ])
      assert.equal(harden(...options).status, 2, options.join(" "));
  });
});

suite("what curtainwall harden won't do", () => {
  test("take an empty folder for a site: the result before stays", (context) => {
    const { write, harden, out, root } = place(context);
    write(site);
    assert.equal(harden().status, 0);
    rmSync(join(root, "dist"), { recursive: true });
    mkdirSync(join(root, "dist"));
    const { status, stderr } = harden();
    assert.equal(status, 1);
    assert.match(stderr, /HARDEN_FOLDER_INVALID {2}There is no file in .*dist that would be published/);
    assert.ok(existsSync(join(out, "site", "index.html")));
  });

  test("publish its own lock, write over a file, or believe in an encoding that nobody knows", (context) => {
    const { write, harden, root } = place(context);
    write(site);
    assert.match(
      harden("--lock", join(root, "dist", "lock.json")).stderr,
      /CLI_USAGE_INVALID {2}The lock .* would lie inside the site/,
    );
    writeFileSync(join(root, "file"), "x");
    assert.match(
      harden("--out", join(root, "file")).stderr,
      /HARDEN_OUTPUT_REFUSED {2}.*file is not a folder/,
    );
    assert.match(harden("--charset", "klingon").stderr, /CLI_USAGE_INVALID {2}--charset "klingon"/);
    assert.equal(harden("--charset", "latin1").status, 0);
  });

  test("guess where a server has the site and its certificate, and on which port, when it is told", (context) => {
    const { write, harden, out } = place(context);
    write(site);
    const placed = ["--at", "/srv/bakery", "--certificate", "/etc/tls/chain.pem,/etc/tls/key.pem"];
    for (const [host, file, port] of [
      ["caddy", "caddy.json", ":9443"],
      ["nginx", "nginx/site.conf", "listen 9443 ssl"],
    ] as const) {
      assert.equal(harden("--for", host, "--origin", "https://www.example.com:9443", ...placed).status, 0);
      const text = readFileSync(join(out, file), "utf8");
      for (const named of [port, "/srv/bakery", "/etc/tls/chain.pem", "/etc/tls/key.pem"])
        assert.ok(text.includes(named), `${host}: ${named}`);
    }
    assert.match(harden("--for", "nginx", "--certificate", "one.pem").stderr, /takes two files/);
  });
});

test("what a script would add from another site is blocked, and the report says so page by page", (context) => {
  const { write, harden } = place(context);
  const loader = `!function (d, e, v) { var t = d.createElement(e); t.src = v; d.head.append(t); }(document, 'script', 'https://pixel.example/events.js')`;
  write({
    "index.html": `<!doctype html><title>x</title><script>${loader}</script>`,
    "plain.html": "<!doctype html><title>y</title>",
  });
  const { status, stdout, stderr } = harden();
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /note +a script seems to add https:\/\/pixel\.example\/events\.js, which is blocked.*\(\/index\.html\)/s,
  );
  assert.match(stdout, /Trusted Types are enforced on 1 of 2 pages/);
});

suite("--allow-script", () => {
  const loader = `var t = document.createElement("script"); t.src = "https://pixel.example/events.js"; document.head.append(t);`;
  const tagged = {
    "index.html": `<!doctype html><title>x</title><script>${loader}</script>`,
    "plain.html": "<!doctype html><title>y</title>",
  };
  const address = "https://pixel.example/events.js";

  test("takes an address and why; the pages that want it are named, the lock is asked, and later runs need its approval", (context) => {
    const { root, write, harden } = place(context);
    write(tagged);
    const offered = /--allow-script (\S+) "why"/.exec(harden().stderr)?.[1];
    assert.equal(offered, address);
    const unasked = harden("--allow-script", address, "the shop's pixel");
    assert.equal(unasked.status, 1);
    assert.match(unasked.stderr, /1 script of dist is not approved/);
    assert.match(unasked.stderr, /added-[0-9a-f]{12} .*https:\/\/pixel\.example\/events\.js/);
    const hint = /npx curtainwall (plan .*)$/m.exec(unasked.stderr)?.[1] ?? assert.fail(unasked.stderr);
    const followed = spawnSync("sh", ["-c", `${commandInShell} ${hint}`], {
      encoding: "utf8",
      cwd: root,
    });
    assert.equal(followed.status, 0, followed.stderr);
    const { status, stdout, stderr } = harden("--allow-script", address, "the shop's pixel");
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /allowed +scripts may add https:\/\/pixel\.example\/events\.js: the shop's pixel.*index\.html/,
    );
    assert.doesNotMatch(stdout + stderr, /seems to add/);
    assert.match(stdout, /weakened +scripts may add others.*\(\/index\.html\)/);
    const lock = readFileSync(join(root, "curtainwall.lock.json"), "utf8");
    assert.match(lock, /"kind":"added","url":"https:\/\/pixel\.example\/events\.js".*"approved"/);
  });

  test("one that no page wants is told", (context) => {
    const { write, harden } = place(context);
    write(tagged);
    const { stdout } = harden("--plan", "--allow-script", "https://nowhere.example/x.js", "a slip");
    assert.match(stdout, /allowed +scripts may add https:\/\/nowhere\.example\/x\.js: a slip.*\(no page\)/);
  });

  test("a whole origin needs the word insecure; what a policy can't hold, and a missing reason, are refused", (context) => {
    const { root, write, harden } = place(context);
    write(tagged);
    const refused = (...words: readonly string[]): string => {
      const { status, stderr } = harden(...words);
      assert.equal(status, 2, words.join(" "));
      return stderr;
    };
    assert.match(
      refused("--allow-script", "https://pixel.example/", "why"),
      /stands for everything below it/,
    );
    assert.match(
      refused("--allow-script", "https://pixel.example/v1/", "why"),
      /stands for everything below it/,
    );
    assert.match(refused("--insecure-allow-scripts", address, "why"), /names one script/);
    assert.match(refused("--allow-script", `${address}?id=1`, "why"), /query/);
    assert.match(refused("--allow-script", "http://pixel.example/x.js", "why"), /no https address/);
    assert.match(refused("--allow-script", "https://*.example/x.js", "why"), /no policy can name/);
    assert.match(refused("--allow-script", "https://a;b/x.js", "why"), /no policy can name|no https address/);
    assert.match(refused("--allow-script", address), /takes a reason/);
    assert.match(refused("--allow-script", address, "--json"), /takes a reason/);
    assert.match(refused("--allow-script", address, ""), /reason/);
    const wide = harden("--insecure-allow-scripts", "https://pixel.example", "parts by version");
    assert.equal(wide.status, 0, wide.stderr);
    assert.match(wide.stdout, /allowed +scripts may add https:\/\/pixel\.example\/: parts by version/);
    assert.ok(existsSync(join(root, "out")));
  });
});

test("what pages miss is told with the page: scripts, stylesheets, pictures, and an integrity that browsers refuse; a style is not said to run", (context) => {
  const { write, harden } = place(context);
  const wrong = `sha384-${"A".repeat(64)}`;
  write({
    "index.html": `<!doctype html><title>x</title><link rel="stylesheet" href="site.css" integrity="${wrong}"><link rel="stylesheet" href="https://styles.example/a.css"><img src="gone.png"><script src="gone.js"></script>`,
    "site.css": "p { color: red }",
    "whole.html": "<!doctype html><title>y</title><link rel=stylesheet href=site.css>",
  });
  const { stdout } = harden("--plan");
  for (const line of [
    /missing +there is no picture \/gone\.png +\(\/index\.html\)/,
    /missing +there is no script \/gone\.js +\(\/index\.html\)/,
    /note +the integrity of \/site\.css does not fit the file: browsers refuse it +\(\/index\.html\)/,
    /style +https:\/\/styles\.example\/a\.css +unpinnable: it runs nothing/,
  ])
    assert.match(stdout, line);
  assert.doesNotMatch(stdout, /whole\.html|whatever lies there runs/);
});

test("pages that are strict by what was learned are told apart, and the next command is said whole", (context) => {
  const { root, write, harden } = place(context);
  const page = "<!doctype html><title>x</title><script>fetch(window.name)</script>";
  write({ "index.html": page, "other.html": page });
  const offered = /npx curtainwall (csp learn \S+ --out \S+), {2}then harden with {2}(--learned \S+)/.exec(
    harden("--plan").stderr,
  );
  assert.equal(offered?.[1], `csp learn ${join(root, "dist")} --out learned.json`);
  const classes = [
    { pages: ["/index.html", "/gone.html"], allow: { "connect-src": ["https://tides.example"] } },
  ];
  writeFileSync(join(root, "learned.json"), JSON.stringify({ format: "curtainwall-learned 1", classes }));
  const { stdout, stderr } = harden("--plan", "--learned", "learned.json");
  assert.match(
    stdout,
    /strict +1 of 2 pages allow exactly what is on them, and what was learned: 1 need that/,
  );
  assert.match(stdout, /learned +connect-src https:\/\/tides\.example +\(\/index\.html\)/);
  assert.match(stdout, /learned +of pages that the site does not have.*\(\/gone\.html\)/);
  assert.match(
    stderr,
    /connections on \/other\.html, which learned\.json does not hold.*--learned learned\.json --out learned\.json/,
  );
});
