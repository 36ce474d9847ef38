// MON-1 against a whole stack and its real log; then against logs of the same stack with something planted in them.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { runCheck } from "../src/audit/check.ts";
import type { AuditContext } from "../src/audit/context.ts";
import type { LedgerProbe } from "../src/audit/index.ts";
import { openContext } from "../src/audit/node/open-context.ts";
import type { AuditCheck } from "../src/audit/report.ts";
import { mon1 } from "../src/audit/rules/mon-1/mon-1.ts";
import { ledgerOf, readAuthority } from "../src/cli/audit/audit-inputs.ts";
import { formatRecord } from "../src/ledger/index.ts";
import { endOfLog, logLines, openLogFile } from "../src/ledger/node.ts";
import { loadContract, readLastCheckpoint, startStack } from "../src/stack/index.ts";
import type { RunningStack } from "../src/stack/index.ts";
import { freePorts } from "../tools/mutate/free-ports.ts";
import { makeProject } from "./support/project.ts";
import type { TestProject } from "./support/project.ts";

const canary = "no-guest-may-see-this";

const configOf = (port: number): string => `
import { defineStack, everyone, form, signedIn, upstream } from "curtainwall";
import { z } from "zod";
const answer = { limit: "99/min per client", response: z.object({ ok: z.boolean() }), to: "shop" } as const;
export default defineStack({
  origin: "https://localhost:${port}",
  edge: { redirectPort: false, threads: 2 },
  identity: { issuer: "https://127.0.0.1:1/", audience: "test", jwksUrl: "https://127.0.0.1:1/jwks" },
  upstreams: { shop: upstream({ url: "https://127.0.0.1:1" }) },
  routes: {
    "GET /api/breads/:id": { ...answer, access: everyone, params: { id: z.string().max(20) } },
    "GET /api/orders": { ...answer, access: signedIn },
    "POST /api/letters": { ...answer, access: everyone, body: z.object({ text: z.string().max(40) }), maxBodyBytes: 2000 },
    "POST /api/votes": { ...answer, access: everyone, body: form({ name: z.string().max(40) }), maxBodyBytes: 2000 },
  },
});`;

let project: TestProject;
let stack: RunningStack;
let context: AuditContext;
let close: () => Promise<void>;
let folder: string;

before(async () => {
  const [port = 0] = await freePorts(1);
  project = await makeProject({ config: configOf(port) });
  stack = await startStack({ path: project.root, log: () => undefined });
  folder = mkdtempSync(join(tmpdir(), "curtainwall-mon-"));
  const { contract, root } = await loadContract(project.root);
  // Signed once before it is looked at.
  while (true) {
    if (readLastCheckpoint(stack.folders) !== undefined) break;
    await pause(50);
  }
  ({ context, close } = await openContext({
    contract,
    root,
    target: new URL(contract.origin),
    ca: readAuthority(stack.folders),
    plan: {
      samples: {
        "GET /api/breads/:id": { params: { id: "rye" } },
        "POST /api/letters": { body: { text: "Hello" } },
        "POST /api/votes": { body: { name: "Rye" } },
      },
      failures: { "GET /api/breads/:id": { params: { id: "rye" } } },
      canaries: [canary],
    },
    ...ledgerOf(stack.folders),
  }));
});

after(async () => {
  await close?.();
  await stack?.close();
  project?.remove();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

const [events, safe, chain] = mon1.checks;

function run(check: (typeof mon1.checks)[number] | undefined, ledger?: LedgerProbe): Promise<AuditCheck> {
  assert.ok(check !== undefined);
  return runCheck(check, "MON-1", ledger === undefined ? context : { ...context, ledger });
}

suite("the log of a stack", () => {
  for (const check of mon1.checks)
    test(`${check.name}: it does`, async () => {
      const { state, reason, evidence } = await run(check);
      assert.deepEqual([state, reason], ["passed", undefined], JSON.stringify(evidence));
    });

  test("what can't be read is missing, and no pass", async () => {
    for (const check of mon1.checks) {
      const { state, reason } = await runCheck(check, "MON-1", { ...context, ledger: undefined });
      assert.equal(state, "missing");
      assert.match(reason ?? "", /can't be read from here/);
    }
  });
});

/** A probe of this log with lines of ours among those that were written since the audit began: what a careless log would have. */
const withLines = (write: (line: string) => string | undefined): LedgerProbe => {
  const { ledger } = context;
  assert.ok(ledger !== undefined);
  async function* changed(lines: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const line of lines)
      for (const part of (write(Buffer.from(line).toString("utf8")) ?? "").split("\n"))
        if (part !== "") yield Buffer.from(part);
  }
  return {
    ...ledger,
    written: () => changed(ledger.written()),
    kept: () => changed(ledger.kept()),
  };
};

suite("a log that is not what it should be", () => {
  const lacking: [name: string, write: (line: string) => string | undefined, expected: RegExp][] = [
    [
      "refusals are not written",
      (line) => (line.includes("gateway.request.refused") ? undefined : line),
      /GET \/api\/orders refused: the log has nothing of it/,
    ],
    [
      "failures are not written",
      (line) => (line.includes("gateway.upstream.failed") ? undefined : line),
      /failed: the log has nothing of it/,
    ],
    [
      "reports of browsers are not written",
      (line) => (line.includes("browser.policy.violated") ? undefined : line),
      /a browser's report as .*: the log has nothing of it/,
    ],
    [
      "what the edge refuses is not written",
      (line) => (line.includes("edge.request.refused") ? undefined : line),
      /a malformed request refused \(.*: the log has nothing of it/,
    ],
    [
      "the client is another",
      (line) => line.replace(/"client":"[^"]*"/, '"client":"10.0.0.1"'),
      /its record says client/,
    ],
    [
      "the route is left out",
      (line) => line.replace(/"route":"[^"]*",/, ""),
      /its record says route undefined/,
    ],
    [
      "the code is another",
      (line) => line.replace(/"code":"[^"]*"/, '"code":"OTHER"'),
      /its record says code/,
    ],
    [
      "the time is another",
      (line) => line.replace(/"time":"[^"]*"/, '"time":"2026-01-01T00:00:00.000Z"'),
      /its record says 2026-01-01/,
    ],
  ];
  for (const [name, write, expected] of lacking)
    test(`fails where ${name}`, async () => {
      let now = Date.now();
      // Nobody waits for what does not come; what is only written otherwise does.
      const isHasty = expected.source.includes("nothing of it");
      const hasty = isHasty ? { now: () => now, sleep: async (ms: number) => void (now += ms) } : {};
      const { state, evidence } = await runCheck(events ?? assert.fail(), "MON-1", {
        ...context,
        ...hasty,
        ledger: withLines(write),
      });
      assert.equal(state, "failed");
      assert.match(evidence.map(({ about }) => about).join("\n"), expected);
    });

  const unsafe: [name: string, write: (line: string) => string, expected: RegExp][] = [
    [
      "fields are written as they came",
      (line) => {
        const name = /cw[a-z]{16}(?=%0D)/.exec(line)?.[0];
        return name === undefined
          ? line
          : `${line}\n${decodeURIComponent(/\/(cw[^"]*)"/.exec(line)?.[1] ?? "")}`;
      },
      /is no record|as if the stack said it/,
    ],
    [
      "an escape stands in a record",
      (line) => line.replace('"id":"', '"id":"\u001b[2J'),
      /is no record|acts on a terminal/,
    ],
    [
      "a C1 control stands in a record",
      (line) => line.replace('"id":"', '"id":"\u009b31m'),
      /acts on a terminal/,
    ],
    ["a direction is overridden", (line) => line.replace('"id":"', '"id":"\u202e'), /acts on a terminal/],
    [
      "a canary is written",
      (line) => line.replace('"id":"', `"note":"${canary}","id":"`),
      /canary 1 of the plan/,
    ],
    [
      "a canary is written in base64",
      (line) =>
        line.replace('"id":"', `"note":"${Buffer.from(`x${canary}yz`).toString("base64url")}","id":"`),
      /canary 1 of the plan/,
    ],
  ];
  for (const [name, write, expected] of unsafe)
    test(`fails where ${name}`, async () => {
      const { state, evidence, reason } = await run(safe, withLines(write));
      assert.equal(state, "failed", reason ?? "");
      assert.match(JSON.stringify(evidence), expected);
    });

  test("fails where it holds what stood in a header, a token, a query or a body", async () => {
    const sent: string[] = [];
    const noting = {
      ...context,
      mark: () => {
        const mark = context.mark();
        sent.push(mark);
        return mark;
      },
      ledger: withLines((line) => line.replace('"id":"', `"note":"${sent.join(" ")}","id":"`)),
    };
    const { state, failing, evidence } = await runCheck(safe ?? assert.fail(), "MON-1", noting);
    assert.equal(state, "failed");
    assert.ok((failing ?? 0) > 10);
    assert.match(JSON.stringify(evidence), /the log holds what was sent in User-Agent/);
  });

  test("proves nothing where nothing reaches it, or where the plan names no canary", async () => {
    let now = Date.now();
    const silent = {
      ...context,
      now: () => now,
      sleep: async () => void (now += 20_000),
      ledger: withLines(() => undefined),
    };
    const { state, reason } = await runCheck(safe ?? assert.fail(), "MON-1", silent);
    assert.deepEqual([state, /did not get the last/.test(reason ?? "")], ["missing", true]);
    const { canaries: _, ...plan } = context.plan;
    const unplanned = await runCheck(safe ?? assert.fail(), "MON-1", { ...context, plan });
    assert.deepEqual([unplanned.state, unplanned.reason], ["missing", "the plan names no canary"]);
  });

  test("its chain fails where a record was changed, taken out, or taken back to before it was signed", async () => {
    // As it is now: what is signed later, also within these seconds, says of a copy of the log that its end was cut off.
    const supervisor = join(folder, "supervisor");
    cpSync(stack.folders.supervisor, supervisor, { recursive: true });
    const text = readFileSync(stack.folders.logFile, "utf8");
    const signed = readLastCheckpoint({ supervisor })?.through ?? assert.fail();
    const lines = text.split("\n");
    const copy = join(folder, "events.jsonl");
    const judged = async (changed: string): Promise<AuditCheck> => {
      writeFileSync(copy, changed);
      const { ledger } = ledgerOf({ ...stack.folders, supervisor, logFile: copy });
      return run(chain, ledger);
    };
    assert.equal((await judged(text)).state, "passed");
    for (const [changed, expected] of [
      [text.replace('"code":"GATEWAY', '"code":"NOTHING'), /does not follow from record \d+:/],
      [lines.toSpliced(3, 1).join("\n"), /record 4 is not there/],
      [
        `${lines.slice(0, signed - 1).join("\n")}\n`,
        /a checkpoint (covers it up to|that was given is of another log)/,
      ],
      [`${text}{"event":"stack.stopped"}\n`, /are no record/],
    ] as const) {
      const { state, evidence } = await judged(changed);
      assert.equal(state, "failed");
      assert.match(JSON.stringify(evidence), expected);
    }
  });

  test("its chain proves nothing where nobody signed it", async () => {
    const file = join(folder, "unsigned.jsonl");
    const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
    log.append(formatRecord({ type: "stack.started", time: 0 }, "supervisor"));
    await log.close();
    const { ledger } = ledgerOf({ ...stack.folders, supervisor: folder, logFile: file });
    const { state, reason } = await run(chain, ledger);
    assert.deepEqual([state, /not signed yet/.test(reason ?? "")], ["missing", true]);
    assert.ok(endOfLog(file) !== undefined);
    for await (const line of logLines(file)) assert.match(String(line), /"seq":/);
  });
});
