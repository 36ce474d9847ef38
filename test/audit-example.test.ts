// The audit of the example, as a user runs it: the compiled command against `npm start`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { toSarif } from "../src/audit/index.ts";
import type { AuditReport } from "../src/audit/index.ts";
import { requires } from "./requires.ts";
import { npmStart, repository, survivors } from "./support/bakery.ts";
import type { OpenBakery } from "./support/bakery.ts";
import { assertSarif } from "./support/sarif-schema.ts";

const onLinux = process.platform === "linux" ? {} : { skip: "reads /proc" };
let bakery: OpenBakery;

before(async () => {
  if (process.platform === "linux") bakery = await npmStart();
});

after(async () => {
  bakery?.npm.kill("SIGTERM");
  assert.deepEqual(await survivors(bakery?.family ?? []), []);
});

/** A machine that runs other tests too may take longer than the four minutes that are the command's own. */
const budget = "1800s";

/** Runs `curtainwall audit … --json`. */
function audit(...options: string[]): Promise<{ code: number; report: AuditReport }> {
  return new Promise((resolve, reject) => {
    const command = [`${repository}dist/cli/main.js`, "audit", "examples/bakery"];
    const args = [...command, "--json", "--budget", budget, ...options];
    execFile(
      process.execPath,
      args,
      { cwd: repository, env: bakery.environment, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        try {
          resolve({ code: Number(error?.code ?? 0), report: JSON.parse(stdout) as AuditReport });
        } catch {
          reject(new Error(`${error?.message}\n${stderr}`));
        }
      },
    );
  });
}

const verdicts = ({ rows }: AuditReport): Record<string, string> =>
  Object.fromEntries(rows.map(({ id, verdict }) => [id, verdict]));

test(
  "The example fails no row; the rows with all their checks are proved, and API-2 says what one host can't show",
  { skip: requires("chromium").skip || onLinux.skip || false },
  async () => {
    const { code, report } = await audit();
    const failed = report.rows
      .filter(({ verdict }) => verdict === "failed")
      .map(({ id, checks }) => [id, checks.filter((check) => check.state === "failed")]);
    assert.deepEqual(failed, []);
    assert.equal(code, 0);
    assertSarif(await toSarif(report));
    assert.equal(report.rows.length, 24);
    assert.deepEqual([report.release?.served, report.release?.reason], ["as built", undefined]);
    for (const id of [
      "API-1",
      "API-3",
      "API-4",
      "API-5",
      "API-7",
      "API-8",
      "FE-2",
      "FE-4",
      "FE-6",
      "SEC-2",
      "SEC-3",
      "SEC-5",
      "MON-1",
    ]) {
      const row = report.rows.find((candidate) => candidate.id === id);
      assert.equal(
        row?.verdict,
        "proved",
        `${id}: ${JSON.stringify(row?.checks.filter((check) => check.state !== "passed").map(({ name, reason }) => [name, reason]))}`,
      );
    }
    const idle = report.rows
      .flatMap(({ checks }) => checks)
      .filter(({ state }) => state === "not applicable")
      .map(({ name }) => name);
    // It declares no variables, API keys, scopes, sessions or pace and one webhook, its origin has no dot, and it is no npm package and no image.
    assert.deepEqual(
      new Set(idle),
      new Set([
        "values that the contract keeps private, in every encoding",
        "public-env prefixes",
        "API keys: unknown, tampered and revoked ones",
        "an API key in an address is refused",
        "an API key and a token together are refused",
        "an API key opens what asks for a scope alone",
        "lacking scope",
        "webhooks signed with another route's key",
        "origin refused: dot",
        "a session is created for pages of the site alone",
        "who comes too fast waits, and then is told when to come back",
        "so many at once, and no more",
        "none is in the npm package",
        "none is in a container image",
      ]),
    );
    const limits = report.rows.find(({ id }) => id === "API-2");
    assert.equal(limits?.verdict, "unknown");
    // A machine that runs other tests too may be too slow to see where a limit ends, and tells so.
    const busy = /too slow|so slow is|shows no limit/;
    assert.deepEqual(
      limits?.checks
        .filter(({ state, reason = "" }) => state === "missing" && !busy.test(reason))
        .map(({ name }) => name),
      ["parallel burst on two instances", "IPv6 rotation inside a /64"],
    );
  },
);

test("Without a browser FE-2 is unknown and says so; it is no pass", onLinux, async () => {
  const { report } = await audit("--only", "FE-2", "--browser", "/nonexistent/chromium");
  assert.equal(verdicts(report)["FE-2"], "unknown");
  const missing = report.rows
    .find(({ id }) => id === "FE-2")
    ?.checks.filter(({ state }) => state === "missing");
  assert.ok(
    (missing?.length ?? 0) > 0 && missing?.every(({ reason }) => reason !== undefined && reason !== ""),
  );
});
