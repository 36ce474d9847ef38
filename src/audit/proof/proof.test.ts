import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { publicKeyOf, signEnvelope } from "../../contract/index.ts";
import type { EnvelopeSigner } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { summarise } from "../report.ts";
import type { AuditReport, AuditRow } from "../report.ts";
import { checklist } from "../rows.ts";
import { rules } from "../rules/index.ts";
import { hostileReport, row, check, sampleReport } from "../fixtures/report.ts";
import { makeProof } from "./make-proof.ts";
import { hashOf } from "./statement.ts";
import type { ProofStatement } from "./statement.ts";
import { verifyProof } from "./verify-proof.ts";
import type { VerifiedProof } from "./verify-proof.ts";

function makeSigner(): EnvelopeSigner {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicKey = publicKeyOf(Buffer.from(x, "base64url"));
  assert.ok(publicKey !== undefined);
  return { publicKey, sign: (message) => sign(null, message, privateKey) };
}

type Files = Map<string, Uint8Array>;

const signer = makeSigner();
const now = Date.parse("2026-11-22T21:00:00Z");
const pack = await makeProof({ report: sampleReport(), signer, keySource: "pinned", now });
const bytesOf = (files: ReadonlyMap<string, string>): Files =>
  new Map([...files].map(([name, text]) => [name, new TextEncoder().encode(text)]));
const fresh = (): Files => bytesOf(pack);
const verify = (
  files: Files,
  at = now,
  key: EnvelopeSigner["publicKey"] | undefined = signer.publicKey,
  tool = anotherTool,
): Promise<VerifiedProof> => verifyProof({ files, key, now: at, tool });
const day = 86_400_000;
/** Reports say that this one wrote them; most of theirs are made up, and have no checks of ours. */
const ownTool = "curtainwall 0.1.0";
const anotherTool = "curtainwall 0.2.0";
const verifyOwn = (files: Files): Promise<VerifiedProof> => verify(files, now, signer.publicKey, ownTool);

/** A report with all checks that there are; all that are made passed. */
function ownReport(change: (rows: AuditRow[]) => AuditRow[] = (rows) => rows): AuditReport {
  const rows = change(
    checklist.map(({ id, title, awaiting }) =>
      row(
        id,
        title,
        ...rules
          .filter((rule) => rule.id === id)
          .flatMap(({ checks }) => checks)
          .map(({ name, isSupporting }) =>
            check(name, "passed", isSupporting === true ? { isSupporting } : {}),
          ),
        ...awaiting.map(({ name, missing: reason }) => check(name, "missing", { observations: 0, reason })),
      ),
    ),
  );
  return { ...sampleReport(), rows, summary: summarise(rows) };
}
/** The same with another API-1. */
const withApi1 = (change: (api1: AuditRow) => AuditRow): AuditReport =>
  ownReport((rows) => rows.map((one) => (one.id === "API-1" ? change(one) : one)));

/** A pack of a report that whoever has the key wrote. */
const packOf = async (report: AuditReport): Promise<Files> =>
  bytesOf(await makeProof({ report, signer, keySource: "pinned", now }));
const statementText = (files: Files): string => {
  const { payload } = JSON.parse(new TextDecoder().decode(files.get("statement.json"))) as {
    payload: string;
  };
  return Buffer.from(payload, "base64").toString();
};
/** The pack with another statement, signed by the right key. */
async function signAgain(files: Files, statement: string): Promise<Files> {
  const envelope = await signEnvelope("proof", statement, signer);
  return files.set("statement.json", Buffer.from(`${JSON.stringify(envelope, null, 2)}\n`));
}
/** The pack with one file exchanged and its hash signed. */
async function exchangeFile(name: string, content: string, whole = fresh()): Promise<Files> {
  const files = whole.set(name, Buffer.from(content));
  const statement = JSON.parse(statementText(files)) as ProofStatement;
  statement.predicate.files[name] = await hashOf(content);
  return signAgain(files, JSON.stringify(statement));
}

test("a pack that nobody touched verifies, and states what was audited and what was not looked at", async () => {
  const { problems, statement, signedBy } = await verify(fresh());
  assert.deepEqual(problems, []);
  assert.equal(signedBy, signer.publicKey.text);
  assert.deepEqual(statement?.subject, [
    { name: "contract", digest: { sha256: "a".repeat(64) } },
    { name: "release", digest: { sha256: "b".repeat(64) } },
    { name: "served at https://localhost:8443", digest: { sha256: "b".repeat(64) } },
  ]);
  assert.deepEqual(
    statement?.predicate.notLookedAt.map(({ row: id, check: name }) => `${id} ${name}`),
    ["API-2 slow headers", "API-3 types"],
  );
  assert.deepEqual(
    (await verify(bytesOf(await makeProof({ report: hostileReport(), signer, keySource: "named", now }))))
      .problems,
    [],
  );
});

test("any changed byte of the statement's file is found", async () => {
  const length = fresh().get("statement.json")?.length ?? 0;
  for (let at = 0; at < length; at++) {
    const files = fresh();
    const content = files.get("statement.json");
    if (content !== undefined) content[at] = (content[at] ?? 0) ^ 1;
    const { problems, statement } = await verify(files);
    assert.ok(problems.length > 0, `byte ${at}`);
    assert.equal(statement, undefined, "nothing of it is believed");
  }
});

test("any changed byte of a report, a missing file and one too many are found and named", async () => {
  for (const name of ["report.json", "report.html"]) {
    for (const at of [0, 1000, -1]) {
      const files = fresh();
      const content = files.get(name);
      const index = content?.at(at) === undefined ? 0 : (at + content.length) % content.length;
      if (content !== undefined) content[index] = (content[index] ?? 0) ^ 1;
      const { problems } = await verify(files);
      assert.ok(problems.includes(`${name} was changed`), `${name} ${at}: ${problems.join("; ")}`);
    }
    const files = fresh();
    files.delete(name);
    assert.ok((await verify(files)).problems.includes(`${name} is missing`));
  }
  const more = fresh().set("other.txt", new Uint8Array(1));
  assert.deepEqual((await verify(more)).problems, ["other.txt is no part of what was signed"]);
  const none = fresh();
  none.delete("statement.json");
  assert.match((await verify(none)).problems[0] ?? "", /statement\.json is missing/);
  assert.match((await verify(new Map())).problems[0] ?? "", /statement\.json is missing/);
});

test("nothing is read but what the signature is about: the statement first, then each file that a signed one names, once", async () => {
  const asked: string[] = [];
  const watched = (files: Files): Parameters<typeof verifyProof>[0]["files"] => ({
    keys: () => files.keys(),
    get: (name) => {
      asked.push(name);
      return files.get(name);
    },
  });
  const key = signer.publicKey;
  const more = fresh().set("other.txt", new Uint8Array(1));
  await verifyProof({ files: watched(more), key, now });
  assert.deepEqual(asked.splice(0), ["statement.json", "report.json", "report.html"]);
  await verifyProof({ files: watched(more), key: makeSigner().publicKey, now });
  assert.deepEqual(asked.splice(0), ["statement.json"]);
  await verifyProof({ files: watched(more.set("statement.json", Buffer.from("{}"))), key: undefined, now });
  assert.deepEqual(asked, ["statement.json"]);
});

test("a report that is nested without end is not parsed, nor is one of more than any has", async () => {
  for (const [text, told] of [
    ["[".repeat(100_000), "too-deep"],
    ["[".repeat(33) + "]".repeat(33), "too-deep"],
    [`[1${",1".repeat(600_000)}]`, "too-many-elements"],
  ] as const) {
    const { problems } = await verify(fresh().set("report.json", Buffer.from(text)));
    assert.deepEqual(problems, [
      "report.json was changed",
      `report.json can't be read: no proof has such JSON (${told})`,
    ]);
  }
});

test("a report that is cut off is no JSON, and nothing of it is repeated", async () => {
  const { problems } = await verify(fresh().set("report.json", Buffer.from('{"rows": [\u001b[31m')));
  assert.deepEqual(problems, ["report.json was changed", "report.json can't be read: it is no JSON"]);
});

test("a piece of evidence that was exchanged is named by its row and check", async () => {
  const files = fresh();
  const text = new TextDecoder()
    .decode(files.get("report.json"))
    .replace("61 of 60 requests", "60 of 60 requests");
  const { problems } = await verify(files.set("report.json", new TextEncoder().encode(text)));
  assert.deepEqual(problems, [
    "report.json was changed",
    "API-2, burst of N + 1: its evidence or its end is not what was signed",
  ]);
});

test("another key, and a signature of another kind by the right key, do not count", async () => {
  const other = makeSigner();
  const foreign = bytesOf(
    await makeProof({ report: sampleReport(), signer: other, keySource: "pinned", now }),
  );
  assert.match((await verify(foreign)).problems[0] ?? "", /was signed by another key \(ed25519:/);
  const renamed = new TextDecoder()
    .decode(foreign.get("statement.json"))
    .replace(other.publicKey.text, signer.publicKey.text);
  const lying = new Map(foreign).set("statement.json", new TextEncoder().encode(renamed));
  assert.match((await verify(lying)).problems[0] ?? "", /is not what ed25519:.* signed/);
  const { payload } = JSON.parse(pack.get("statement.json") ?? "") as { payload: string };
  const release = await signEnvelope("release", Buffer.from(payload, "base64").toString(), signer);
  const swapped = fresh().set("statement.json", Buffer.from(`${JSON.stringify(release, null, 2)}\n`));
  assert.match((await verify(swapped)).problems[0] ?? "", /is not what .* signed/);
});

test("without a key it is found out whether a pack is whole, by the key that it names", async () => {
  const { problems, signedBy } = await verifyProof({ files: fresh(), key: undefined, now });
  assert.deepEqual([problems, signedBy], [[], signer.publicKey.text]);
});

test("it counts for its time: not after it expired, and not before it was made", async () => {
  assert.deepEqual((await verify(fresh(), now + 29 * day)).problems, []);
  assert.match(
    (await verify(fresh(), now + 31 * day)).problems[0] ?? "",
    /^it expired: it counted until 2026-12-22/,
  );
  assert.match((await verify(fresh(), now - day)).problems[0] ?? "", /still to come/);
});

test("a verdict that its checks do not bear out is found, though the right key signed it", async () => {
  const lie = {
    ...row("API-5", "CORS allow-list", check("look-alikes", "missing")),
    verdict: "proved" as const,
  };
  const made = await makeProof({ report: sampleReport(lie), signer, keySource: "pinned", now });
  const { problems } = await verify(bytesOf(made));
  assert.deepEqual(problems, ["API-5 is said to be proved, and its checks say unknown"]);
});

test("a check that failed fails its row, whatever records or statements of people are said to bear it out", async () => {
  const { rows: honest, ...report } = sampleReport();
  for (const verdict of ["evidenced", "attested"] as const) {
    const rows = honest.map((one) => (one.verdict === "failed" ? { ...one, verdict } : one));
    assert.deepEqual((await verify(await packOf({ ...report, rows, summary: summarise(rows) }))).problems, [
      `API-2 is said to be ${verdict}, and its checks say failed`,
    ]);
    const unknown = honest.map((one) => (one.id === "API-3" ? { ...one, verdict } : one));
    const made = await packOf({ ...report, rows: unknown, summary: summarise(unknown) });
    assert.deepEqual((await verify(made)).problems, [], "of what no check could look at it may be said");
  }
});

test("counts are those of the checks and of the rows, though the right key signed others", async () => {
  const { rows: honest, ...report } = sampleReport();
  const rows = honest.map((one) => (one.id === "API-2" ? { ...one, failed: 0 } : one));
  assert.deepEqual((await verify(await packOf({ ...report, rows }))).problems, [
    "API-2 counts its checks otherwise than they are",
  ]);
  const summary = { ...report.summary, proved: 4, failed: 0 };
  assert.deepEqual((await verify(await packOf({ ...report, rows: honest, summary }))).problems, [
    "the number of verdicts is not as the report has it",
    "the report's own number of verdicts is not that of its rows",
  ]);
});

test("a row that stands twice is found, in the statement alone and in the report too", async () => {
  const files = fresh();
  const statement = JSON.parse(statementText(files)) as ProofStatement;
  const { rows } = statement.predicate;
  const failed = rows.find(({ id }) => id === "API-2");
  assert.ok(failed !== undefined);
  rows.unshift({ ...failed, verdict: "proved", failed: 0 });
  assert.deepEqual((await verify(await signAgain(files, JSON.stringify(statement)))).problems, [
    "API-2 stands there more than once",
  ]);
  const { rows: honest, ...report } = sampleReport();
  const twice = [...honest, ...honest.slice(0, 1)];
  const made = await packOf({ ...report, rows: twice, summary: summarise(twice) });
  assert.deepEqual((await verify(made)).problems, ["API-1 stands there more than once"]);
});

test("JSON with a name twice, or one that reaches for a prototype, is read by nobody alike, and not by us", async () => {
  const changes: [string, string][] = [
    ['"target":', '"target":"https://bank.example","target":'],
    ['"target":', '"\\u0074arget":"https://bank.example","target":'],
    ['"summary":{', '"summary":{"__proto__":5,'],
    ['"files":{', `"files":{"__proto__":"${"0".repeat(64)}",`],
  ];
  for (const [honest, hostile] of changes) {
    const text = statementText(fresh()).replace(honest, hostile);
    const { problems, statement } = await verify(await signAgain(fresh(), text));
    assert.match(problems.join("; "), /^statement\.json states something else than an audit/, hostile);
    assert.equal(statement, undefined);
  }
  const twice = (pack.get("report.json") ?? "").replace(
    '"target":',
    '"target": "https://bank.example", "target":',
  );
  assert.deepEqual((await verify(await exchangeFile("report.json", twice))).problems, [
    "report.json can't be read: no proof has such JSON (a name twice in one object, or one that reaches for a prototype)",
  ]);
});

test("a page that says something else than the report is found where its tool is ours, and not looked at where it is not", async () => {
  const page = "<!doctype html><title>Audit</title><h1>All proved</h1>";
  const own = await packOf(ownReport());
  const lying = await exchangeFile("report.html", page, new Map(own));
  const { problems, isPageCompared } = await verifyOwn(lying);
  assert.deepEqual(
    [problems, isPageCompared],
    [["report.html is not the page that report.json makes"], true],
  );
  assert.equal((await verifyOwn(own)).isPageCompared, true);
  const elsewhere = await verify(lying);
  assert.deepEqual([elsewhere.problems, elsewhere.isPageCompared], [[], false]);
  const statement = JSON.parse(statementText(own)) as ProofStatement;
  statement.predicate.tool = anotherTool;
  assert.deepEqual((await verifyOwn(await signAgain(lying, JSON.stringify(statement)))).problems, [
    "report.html was changed",
    "the tool is not as the report has it",
  ]);
});

test("a report of this version has each check that this version makes: one of them proves no row, though the right key signed it", async () => {
  assert.deepEqual((await verifyOwn(await packOf(ownReport()))).problems, []);
  const all = ownReport().rows.find(({ id }) => id === "API-1")?.checks ?? [];
  const kept = all.find(({ isSupporting }) => isSupporting !== true) ?? assert.fail();
  const one = await packOf(withApi1(({ id, title }) => row(id, title, kept)));
  const said = (JSON.parse(statementText(one)) as ProofStatement).predicate.rows.find(
    ({ id }) => id === "API-1",
  );
  assert.deepEqual([said?.verdict, said?.ran], ["proved", 1]);
  assert.ok(all.length > 40);
  assert.deepEqual(
    (await verifyOwn(one)).problems,
    all
      .filter(({ name }) => name !== kept.name)
      .map(({ name }) => `API-1, ${name}: this version makes this check, and it is not there`),
  );
  assert.deepEqual((await verify(one)).problems, [], "another version may have made others");
});

test("rows and checks of this version that are gone, made up, there twice or counted otherwise are named", async () => {
  const problems = async (report: AuditReport): Promise<string[]> =>
    (await verifyOwn(await packOf(report))).problems;
  assert.deepEqual(await problems(ownReport((rows) => rows.filter(({ id }) => id !== "API-2"))), [
    "API-2 is not there, and this version audits it",
  ]);
  const made = row("API-9", "All is well", check("all", "passed"));
  assert.deepEqual(await problems(ownReport((rows) => [...rows, made])), [
    "API-9 is no row that this version audits",
  ]);
  const again = withApi1(({ id, title, checks }) => row(id, title, ...checks, ...checks.slice(0, 1)));
  assert.match((await problems(again)).join(), /^API-1, .{1,200}: it stands there more than once$/);
  const more = withApi1(({ id, title, checks }) => row(id, title, ...checks, check("all", "passed")));
  assert.deepEqual(await problems(more), ["API-1, all: this version makes no such check"]);
  const counted = withApi1(({ id, title, checks }) =>
    row(id, title, ...checks.map(({ name }) => check(name, "passed"))),
  );
  assert.match(
    (await problems(counted)).join(),
    /^API-1, .{1,200}: this version does not count it as proof by itself/,
  );
  const evidenced = withApi1(({ checks, ...rest }) => ({ ...rest, checks, verdict: "evidenced" }));
  assert.deepEqual(await problems(evidenced), [
    "API-1 is said to be evidenced, and this version gives no such verdict",
  ]);
});

test("what passed or failed has evidence, whichever version wrote it", async () => {
  for (const bare of [{ evidence: [] }, { observations: 0 }]) {
    const made = await packOf(
      sampleReport(row("API-5", "CORS allow-list", check("look-alikes", "passed", bare))),
    );
    assert.deepEqual((await verify(made)).problems, [
      "API-5, look-alikes: it passed, and there is no evidence of it",
    ]);
  }
});

test("a report without a contract proves nothing", async () => {
  const { contract: _, ...report } = sampleReport();
  await assert.rejects(makeProof({ report, signer, keySource: "pinned", now }), (error) =>
    isCurtainwallError(error, "AUDIT_REPORT_INVALID"),
  );
});
