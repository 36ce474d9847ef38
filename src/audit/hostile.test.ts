import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  answerEach,
  answerOf,
  misbehaviours,
  startHostile,
  startPlainHostile,
} from "./fixtures/hostile-target.ts";
import { startSite } from "./fixtures/site.ts";
import { printable } from "./evidence.ts";
import { divideTime } from "./node/ending.ts";
import { openJournal } from "./node/journal.ts";
import { runAudit } from "./node/run.ts";
import type { AuditReport } from "./report.ts";

const root = mkdtempSync(join(tmpdir(), "curtainwall-hostile-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Time for a server that answers at once, though on a machine that may be busy. */
const unhurried = { budgetMs: 240_000, timeoutMs: 20_000 };

/** Audits a hostile server with the contract and the identities of an honest site. */
async function auditHostile(
  port: number,
  {
    budgetMs = 8000,
    timeoutMs = 250,
    maxSlowMs = 1500,
    only,
  }: { budgetMs?: number; timeoutMs?: number; maxSlowMs?: number; only?: readonly string[] } = {},
): Promise<AuditReport> {
  const site = await startSite();
  try {
    return await runAudit({
      contract: site.contract,
      plan: site.plan,
      release: site.release,
      ca: site.ca,
      target: new URL(`https://localhost:${port}`),
      root,
      timeoutMs,
      maxSlowMs,
      budgetMs,
      only,
    });
  } finally {
    await site.close();
  }
}

/** No row that has a live check may be proved by a server that is not even one. */
function assertNothingProved(report: AuditReport): void {
  const proved = report.rows.filter((row) => row.verdict === "proved").map((row) => row.id);
  assert.deepEqual(proved, []);
  assert.ok(
    report.rows
      .filter((row) => row.verdict === "unknown")
      .every((row) => row.reason !== undefined || row.checks.some(({ state }) => state === "missing")),
  );
  // What JSON escapes and what it leaves raw are both looked for in the strings themselves.
  JSON.parse(JSON.stringify(report), (_, value: unknown) => {
    if (typeof value === "string") assert.equal(printable(value, 5000), value);
    return value;
  });
}

const protectedBy = [
  "strict-transport-security: max-age=31536000",
  "content-security-policy: default-src 'none'",
  "x-content-type-options: nosniff",
  "cache-control: no-store",
  "vary: origin",
];

/** Answers as a gateway gives them that is in good order, and behind which nothing is. */
const refusing: Readonly<Record<string, Uint8Array>> = {
  "200 and nothing to everything": answerOf("200 OK", "", "application/json", ...protectedBy),
  ...Object.fromEntries(
    [401, 403, 404, 503].map((status) => [
      `${status} to everything, with an id`,
      answerOf(
        `${status} No`,
        JSON.stringify({ type: "about:blank", title: "No", status, code: "NO", id: crypto.randomUUID() }),
        "application/problem+json",
        ...protectedBy,
      ),
    ]),
  ),
};

describe("a target by which nobody is served", { concurrency: 5 }, () => {
  for (const [what, answer] of Object.entries(refusing))
    test(`and that answers ${what}, holds against no attack`, { timeout: 300_000 }, async () => {
      const server = await startHostile(answerEach(answer));
      try {
        const only = ["API-1", "API-5", "FE-4"];
        const { rows } = await auditHostile(server.port, { ...unhurried, timeoutMs: 5000, only });
        const attacks = rows.flatMap(({ checks }) => checks).filter(({ attack }) => attack !== undefined);
        const passed = attacks.filter(({ state }) => state === "passed").map(({ name }) => name);
        assert.deepEqual(passed, []);
        assert.match(
          attacks.map(({ reason }) => reason).join("\n"),
          /an honest request (was|is) answered|it does not serve the site/,
        );
      } finally {
        server.close();
      }
    });
});

/** Far beyond a budget of two seconds: what waits for this one has no bound. */
const endless = { budgetMs: 2000, timeoutMs: 120_000, maxSlowMs: 120_000 };

describe("a target that misbehaves", { concurrency: 4 }, () => {
  for (const [what, misbehave] of Object.entries(misbehaviours))
    test(
      `and ${what} is left when the audit's time is up, with nothing proved`,
      { timeout: 110_000 },
      async () => {
        const server = await startHostile(misbehave());
        try {
          const report = await auditHostile(server.port, endless);
          assertNothingProved(report);
          assert.ok(report.durationMs < 100_000, `${report.durationMs} ms`);
        } finally {
          server.close();
        }
      },
    );
});

/** Long before what each of them waits for: see `endless`. */
const timeout = 110_000;

describe("an audit of a target that is stuck", { concurrency: 2 }, () => {
  test(
    "also waits no longer for what takes away what was made, and says how long it did",
    { timeout },
    async (t) => {
      const site = await startSite();
      t.after(() => site.close());
      const server = await startHostile(() => undefined);
      t.after(() => server.close());
      const budgetMs = 1000;
      const cleaned: unknown[] = [];
      // What an earlier one left is this one's to take away, however far it gets.
      const journal = join(root, "made");
      openJournal(journal).begin(new Date(0));
      await runAudit({
        contract: site.contract,
        plan: { ...site.plan, cleanUp: () => new Promise(() => undefined) },
        ca: site.ca,
        target: new URL(`https://localhost:${server.port}`),
        root,
        ...endless,
        budgetMs,
        journal,
        onCleanUp: ({ isFormer, problem }) => cleaned.push([isFormer, problem]),
      });
      const { cleanUpMs } = divideTime(budgetMs, true);
      const problem = { failed: `it took longer than ${Math.round(cleanUpMs / 100) / 10} seconds` };
      assert.deepEqual(cleaned, [
        [true, problem],
        [false, problem],
      ]);
    },
  );

  test("once it has answered one connection is over when its time is up", { timeout }, async (t) => {
    const answering = await startHostile(answerEach(answerOf("200 OK", "{}")));
    t.after(() => answering.close());
    let isFirst = true;
    const server = await startPlainHostile((socket) => {
      if (isFirst)
        socket
          .pipe(connect(answering.port, "127.0.0.1"))
          .on("error", () => undefined)
          .pipe(socket);
      isFirst = false;
    });
    t.after(() => server.close());
    assertNothingProved(await auditHostile(server.port, endless));
  });
});

describe("a hostile target", { concurrency: 4 }, () => {
  test("that is down gives unknown rows, with the reason", async () => {
    const server = await startHostile(() => undefined);
    server.close();
    const report = await auditHostile(server.port);
    assertNothingProved(report);
    assert.match(
      report.rows[0]?.checks.find((check) => check.kind === "live")?.reason ?? "",
      /nothing answers at https:\/\/localhost:\d+ \(ECONNREFUSED\); the contract's own address is https:/,
    );
  });

  test("that never answers is given up", { timeout: 120_000 }, async () => {
    const server = await startHostile(() => undefined);
    try {
      assertNothingProved(await auditHostile(server.port));
    } finally {
      server.close();
    }
  });

  test("that never finishes a handshake is given up", { timeout: 120_000 }, async () => {
    const server = await startPlainHostile(() => undefined);
    try {
      assertNothingProved(await auditHostile(server.port));
    } finally {
      server.close();
    }
  });

  test("that speaks no HTTP is given up", { timeout: 120_000 }, async () => {
    const server = await startHostile(answerEach("\x1b[2J\x00garbage\r\n\r\n"));
    try {
      const report = await auditHostile(server.port, { timeoutMs: 5000 });
      assertNothingProved(report);
      assert.match(JSON.stringify(report), /not HTTP/);
    } finally {
      server.close();
    }
  });

  test("that redirects in circles fails", { timeout: 120_000 }, async () => {
    const server = await startHostile(
      answerEach("HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n"),
    );
    try {
      const report = await auditHostile(server.port, { timeoutMs: 5000 });
      assertNothingProved(report);
      assert.equal(report.rows.find((row) => row.id === "API-1")?.verdict, "failed");
    } finally {
      server.close();
    }
  });

  test(
    "that says 200 to everything, with terminal escapes, fails and prints nothing of it raw",
    { timeout: 300_000 },
    async () => {
      const body = '{"title":"\x1b]0;owned\x07\x1b[31m \u009b31m \u202egnp"}';
      const server = await startHostile(
        answerEach(
          `HTTP/1.1 200 OK\r\nx-note: \x9b31m\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        ),
      );
      try {
        const report = await auditHostile(server.port, unhurried);
        assertNothingProved(report);
        for (const id of ["API-1", "API-3", "API-5", "API-7", "API-8", "SEC-2"])
          assert.equal(report.rows.find((row) => row.id === id)?.verdict, "failed", id);
      } finally {
        server.close();
      }
    },
  );

  test(
    "that limits everybody for an hour leaves checks missing, not passed",
    { timeout: 120_000 },
    async () => {
      const server = await startHostile(
        answerEach("HTTP/1.1 429 Too Many Requests\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n"),
      );
      try {
        assertNothingProved(await auditHostile(server.port));
      } finally {
        server.close();
      }
    },
  );

  test(
    "that takes its time for each answer is left when the audit's time is up",
    { timeout: 120_000 },
    async () => {
      const answer = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nok";
      const server = await startHostile((socket) => {
        socket.on("data", () => setTimeout(() => socket.write(answer), 150));
      });
      try {
        const report = await auditHostile(server.port, { budgetMs: 3000, timeoutMs: 5000 });
        assertNothingProved(report);
        assert.ok(report.durationMs < 60_000, `${report.durationMs} ms`);
        assert.match(
          JSON.stringify(report),
          /the time for it was used up; twice as long: {2}.*npx curtainwall audit .*--budget 1m/,
        );
      } finally {
        server.close();
      }
    },
  );

  for (const status of [400, 401, 403, 404, 429, 500])
    test(`that answers ${status} to everything, in the same words, proves nothing by not having what is looked for`, async () => {
      const server = await startHostile(
        answerEach(`HTTP/1.1 ${status} No\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno`),
      );
      try {
        const report = await auditHostile(server.port, { budgetMs: 3000 });
        assertNothingProved(report);
        const stateOf = (name: string): string | undefined =>
          report.rows.flatMap(({ checks }) => checks).find((check) => check.name === name)?.state;
        for (const name of ["none is served", "burst of N + 1", "no stack, path, SQL or version in errors"])
          assert.notEqual(stateOf(name), "passed", name);
      } finally {
        server.close();
      }
    });

  test("whose certificate does not verify gets no token, and fails API-8", async () => {
    const site = await startSite();
    let tokens = 0;
    const identities = Object.fromEntries(
      Object.entries(site.plan.identities ?? {}).map(([name, identity]) => [
        name,
        { ...identity, token: () => (tokens++, Promise.resolve("a.b.c")) },
      ]),
    );

    try {
      const report = await runAudit({
        contract: site.contract,
        plan: { ...site.plan, identities },
        target: site.target,
        root,
        maxSlowMs: 1000,
      });
      assertNothingProved(report);
      assert.equal(tokens, 0);
      assert.equal(
        report.rows
          .find((row) => row.id === "API-8")
          ?.checks.find((check) => check.name === "the certificate verifies")?.state,
        "failed",
      );
    } finally {
      await site.close();
    }
  });
});

// Beside no other test: it looks at the memory of the process.
test("a hostile target that answers without end is cut off", { timeout: 120_000 }, async () => {
  const chunk = Buffer.alloc(65_536, 97);
  const server = await startHostile((socket) => {
    const pour = (): void => {
      while (socket.writable && socket.write(chunk));
    };
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n");
      socket.on("drain", pour);
      pour();
    });
  });
  try {
    const before = process.memoryUsage().rss;
    assertNothingProved(await auditHostile(server.port, { budgetMs: 4000 }));
    assert.ok(process.memoryUsage().rss - before < 400 * 1_048_576);
  } finally {
    server.close();
  }
});
