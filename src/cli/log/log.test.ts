import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { command } from "../../../test/support/command.ts";
import { makeProject } from "../../../test/support/project.ts";
import { checkpointText, formatRecord } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointHolder } from "../../ledger/index.ts";
import { openLogFile } from "../../ledger/node.ts";

const logCommand = [...command, "log"];

function run(...args: string[]): { code: number | null; out: string; words: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...logCommand, ...args], {
    encoding: "utf8",
  });
  return { code: status, out: stdout, words: stderr };
}

async function logOf(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-log-command-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "events.jsonl");
  await add(file, 5);
  return file;
}

async function add(file: string, count: number): Promise<void> {
  const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
  for (let number = 0; number < count; number++)
    log.append(
      formatRecord(
        {
          type: "gateway.request.refused",
          time: 1_800_000_000_000 + number * 60_000,
          id: `r${number}`,
          code: "GATEWAY_LIMIT_REACHED",
          status: 429,
          subject: number === 3 ? "\u001b[2J\r\nforged \u202e" : "alice",
        },
        "edge",
      ),
    );
  log.append(
    formatRecord({ type: "ledger.line.refused", time: 1_800_000_400_000, source: "edge" }, "ledger"),
  );
  await log.close();
}

/** A log whose first two records somebody signed. */
async function signedLog(
  t: TestContext,
  holder?: CheckpointHolder,
): Promise<{ file: string; checkpoint: Checkpoint }> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-log-command-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "events.jsonl");
  return { file, checkpoint: await addSigned(file, holder) };
}

/** Writes a record and signs it, with a new key. */
async function addSigned(file: string, holder?: CheckpointHolder): Promise<Checkpoint> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
  log.append(formatRecord({ type: "stack.stopped", time: 0, reason: "test" }, "supervisor"));
  await log.flush();
  const { seq, chain } = log.head();
  const head = Buffer.from(chain).toString("base64url");
  const claim = { log: log.log, through: seq, head, ...(holder === undefined ? {} : { holder }) };
  const checkpoint: Checkpoint = {
    ...claim,
    key: `ed25519:${String(publicKey.export({ format: "jwk" }).x)}`,
    signature: sign(null, checkpointText(claim), privateKey).toString("base64url"),
  };
  log.append(formatRecord({ type: "ledger.checkpoint", time: 0, ...checkpoint }, "ledger"));
  await log.close();
  return checkpoint;
}

test("verify says of a whole log that it is, and of a changed one what was changed, by its exit code too", async (t) => {
  const { file: signed, checkpoint } = await signedLog(t);
  const whole = run("verify", signed, "--key", checkpoint.key);
  assert.equal(whole.code, 0, whole.words);
  assert.match(whole.out, /^log [\w-]{22}: records 1 to 3$/m);
  assert.match(whole.words, /--checkpoint/);
  const file = await logOf(t);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('"id":"r2"', '"id":"r9"'));
  const changed = run("verify", file);
  assert.equal(changed.code, 1);
  assert.match(changed.out, /^changed {4}events\.jsonl:4 {2}record 4 does not follow/m);
  const { findings } = JSON.parse(run("verify", file, "--json").out) as {
    findings: { kind: string; seq: number }[];
  };
  assert.deepEqual(
    findings.map(({ kind, seq }) => [kind, seq]),
    [["changed", 4]],
  );
  writeFileSync(file, formatRecord({ type: "stack.stopped", time: 0 }, "supervisor"));
  const old = run("verify", file);
  assert.deepEqual([old.code, /no record is chained/.test(old.words)], [1, true]);
});

test("verify says what was given up and what came after it, and of many that signed the last", async (t) => {
  const file = await logOf(t);
  const log = openLogFile({
    path: file,
    maxFileBytes: 3000,
    keepFiles: 2,
    onError: (error) => assert.fail(error),
  });
  for (let number = 0; number < 40; number++) {
    await log.flush();
    const { seq, chain } = log.head();
    const claim = { log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") };
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const key = `ed25519:${String(publicKey.export({ format: "jwk" }).x)}`;
    const signature = sign(null, checkpointText(claim), privateKey).toString("base64url");
    log.append(formatRecord({ type: "ledger.checkpoint", time: 0, ...claim, key, signature }, "ledger"));
  }
  await log.close();
  const { out } = run("verify", file);
  assert.match(
    out,
    /^records 1 to \d+ were given up for newer ones, as record \d+ says \(2\d.*Z\): [67],\d{3} bytes had come after$/m,
  );
  assert.equal(out.match(/^ {2}signed by a key that calls itself the supervisor's/gm)?.length, 10);
  assert.match(out, /^ {2}and by \d+ keys before$/m);
});

test("what a changed log is called drives no terminal, in JSON either, and reads back as it is", async (t) => {
  const file = await logOf(t);
  const name = "\u009b2J\u202e.jsonl";
  const hostile = join(dirname(file), name);
  writeFileSync(hostile, readFileSync(file, "utf8").replace('"id":"r2"', '"id":"r9"'));
  const { code, out } = run("verify", hostile, "--json");
  assert.equal(code, 1);
  assert.doesNotMatch(out, /[\u007f-\u009f\u202e]/);
  const { findings } = JSON.parse(out) as { findings: { file: string }[] };
  assert.equal(findings[0]?.file, name);
});

test("verify says of a changed log how far it can be trusted, and signs of later signatures nothing", async (t) => {
  const { file } = await signedLog(t);
  await add(file, 5);
  const lines = readFileSync(file, "utf8").split("\n");
  const changed = (at: number): string[] => {
    writeFileSync(
      file,
      lines.with(at - 1, (lines[at - 1] ?? "").replace(/"time":"\d/, '"time":"3')).join("\n"),
    );
    const { out, code } = run("verify", file);
    assert.equal(code, 1);
    return out.trimEnd().split("\n");
  };
  const [at7, log7, ...rest7] = changed(7);
  assert.match(
    at7 ?? "",
    /:7 {2}record 7 does not follow from record 6: one of the two was changed, and nothing signed tells which$/,
  );
  assert.match(log7 ?? "", /^log .*: records 1 to 9$/);
  assert.deepEqual(rest7, [
    "trust it up to record 2: so far it is signed, and nothing is wrong",
    "records 3 to 5 follow one from the other, but are not signed: who writes the log could have written them anew",
  ]);
  const [at3, , ...rest3] = changed(3);
  assert.match(
    at3 ?? "",
    /record 3 does not follow from record 2: it was changed, since record 2 is as it was signed$/,
  );
  assert.deepEqual(rest3, ["trust it up to record 2: so far it is signed, and nothing is wrong"]);
  // It is signed after what was changed: that it is as it is now.
  const [, , ...rest2] = changed(2);
  assert.deepEqual(rest2, [
    "trust none of it: nothing is signed that lies before the first thing that is wrong",
  ]);
});

test("what nobody wrote into the chain is named by verify, and marked where records are shown", async (t) => {
  const file = await logOf(t);
  const forged = JSON.stringify({
    time: "2027-01-15T08:00:00.000Z",
    source: "edge",
    severity: "notice",
    event: "forged",
  });
  appendFileSync(file, `${forged}\n${forged}`);
  const { code, out } = run("verify", file);
  assert.equal(code, 1);
  assert.match(out, /^foreign .* bytes after record 7 are no record$/m);
  for (const action of ["query", "tail"]) {
    const shown = run(action, file).out.trimEnd().split("\n");
    assert.equal(shown.length, 8);
    assert.match(shown.at(-1) ?? "", /^NOT IN THE CHAIN 2027/);
    const marked = run(action, file, "--json").out.trimEnd().split("\n");
    assert.deepEqual(
      marked.map((line) => (JSON.parse(line) as { unchained?: boolean }).unchained === true),
      [...Array<boolean>(7).fill(false), true],
    );
  }
  writeFileSync(file, readFileSync(file, "utf8").split(`${forged}\n`)[0] + forged);
  const unfinished = run("verify", file);
  assert.doesNotMatch(unfinished.out, /^foreign/m);
  assert.match(unfinished.out, /^\d+ bytes in events\.jsonl:8 are an unfinished line, in no chain/m);
  assert.match(unfinished.out, /^7 records carry no signature$/m);
  assert.equal(run("query", file).out.trimEnd().split("\n").length, 7);
});

test("query finds by event, severity, source, time, route and id, and prints nothing that drives a terminal", async (t) => {
  const file = await logOf(t);
  const ids = (...args: string[]): string[] =>
    run("query", file, "--json", ...args)
      .out.trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { id?: string; event: string })
      .map(({ id, event }) => id ?? event);
  assert.deepEqual(ids("--id", "r2"), ["r2"]);
  assert.deepEqual(ids("--severity", "alert"), ["ledger.line.refused"]);
  assert.deepEqual(ids("--source", "ledger", "--event", "ledger.line.*,nothing"), ["ledger.line.refused"]);
  assert.deepEqual(
    ids("--event", "gateway.*", "--since", "2027-01-15T08:01:00Z", "--until", "2027-01-15T08:03:00Z"),
    ["r1", "r2"],
  );
  assert.deepEqual(ids("--route", "GET /nothing"), []);
  // What somebody writes into the log himself is no safer than the log.
  appendFileSync(
    file,
    `${JSON.stringify({ time: "\u001b[31m", source: "edge", severity: "x\u009b", event: "a\nb", "\u202e": "\u2028" })}\n`,
  );
  for (const args of [
    ["query", file],
    ["query", file, "--json"],
    ["tail", file],
  ]) {
    const { out, code } = run(...args);
    assert.equal(code, 0);
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/);
    assert.equal(
      out
        .trimEnd()
        .split("\n")
        .filter((line) => line.startsWith("forged")).length,
      0,
    );
  }
});

test("verify says first what is wrong, then who signed; and of each count what it counts", async (t) => {
  const { file, checkpoint } = await signedLog(t);
  const kept = `${file}.checkpoint`;
  writeFileSync(kept, JSON.stringify(checkpoint));
  const whole = run("verify", file, "--checkpoint", kept, "--key", checkpoint.key);
  assert.deepEqual(
    [
      whole.code,
      whole.out
        .replace(/log \S+:/, "log:")
        .trimEnd()
        .split("\n"),
    ],
    [
      0,
      [
        "log: records 1 to 3",
        "signed through record 2, by 1 checkpoint in the log (record 3 is the last of them itself)",
        `  signed by the supervisor up to record 2, with ${checkpoint.key}`,
        "1 checkpoint from outside the log holds (the one that was given)",
      ],
    ],
  );
  assert.doesNotMatch(whole.words, /is told only by/, "it was held against one");
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, lines.toSpliced(1, 0, lines[0] ?? "").join("\n"));
  const doubled = run("verify", file);
  assert.equal(doubled.code, 1);
  assert.match(doubled.out, /^doubled {4}events\.jsonl:2 {2}record 1 stands twice: .*\nlog /);
  assert.doesNotMatch(
    doubled.words,
    /is told only by/,
    "what is wrong is not wrong for want of a checkpoint",
  );
});

test("records at the end that nobody signed are told as that, and with --signed end it with 1 once a running stack would have signed them", async (t) => {
  const verify = async (times: readonly number[], ...args: string[]): Promise<[number | null, string]> => {
    const { file, checkpoint } = await signedLog(t);
    const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
    for (const time of times)
      log.append(formatRecord({ type: "stack.stopped", time, reason: "appended" }, "supervisor"));
    await log.close();
    const { code, out, words } = run("verify", file, "--key", checkpoint.key, ...args);
    return [code, args.includes("--json") ? out : `${words.trimEnd().split("\n").at(-1)}\n${out}`];
  };
  assert.match((await verify([]))[1], /^the log is as it was written\n/);
  const [code, words] = await verify([Date.parse("2026-01-01"), Date.now()]);
  assert.equal(code, 0, words);
  assert.match(
    words,
    /^the log is as it was written up to record 3; the last 2 records \(4 to 5\) are signed by nobody, for \d+ days by their own time, and a stack that runs signs once a minute: whoever can write the file could have written them/,
  );
  // A minute ahead is as fresh as just now, however long this takes.
  const soon = Date.now() + 60_000;
  const fresh = await verify([soon], "--signed");
  assert.equal(fresh[0], 0, fresh[1]);
  assert.match(
    fresh[1],
    /up to record 3; the last record \(4\) is signed by nobody: whoever can write the file could have written it/,
  );
  assert.equal((await verify([], "--signed"))[0], 0);
  for (const time of [Date.parse("2026-01-01"), Date.now() + 3_600_000]) {
    const late = await verify([time, soon], "--signed");
    assert.equal(late[0], 1, late[1]);
    assert.match(late[1], /^untold +the last 2 records \(4 to 5\) are signed by nobody/m);
  }
  const [, json] = await verify([Date.parse("2026-01-01")], "--json");
  assert.match(json, /"unsignedSince": ?"2026-01-01T00:00:00\.000Z"/);
});

test("a log that anybody could have made is not as it was written: without a key or a checkpoint from elsewhere verify says so, and ends with 1", async (t) => {
  const { file, checkpoint } = await signedLog(t, "vault");
  const anybodys = run("verify", file);
  assert.equal(anybodys.code, 1);
  assert.ok(
    anybodys.out.startsWith(
      `untold     it is signed by a key that calls itself the vault's (${checkpoint.key}), and anybody can make such a key; give --key to hold it to yours\n`,
    ),
    anybodys.out,
  );
  assert.match(
    anybodys.out,
    /^ {2}signed by a key that calls itself the vault's up to record 2, with ed25519:/m,
  );
  assert.match(anybodys.words, /^it can't be told whether the log is as it was written\n$/);
  const { untold } = JSON.parse(run("verify", file, "--json").out) as { untold: string[] };
  assert.match(untold.join("\n"), /^it is signed by a key that calls itself the vault's/);

  const kept = `${file}.checkpoint`;
  writeFileSync(kept, JSON.stringify(checkpoint));
  for (const known of [
    ["--key", checkpoint.key],
    ["--checkpoint", kept],
  ]) {
    const { code, out } = run("verify", file, ...known);
    assert.equal(code, 0, out);
    assert.match(out, /^ {2}signed by the vault up to record 2, with/m);
  }
  const { checkpoint: other } = await signedLog(t);
  assert.match(run("verify", file, "--key", other.key).out, /^checkpoint .* is signed with another key/);
  // What came after a checkpoint that was kept is vouched for by its key alone.
  await addSigned(file, "vault");
  const goesOn = run("verify", file, "--checkpoint", kept);
  assert.equal(goesOn.code, 1);
  assert.match(goesOn.out, /^untold .* a key that calls itself the vault's/);

  const unsigned = await logOf(t);
  const says = (...args: string[]): (string | number | null | undefined)[] => {
    const { code, out } = run("verify", unsigned, ...args);
    return [code, out.split("\n", 1)[0]?.replace(/^untold +/, "")];
  };
  assert.deepEqual(says(), [1, "nothing in it is signed: whoever had this log could have written all of it"]);
  assert.deepEqual(says("--key", other.key), [
    1,
    `nothing in it is signed with ${other.key}: whoever had this log could have written all of it`,
  ]);
});

test("query says of what nothing is called so, and what was probably meant; of an id, its beginning is enough", async (t) => {
  const file = await logOf(t);
  for (const [args, says] of [
    [
      ["--source", "egde"],
      /No source is called egde\.\n→ Did you mean {2}edge\? {2}There are: {2}edge, vault/,
    ],
    [["--event", "gateway.request.refusd"], /Did you mean {2}gateway\.request\.refused\?/],
    [["--event", "getaway.*"], /Did you mean {2}gateway\.\*\? {2}There are: {2}gateway\.request\.refused, /],
    [["--event", "operater.*"], /Did you mean {2}operator\.\*\? {2}There are: {2}operator\.action\.begun, /],
    [
      ["--event", "gateway.refused"],
      /There are: {2}gateway\.request\.refused, gateway\.answer\.refused, gateway\.upstream\.address\.refused, /,
    ],
    [["--event", "gateway.token"], /There are: {2}stack\.tokens\.revoked, gateway\.request\.refused, /],
    [["--event", "vault.revoked"], /Did you mean {2}vault\.secret\.revoked\?$/m],
    [["--event", "zebra.crossed"], /^CLI_USAGE_INVALID.*No event is called zebra\.crossed\.$/m],
    [["--route", "GET /api/none"], /No route of the contract or of this log is called GET \/api\/none\./],
  ] as const)
    for (const json of [[], ["--json"]]) {
      const { code, out, words } = run("query", file, ...args, ...json);
      assert.deepEqual([code, out], [2, ""], words);
      assert.match(words, says);
    }
  const quiet = run("query", file, "--source", "vault");
  assert.deepEqual(
    [quiet.code, quiet.out, quiet.words],
    [0, "", "0 records\n"],
    "it exists, and said nothing",
  );
  const beside = run("query", file, "--event", "ledger.opened,gatway.request.refused");
  assert.deepEqual([beside.code, beside.out.split("\n").length], [0, 2]);
  assert.match(beside.words, /look at No event is called gatway/);

  const gone = run("verify", `${file}x.jsonl`);
  assert.equal(gone.code, 2);
  assert.match(gone.words, /There is no file or folder .*events\.jsonlx\.jsonl/);

  const whole = run("query", file, "--id", "r2");
  assert.match(whole.words, /^1 record\n$/);
  const several = run("query", file, "--id", "r", "--json");
  assert.equal(several.out.trimEnd().split("\n").length, 5);
  assert.match(several.words, /^→ 5 requests have an id that begins with r$/m);
  const none = run("query", file, "--id", "r9");
  assert.deepEqual([none.code, none.out], [2, ""]);
  assert.match(none.words, /^CLI_USAGE_INVALID {2}No record has an id that is r9, or begins so\./);
  assert.equal(run("tail", file, "--id", "r9").code, 2);
  assert.match(
    run("query", file, "--id", "r2", "--severity", "alert").words,
    /^→ 1 record of it is left out by the other options$/m,
  );
  assert.equal(run("query", file, "--id", "").code, 2);
  const tail = run("tail", file, "--source", "egde");
  assert.deepEqual([tail.code, tail.out], [2, ""]);
});

test("what an action takes no option of is refused before anything is loaded or read", () => {
  const { code, words } = run("query", "/nowhere", "--lines", "2");
  assert.deepEqual([code, /takes no --lines/.test(words)], [2, true], words);
});

const oneRoute = (more = ""): string => `import { defineStack, everyone, none, upstream } from "curtainwall";
export default defineStack({
  origin: "https://localhost:8443",
  ${more}
  upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
  routes: {
    "GET /api/orders": { access: everyone, limit: "9/min per client", response: none, to: "shop" },
  },
});`;

test("a site that never started has no log yet; one whose log was signed has lost it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-log-witness-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const witness = join(folder, "witness.json");
  const { root, remove } = await makeProject({
    config: oneRoute(`ledger: { witness: { file: ${JSON.stringify(witness)} } },`),
  });
  t.after(remove);
  for (const action of ["tail", "query", "verify", "checkpoint"]) {
    const { code, out, words } = run(action, root);
    assert.deepEqual([code, out], [1, ""], action);
    assert.match(words, /There is no log yet\.\n→ It begins when the stack starts: {2}npx curtainwall start/);
  }
  const { checkpoint } = await signedLog(t);
  writeFileSync(witness, JSON.stringify(checkpoint));
  for (const action of ["tail", "query", "verify"]) {
    const { code, words } = run(action, root);
    assert.equal(code, 1);
    assert.match(words, /The log is gone: it was signed up to record 2\./);
  }
});

test("query knows the contract's routes where the site is here", async (t) => {
  const { root, remove } = await makeProject({ config: oneRoute() });
  t.after(remove);
  const folder = join(root, ".curtainwall", "ledger");
  mkdirSync(folder, { recursive: true });
  await add(join(folder, "events.jsonl"), 1);
  const known = run("query", root, "--route", "GET /api/orders");
  assert.deepEqual([known.code, known.words], [0, "0 records\n"], known.words);
  const misspelt = run("query", root, "--route", "GET /api/order");
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.words, /Did you mean {2}GET \/api\/orders\? {2}There are: {2}GET \/api\/orders$/m);
});

test("what was misspelt is told with what would be right", async (t) => {
  const file = await logOf(t);
  for (const [args, says] of [
    [["query", file, "--severity", "grave"], /notice, warning or alert/],
    [["query", file, "--severity", "warn"], /Did you mean {2}--severity warning\?/],
    [["query", file, "--since", "yesterday"], /--since 15m/],
    [["query", file, "--since", "90"], /--since 15m/],
    [["verify", file, "--checkpoint", `${file}.none`], /There is no/],
    [["verify", file, "--checkpoint", file], /is no checkpoint/],
    [["vrify", file], /There is no "log vrify"/],
    [["tail", file, "--lines", "-1"], /argument|--lines/],
    [["verify", file, "--key", "ed25519:short"], /--key takes a public key/],
    [["query", file, "--lines", "2"], /log query takes no --lines: it is of log tail\./],
    [["query", file, "--follow"], /log query takes no --follow/],
    [
      ["verify", file, "--severity", "alert"],
      /no --severity: it is of log tail, log query\.\n.*log verify \[/,
    ],
    [["tail", file, "--key", "x"], /log tail takes no --key: it is of log verify/],
    [["query", file, "--since", "2h", "--until", "3h"], /Did you mean {2}--since 3h --until 2h\?/],
    [["tail", file, "--since", "2027-02-01", "--until", "2027-01-01"], /is later than --until 2027-01-01/],
  ] as const) {
    const { code, words } = run(...args);
    assert.equal(code, 2, words);
    assert.match(words, says);
  }
});

test("tail --follow goes on with what is written, into a new file too, and tells nothing twice", async (t) => {
  const file = await logOf(t);
  const child = spawn(process.execPath, [...logCommand, "tail", file, "--follow", "--lines", "2", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const seen: number[] = [];
  let rest = "";
  const sees = (wanted: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!seen.includes(wanted)) return;
        child.stdout.off("data", look);
        resolve();
      };
      child.stdout.on("data", look);
      look();
    });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) seen.push((JSON.parse(line) as { seq: number }).seq);
  });
  await sees(7);
  await add(file, 1);
  await sees(9);
  renameSync(file, `${file}.1`);
  await add(file, 1);
  await sees(12);
  child.kill("SIGTERM");
  await new Promise((resolve) => child.once("exit", resolve));
  assert.deepEqual(seen, [6, 7, 8, 9, 10, 11, 12]);
});
