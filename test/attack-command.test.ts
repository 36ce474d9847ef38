import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { asTested, command, commandInShell } from "./support/command.ts";
import { makeProject } from "./support/project.ts";
import { testCertificate } from "../src/audit/fixtures/certificate.ts";
import type { Fault } from "../src/audit/fixtures/faults.ts";
import { alice, bob, orders } from "../src/audit/fixtures/orders.ts";
import { startSite } from "../src/audit/fixtures/site.ts";
import type { TestSite } from "../src/audit/fixtures/site.ts";

const contract = (
  more = "",
): string => `import { defineStack, owner, ownerField, upstream } from "curtainwall";
import { z } from "zod";

const Order = z.object({ id: z.uuid(), customer: z.uuid(), note: z.string().max(80) });
const origin = process.env.TEST_SITE_ORIGIN ?? "https://localhost:1";

export default defineStack({
  origin,
  identity: { issuer: origin + "/login", audience: "https://api.test.example", jwksUrl: origin + "/jwks", caFile: "ca.pem", algorithms: ["RS256"] },
  upstreams: { shop: upstream({ url: origin, caFile: "ca.pem" }) },
  edge: { redirectPort: false },
  routes: {
    "GET /api/orders/:id": {
      limit: "60/min per client",
      access: ownerField("customer"),
      params: { id: z.uuid() },
      response: Order,
      to: "shop",
    },${more}
  },
});
`;

const plan = `import { readFileSync } from "node:fs";
import { defineAudit } from "curtainwall/audit";
const tokens = JSON.parse(readFileSync(new URL("tokens.json", import.meta.url), "utf8"));
const identity = (subject, own) => ({ subject, token: async () => own });
export default defineAudit({
  identities: { alice: identity("${alice}", tokens.alice), bob: identity("${bob}", tokens.bob) },
  samples: {
    "GET /api/orders/:id": {
      as: {
        alice: { params: { id: "${orders[0]?.id}" }, canary: "canary-of-alice" },
        bob: { params: { id: "${orders[1]?.id}" }, canary: "canary-of-bob" },
      },
    },
  },
});
`;

const project = await makeProject({
  config: contract(),
  files: {
    "curtainwall.audit.js": plan,
    "tokens.json": '{"alice":"a","bob":"b"}',
    "ca.pem": (await testCertificate()).ca,
    ".curtainwall/ca/ca.crt": (await testCertificate()).ca,
  },
});
mkdirSync(join(project.root, "test"));
after(() => project.remove());

const file = join(project.root, "test/attack.generated.ts");
const attack = (...args: string[]): { code: number | null; out: string; words: string } => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...command, "attack", project.root, ...args],
    { encoding: "utf8", env: { ...process.env, TEST_SITE_ORIGIN: "https://localhost:1" } },
  );
  return { code: status, out: stdout, words: stderr };
};

test("kinds, routes, times and files that are none are misuse, told with what there is", () => {
  const misused = (...args: string[]): string => {
    const { code, out, words } = attack(...args);
    assert.deepEqual([code, out], [2, ""], words);
    return words;
  };
  assert.match(
    misused("--kind", "acess"),
    /no kind of attack "acess"; there are access, objects, .*\n→ Did you mean {2}access\?/,
  );
  assert.match(
    misused("--route", "GET /api/order"),
    /no route "GET \/api\/order"\.\n→ Did you mean {2}'GET \/api\/orders\/:id'\?/,
  );
  assert.match(misused("--route", "GET /weather"), /no route .*\n→ Its routes: GET \/api\/orders\/:id\n/);
  assert.match(misused("--budget", "soon"), /--budget takes a time/);
  assert.match(
    misused("--kind", "sequences", "--route", "GET /api/orders/:id"),
    /"sequences" is an attack on the site as a whole, and on no route by itself\.\n→ Leave out --route/,
  );
  assert.match(misused("--route", "GET /api/orders/:id,GET /api/order"), /no route "GET \/api\/order"/);
  assert.match(misused("--emit", join(project.root, "none/x.ts")), /no file that could be written/);
  if (existsSync("/proc/self"))
    assert.match(
      misused("--emit", "/proc/x.ts"),
      /--emit \/proc\/x\.ts can't be written \(E[A-Z]+\)\.\n→ Usage/,
    );
});

test("where nothing runs it says so with what starts it, counts nothing as held, and exits with 1", () => {
  const { code, out } = attack("--kind", "access,limits");
  assert.equal(code, 1);
  assert.match(out, /nothing answers at https:\/\/localhost:1 \(ECONNREFUSED\); start it\s+with/);
  assert.match(out, /Nothing could be attacked\.\n$/);
});

test("an address that is not the contract's is said to be that, beside what starts the contract's own", () => {
  const { code, out } = attack("https://localhost:2", "--kind", "access");
  assert.equal(code, 1);
  const words = out.replaceAll(/\s+/g, " ");
  assert.match(
    words,
    /nothing answers at https:\/\/localhost:2 \(ECONNREFUSED\); the contract's own address is https:\/\/localhost:1, which is started with \$ TEST_SITE_ORIGIN=\S+ npx curtainwall start /,
  );
});

test("another machine is not attacked", () => {
  const { code, words } = attack("https://attack.test.example");
  assert.equal(code, 1);
  assert.match(words, /^AUDIT_OWNERSHIP_UNPROVED/);
});

test("the list counts by kind and by route, and names each check where asked, as JSON too", () => {
  const table = attack("--list", "--kind", "objects,tls");
  assert.match(table.out, /^ +routes +on them +on site\nobjects +1 +\d+ +\d+\ntls +0 +0 +\d+\n/);
  assert.match(table.out, /\n +\d+ {2}GET \/api\/orders\/:id: objects \d+\n/);
  assert.match(table.out, /\n[\d,]+ attacks: 2 kinds, 1 route\. Each by name: --verbose\.\n$/);
  const { out, code } = attack("--list", "--verbose", "--kind", "objects,tls");
  assert.equal(code, 0);
  assert.match(out, /^objects {4}GET \/api\/orders\/:id\n {13}\S/);
  assert.doesNotMatch(out, /their own is allowed/, "an honest request is no attack");
  const units = JSON.parse(attack("--list", "--json", "--kind", "tls").out) as {
    kind: string;
    route?: string;
  }[];
  assert.deepEqual(
    units.map(({ kind, route }) => [kind, route]),
    [["tls", undefined]],
  );
});

test("several routes are attacked as one is, and nothing else; the emitted file says so", (t) => {
  const others = ["items", "things"].map(
    (name) =>
      `\n    "GET /api/${name}/:id": { access: signedIn, limit: "9/min per client", params: { id: z.uuid() }, response: Order, to: "shop" },`,
  );
  const config = join(project.root, "curtainwall.config.ts");
  writeFileSync(config, contract(others.join("")).replace("import { ", "import { signedIn, "));
  t.after(() => writeFileSync(config, contract()));
  const routes = ["GET /api/orders/:id", "GET /api/items/:id"];
  const chosen = ["--kind", "access", "--route", routes.join(", ")];
  const twice = routes.flatMap((route) => ["--route", route]);
  for (const given of [chosen, ["--kind", "access", ...twice]]) {
    const units = JSON.parse(attack("--list", "--json", ...given).out) as { route?: string }[];
    assert.deepEqual(
      units.map(({ route }) => route),
      routes,
    );
  }
  assert.equal(attack(...chosen, "--emit", file).code, 0);
  const emitted = readFileSync(file, "utf8");
  assert.ok(emitted.includes(`routes: ${JSON.stringify(routes)},`));
  assert.match(emitted, /^\/\/ Made by .* --route 'GET \/api\/orders\/:id,GET \/api\/items\/:id' --emit /);
});

test("the same contract gives the same tests, a changed limit too; a new route is one more", () => {
  const emitted = (config: string): string => {
    writeFileSync(join(project.root, "curtainwall.config.ts"), config);
    assert.equal(attack("--emit", file).code, 0);
    return readFileSync(file, "utf8");
  };
  const first = emitted(contract());
  assert.equal(emitted(contract()), first);
  assert.equal(emitted(contract().replace("60/min", "30/min")), first);
  const more = emitted(
    contract(
      '\n    "GET /api/users/:user/orders": { access: owner("user"), limit: "9/min per client", params: { user: z.uuid() }, response: Order, to: "shop" },',
    ),
  );
  assert.ok(more.includes('test("access · GET /api/users/:user/orders"'));
  assert.ok(first.split("\n").every((line) => more.includes(line)));
  emitted(contract());
});

test("writing the tests tells at once what the plan has no means for, and asks nobody", () => {
  assert.match(
    attack("--kind", "access", "--emit", file).words,
    /2 attacks can't be made with this plan, and their tests will fail .*\n {2}no identity in the plan has an expiredToken \(1\)\n {2}no identity in the plan has an otherAudienceToken \(1\)\n/,
  );
  assert.doesNotMatch(attack("--kind", "objects", "--emit", file).words, /can't be made|left out/);
  const errors = attack("--kind", "errors,answers", "--emit", file).words;
  assert.match(errors, /will fail .*\n(?: {2}.*\n)* {2}the plan names no canary \(1\)\n/);
  assert.match(
    errors,
    /left out, and in no test, .*\n(?: {2}.*\n)* {2}answers: what a lying upstream says stays inside: the plan's lies name no input/,
  );
});

test("no name of a folder becomes code in the emitted file, and the folder is found all the same", () => {
  const name = 'odd # 100%?\nimport("node:fs").then((fs) => fs.writeFileSync("FORGED", ""));\u2028"';
  const odd = join(project.root, "test", name);
  mkdirSync(odd, { recursive: true });
  writeFileSync(join(odd, "curtainwall.config.ts"), contract());
  writeFileSync(join(odd, "ca.pem"), readFileSync(join(project.root, "ca.pem")));
  const { status, stderr } = spawnSync(
    process.execPath,
    [...command, "attack", odd, "--kind", "access", "--emit", file],
    { encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  const text = readFileSync(file, "utf8");
  assert.doesNotMatch(text, /^\W*import\(/m);
  assert.equal(text.split(/[\n\u2028]/).filter((line) => line.startsWith("//")).length, 5);
  const folder = JSON.parse(/folder: new URL\((".*"), import/.exec(text)?.[1] ?? "") as string;
  assert.equal(fileURLToPath(new URL(folder, pathToFileURL(file))), `${odd}/`);
});

/** Starts the shop, and gives its users' tokens to the plan. */
async function startShop(...faults: Fault[]): Promise<TestSite> {
  const site = await startSite(...faults);
  const tokenOf = async (name: string): Promise<string> => {
    const identity = site.plan.identities?.[name];
    return identity === undefined || "apiKey" in identity ? "" : identity.token();
  };
  const tokens = { alice: await tokenOf("alice"), bob: await tokenOf("bob") };
  writeFileSync(join(project.root, "tokens.json"), JSON.stringify(tokens));
  return site;
}

/** Starts what answers so many requests, and no more. */
async function startStuck(context: TestContext, answered: number): Promise<string> {
  let requests = 0;
  const server = createServer(await testCertificate(), (request, response) => {
    request.resume();
    if (requests++ < answered) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

/** Runs the emitted file as a user does. The shop lives in this process, so it must not wait for the other one. */
function runEmitted(
  origin: string,
  environment: NodeJS.ProcessEnv = {},
  ...options: readonly string[]
): Promise<{ code: number | null; out: string }> {
  const env = { ...process.env, TEST_SITE_ORIGIN: origin, NODE_TEST_CONTEXT: undefined, ...environment };
  const args = [...asTested, "--test", "--test-reporter=spec", ...options, file];
  return collect(process.execPath, args, env);
}

function collect(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => void (out += String(chunk)));
    child.once("error", reject).once("close", (code) => resolve({ code, out }));
  });
}

test("the emitted tests pass where the promises are kept; what can't be attempted fails, or is skipped if that is allowed", async (context) => {
  assert.equal(attack("--kind", "objects,access", "--emit", file).code, 0);
  const site = await startShop();
  context.after(() => site.close());
  const origin = site.target.origin;
  const strict = await runEmitted(origin);
  // The plan has no token that has expired, so that one was not tried.
  assert.equal(strict.code, 1, strict.out);
  assert.match(
    strict.out,
    /✔ the attack is made, .*\n[\s\S]*ℹ https:\/\/localhost:\d+ was attacked: 2 kinds, 1 route, \d+ attacks, \d+ attempts/,
  );
  assert.match(strict.out, /✔ objects · GET \/api\/orders\/:id/);
  assert.match(strict.out, /✖ access · GET \/api\/orders\/:id/);
  assert.match(strict.out, /not made: the plan has no expiredToken for (alice|bob)/);
  const lenient = await runEmitted(origin, { CURTAINWALL_ATTACK_ALLOW_MISSING: "1" });
  assert.equal(lenient.code, 0, lenient.out);
  assert.match(lenient.out, /﹣ access · GET \/api\/orders\/:id/);
});

test("a stack that is not there fails its tests, whatever may be missing", async () => {
  assert.equal(attack("--kind", "access", "--emit", file).code, 0);
  const gone = await runEmitted("https://localhost:1", { CURTAINWALL_ATTACK_ALLOW_MISSING: "1" });
  assert.equal(gone.code, 1, gone.out);
  assert.match(gone.out, /✖ the attack is made/);
  assert.match(
    gone.out,
    /the attack ended early: nothing answers at https:\/\/localhost:1 .*; start it with  /,
  );
});

test("time that runs out fails each test with what gives more, whether it was greeted by then or not", async (context) => {
  assert.equal(attack("--kind", "access,headers", "--emit", file).code, 0);
  for (const answered of [0, 1]) {
    const origin = await startStuck(context, answered);
    const late = await runEmitted(origin, { CURTAINWALL_ATTACK_BUDGET: "1" });
    assert.equal(late.code, 1, late.out);
    const failures = late.out.slice(late.out.indexOf("failing tests:")).split("✖ ").slice(1);
    assert.ok(failures.length >= 3, late.out);
    for (const failure of failures)
      assert.match(
        failure,
        /the time for it was used up; CURTAINWALL_ATTACK_BUDGET=1m gives it longer/,
        `${answered} answered`,
      );
  }
});

test("no time-out of tests ends the attack; tests that are chosen by name attack too", async (context) => {
  assert.equal(attack("--kind", "access,objects", "--emit", file).code, 0);
  const site = await startShop();
  context.after(() => site.close());
  const hasty = await runEmitted(site.target.origin, {}, "--test-timeout=1000");
  assert.doesNotMatch(hasty.out, /timed out/, "the attack takes longer, and has its own time");
  const chosen = await runEmitted(site.target.origin, {}, "--test-name-pattern=^objects");
  assert.equal(chosen.code, 0, chosen.out);
  assert.match(chosen.out, /✔ objects · GET \/api\/orders\/:id/);
  assert.doesNotMatch(chosen.out, /the attack is made/);
});

test("tests that are chosen by name make no more than their own attacks; of one kind, or one route, soon all", async (context) => {
  const site = await startShop();
  context.after(() => site.close());
  const other =
    '\n    "GET /api/users/:user/orders": { access: owner("user"), limit: "9/min per client", params: { user: z.uuid() }, response: z.array(Order), to: "shop" },';
  const config = join(project.root, "curtainwall.config.ts");
  writeFileSync(config, contract(other));
  context.after(() => writeFileSync(config, contract()));
  assert.equal(attack("--emit", file).code, 0);
  const lenient = { CURTAINWALL_ATTACK_ALLOW_MISSING: "1" };
  const begun = async (pattern: string): Promise<[string[], number]> => {
    const before = site.logged.size;
    const { out, code } = await runEmitted(site.target.origin, lenient, `--test-name-pattern=${pattern}`);
    assert.equal(code, 0, out);
    const orders = [...out.matchAll(/attack {2}begins, .*?\(CURTAINWALL_ATTACK_BUDGET\)(?:: )?(.*)$/gm)];
    return [orders.map(([, about = ""]) => about), site.logged.size - before];
  };
  const [order, users] = ["GET /api/orders/:id", "GET /api/users/:user/orders"];
  const [one, refusals] = await begun("^objects · GET /api/orders/:id$");
  assert.deepEqual(one, [`objects, ${order}`]);
  assert.deepEqual((await begun("^(access|objects) · GET /api/orders/:id$"))[0], [`access, ${order}`, order]);
  const [kind, more] = await begun("^access · ");
  assert.deepEqual(kind, [`access, ${order}`, "access"]);
  assert.ok(
    refusals > 0 && refusals < more,
    `${refusals} refusals, ${more} of another kind on both ${users} and this`,
  );
});

test("where the stack is gone, a test that is chosen by name says so, whatever may be missing", async () => {
  assert.equal(attack("--kind", "access", "--emit", file).code, 0);
  const gone = await runEmitted(
    "https://localhost:1",
    { CURTAINWALL_ATTACK_ALLOW_MISSING: "1" },
    "--test-name-pattern=^access",
  );
  assert.equal(gone.code, 1, gone.out);
  assert.match(
    gone.out,
    /the attack ended early: nothing answers at https:\/\/localhost:1 .*; start it with  /,
  );
});

test("an attack that gets through fails its test, which names the line of the promise and a command that shows it again", async (context) => {
  assert.equal(attack("--kind", "objects", "--emit", file).code, 0);
  const site = await startShop("ignores ownership");
  context.after(() => site.close());
  const { code, out } = await runEmitted(site.target.origin);
  assert.equal(code, 1, out);
  assert.match(out, /✖ objects · GET \/api\/orders\/:id/);
  assert.match(out, /✔ every attack that the contract gives rise to stands in this file/);
  assert.match(
    out,
    /promise {4}what the contract says at "access:" of GET \/api\/orders\/:id, curtainwall\.config\.ts:15/,
  );
  assert.match(out, /answer {5}200 .*canary-of-alice/);
  const shown = /again {6}(curl .*)/.exec(out)?.[1] ?? "";
  const again = await collect("sh", ["-c", shown.replaceAll("npx curtainwall", commandInShell)], {
    ...process.env,
    TEST_SITE_ORIGIN: site.target.origin,
  });
  assert.match(again.out, /canary-of-(alice|bob)/, shown);
});

test("a route that is gone, and one that no test knows, are told with the command that writes the file again", async (context) => {
  assert.equal(attack("--kind", "objects", "--emit", file).code, 0);
  writeFileSync(file, readFileSync(file, "utf8").replaceAll("/api/orders/:id", "/api/orders/:other"));
  const site = await startShop();
  context.after(() => site.close());
  const { code, out } = await runEmitted(site.target.origin);
  assert.equal(code, 1);
  assert.match(
    out,
    /the contract has no route "GET \/api\/orders\/:other" any more; write the file again: {2}npx curtainwall attack/,
  );
  assert.match(out, /no test asks about objects · GET \/api\/orders\/:id; write/);
});
