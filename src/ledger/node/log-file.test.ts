import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openLogFile } from "./log-file.ts";
import { logFiles } from "./rotate.ts";
import type { LogFile, LogFileOptions } from "./log-file.ts";

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-log-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "security.log");
}

/** A record's line, whose text is what a test looks at. */
const entry = (text: string): string => `${JSON.stringify({ text })}\n`;

/** The texts of a file's records, in order; of a line that is no record, itself. What the log writes of itself is left out. */
const textsIn = (path: string): string[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .flatMap((line) => {
      if (!line.endsWith("}")) return [line];
      const { event = "", text = line } = JSON.parse(line) as { event?: string; text?: string };
      return /^ledger\.(?:opened|resumed|rotated)$/.test(event) ? [] : [text];
    });

function open(t: TestContext, path: string, options: Partial<LogFileOptions> = {}): LogFile {
  const log = openLogFile({ path, onError: (error) => assert.fail(error), ...options });
  t.after(() => log.close());
  return log;
}

suite("a log that works", () => {
  test("lines are appended in order, and are on disk when flush resolves", async (t) => {
    const path = place(t);
    const log = open(t, path);
    for (let count = 0; count < 1000; count++) log.append(entry(`${count}`));
    await log.flush();
    log.append(entry("last"));
    await log.flush();
    assert.deepEqual(textsIn(path), [...Array(1000).keys(), "last"].map(String));
  });

  test("a burst that waited does not make one file of itself", async (t) => {
    const path = place(t);
    const log = open(t, path, { maxFileBytes: 1000, keepFiles: 9 });
    // In one turn: nothing is written before the last of them has come.
    for (let count = 0; count < 300; count++) log.append(entry(String(count)));
    await log.flush();
    const files = logFiles(path);
    const sizes = files.map((file) => statSync(file).size);
    // What is added to a record when it is chained is not counted before.
    assert.ok(files.length >= 3 && sizes.every((size) => size <= 8000), sizes.join());
    assert.equal(files.flatMap(textsIn).length, 300);
  });

  test("only its owner may read it", (t) => {
    const path = place(t);
    open(t, path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("a log that is there is continued, never overwritten", async (t) => {
    const path = place(t);
    for (const text of ["a", "b", "c"]) {
      const log = open(t, path);
      log.append(entry(text));
      await log.close();
    }
    assert.deepEqual(textsIn(path), ["a", "b", "c"]);
  });

  test("a last line that a crash cut short is closed off, and no empty line is added otherwise", async (t) => {
    const path = place(t);
    writeFileSync(path, 'whole\n{"torn":');
    const log = open(t, path);
    log.append(entry("next"));
    await log.flush();
    assert.deepEqual(textsIn(path), ["whole", '{"torn":', "next"]);
    assert.ok(!readFileSync(path, "utf8").includes("\n\n"));
  });

  test("what another appends at the same time is not overwritten", async (t) => {
    const path = place(t);
    const log = open(t, path);
    log.append(entry("a"));
    await log.flush();
    appendFileSync(path, "other\n");
    log.append(entry("b"));
    await log.flush();
    assert.deepEqual(textsIn(path), ["a", "other", "b"]);
  });

  test("close writes what waits, may be called twice, and what comes after goes nowhere", async (t) => {
    const path = place(t);
    const log = open(t, path);
    log.append(entry("a"));
    log.append(entry("b"));
    await Promise.all([log.close(), log.close()]);
    log.append(entry("late"));
    assert.deepEqual(textsIn(path), ["a", "b"]);
  });
});

suite("a log that can't be opened", () => {
  const refuses = (path: string): void =>
    assert.throws(() => openLogFile({ path, onError: () => undefined }), { code: "LEDGER_FILE_UNUSABLE" });

  test("a symbolic link is refused, and what it points to left alone", (t) => {
    const path = place(t);
    writeFileSync(`${path}.victim`, "precious");
    symlinkSync(`${path}.victim`, path);
    refuses(path);
    assert.equal(readFileSync(`${path}.victim`, "utf8"), "precious");
  });

  test("a link to nothing does not make a file", (t) => {
    const path = place(t);
    symlinkSync(`${path}.victim`, path);
    refuses(path);
    assert.ok(!existsSync(`${path}.victim`));
  });

  test("a folder, a missing folder, a device and a pipe are refused at once", (t) => {
    const path = place(t);
    refuses(join(path, "missing", "security.log"));
    mkdirSync(path);
    refuses(path);
    refuses("/dev/null");
    execFileSync("mkfifo", [`${path}.pipe`]);
    refuses(`${path}.pipe`);
  });
});

suite("a disk that refuses", { skip: existsSync("/dev/full") ? false : "there is no /dev/full" }, () => {
  // A file-size limit makes a real file refuse, at a byte of our choosing.
  const script = `
    const { openLogFile } = await import(process.env.MODULE);
    let errors = 0;
    const log = openLogFile({
      path: process.env.LOG,
      retryMs: 5,
      maxPendingLength: 4000,
      onError: (error) => {
        if (error.code !== "LEDGER_WRITE_FAILED") throw error;
        if (++errors === 1) {
          for (let count = 100; count < 400; count++) log.append(JSON.stringify({ text: "later " + count }) + "\\n");
          process.stdout.write("refused\\n");
        }
      },
    });
    process.on("SIGXFSZ", () => undefined);
    for (let count = 0; count < 100; count++) log.append(JSON.stringify({ text: "é line " + count }) + "\\n");
    process.stdin.once("data", async () => {
      await log.flush();
      await log.close();
      process.exit(errors > 0 ? 0 : 3);
    });
  `;

  test("the lines are kept and written when it takes them again, none torn; those beyond the bound are counted", async (t) => {
    const path = place(t);
    // Units of 512 bytes: older lines fill the file so far that the limit of 64 KiB falls into the middle of the batch.
    const older = `${"x".repeat(59_999)}\n`;
    writeFileSync(path, older);
    const child = spawn(
      "sh",
      [
        "-c",
        'ulimit -S -f 128; exec "$0" --conditions=curtainwall-source --input-type=module -e "$SCRIPT"',
        process.execPath,
      ],
      {
        env: {
          ...process.env,
          SCRIPT: script,
          LOG: path,
          MODULE: new URL("./log-file.ts", import.meta.url).href,
        },
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    t.after(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    // Room again, as when an operator clears a full disk.
    const before = readFileSync(path, "utf8").slice(older.length);
    truncateSync(path, 0);
    child.stdin.write("go\n");
    const [code] = (await once(child, "exit")) as [number];
    assert.equal(code, 0);
    const after = readFileSync(path, "utf8");
    const records = (before + after)
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { event?: string; text?: string; count?: number });
    const lines = records.flatMap(({ text }) => (text === undefined ? [] : [text]));
    assert.deepEqual(
      lines.slice(0, 100),
      Array.from({ length: 100 }, (_, index) => `é line ${index}`),
    );
    const kept = lines.filter((line) => line.startsWith("later"));
    const lost = records.flatMap(({ event, count = 0 }) => (event === "ledger.events.lost" ? [count] : []));
    assert.equal(kept.length + lost.reduce((sum, count) => sum + count, 0), 300);
    assert.equal(lost.length, 1);
    assert.deepEqual(kept[0], "later 100");
  });
});

suite("a log that grows", () => {
  test("a full file is moved out of the way whole, those before move on, and the oldest beyond the kept number goes", async (t) => {
    const path = place(t);
    const log = open(t, path, { maxFileBytes: 340, keepFiles: 2 });
    for (const text of ["a1", "a2", "b1", "b2", "c1", "c2", "d1", "d2"]) {
      log.append(entry(text));
      await log.flush();
    }
    assert.deepEqual(logFiles(path).map(textsIn), [
      ["d1", "d2"],
      ["c1", "c2"],
      ["b1", "b2"],
    ]);
    for (const file of logFiles(path)) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  });

  test("a gap that a crash left in the numbers costs no file", async (t) => {
    const path = place(t);
    writeFileSync(path, "new\n");
    writeFileSync(`${path}.2`, "older\n");
    writeFileSync(`${path}.3`, "oldest\n");
    const log = open(t, path, { maxFileBytes: 1, keepFiles: 3 });
    log.append(entry("newest"));
    await log.flush();
    assert.deepEqual(logFiles(path).map(textsIn), [["newest"], ["new"], ["older"], ["oldest"]]);
  });

  test("what can't be moved is told and grows on, and no line is lost; a link planted there is not followed", async (t) => {
    const path = place(t);
    const errors: string[] = [];
    let time = 0;
    const log = open(t, path, {
      maxFileBytes: 1,
      keepFiles: 1,
      now: () => time,
      onError: ({ code }) => errors.push(code),
    });
    mkdirSync(`${path}.1`);
    for (const text of ["a", "b", "c"]) {
      log.append(entry(text));
      await log.flush();
    }
    assert.deepEqual(textsIn(path), ["a", "b", "c"]);
    assert.deepEqual(errors, ["LEDGER_WRITE_FAILED"], "not once a line");
    rmSync(`${path}.1`, { recursive: true });
    writeFileSync(`${path}.victim`, "precious");
    symlinkSync(`${path}.victim`, `${path}.1`);
    time += 1000;
    log.append(entry("d"));
    await log.flush();
    assert.deepEqual([textsIn(path), textsIn(`${path}.1`)], [["d"], ["a", "b", "c"]]);
    assert.equal(readFileSync(`${path}.victim`, "utf8"), "precious");
  });

  test("a file that somebody else moved away is not missed: a new one is begun, and nothing kept is pushed out", async (t) => {
    const path = place(t);
    const log = open(t, path, { maxFileBytes: 1, keepFiles: 1 });
    for (const text of ["a", "b"]) {
      log.append(entry(text));
      await log.flush();
    }
    renameSync(path, `${path}.mine`);
    log.append(entry("c"));
    await log.flush();
    assert.deepEqual([path, `${path}.1`, `${path}.mine`].map(textsIn), [["c"], ["a"], ["b"]]);
  });
});

suite("kill -9", () => {
  /** A record of the script's; none for what the log writes of itself. */
  const countIn = (text: string): { count: number; line: number }[] => {
    const record = JSON.parse(text) as { count?: number; line: number };
    return record.count === undefined ? [] : [{ ...record, count: record.count }];
  };
  const script = `
    const { openLogFile } = await import(process.env.MODULE);
    const log = openLogFile({
      path: process.env.LOG,
      onError: (error) => { throw error; },
      maxFileBytes: Number(process.env.MAX_FILE_BYTES ?? 67108864),
      keepFiles: 9999,
    });
    for (let count = 0; ; count++) {
      for (let line = 0; line < 50; line++) log.append(JSON.stringify({ count, line, text: "x".repeat(line * 40) }) + "\\n");
      await log.flush();
      process.stdout.write(count + "\\n");
    }
  `;

  test("of a process killed in the middle of appending every line is whole but the last, and nothing confirmed is missing", async (t) => {
    const path = place(t);
    for (let round = 0; round < 4; round++) {
      const from = existsSync(path) ? statSync(path).size : 0;
      const child = spawn(
        process.execPath,
        ["--conditions=curtainwall-source", "--input-type=module", "-e", script],
        {
          env: { ...process.env, LOG: path, MODULE: new URL("./log-file.ts", import.meta.url).href },
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      let confirmed = -1;
      await new Promise<void>((resolve) => {
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          confirmed = Number(text.trimEnd().split("\n").at(-1));
          if (confirmed >= 3 + round) resolve();
        });
      });
      child.kill("SIGKILL");
      await once(child, "close");
      const torn = readFileSync(path).subarray(from).toString("utf8");
      const lines = torn.split("\n");
      const whole = lines.slice(0, -1).filter((line) => line !== "");
      const records = whole.flatMap(countIn);
      assert.deepEqual(
        records.map(({ count, line }) => count * 50 + line),
        [...records.keys()],
      );
      assert.ok(records.length >= (confirmed + 1) * 50);
      // Opened again, the torn end is a line of its own.
      const log = open(t, path);
      log.append(entry("after"));
      await log.close();
      assert.match(readFileSync(path, "utf8"), /\n\{"text":"after",[^\n]*\n$/);
    }
  });

  test("of a process killed while it moves full files away nothing confirmed is missing, torn or doubled", async (t) => {
    const path = place(t);
    for (let round = 0; round < 6; round++) {
      const child = spawn(
        process.execPath,
        ["--conditions=curtainwall-source", "--input-type=module", "-e", script],
        {
          env: {
            ...process.env,
            LOG: path,
            // Every second batch or so meets a full file.
            MAX_FILE_BYTES: "60000",
            MODULE: new URL("./log-file.ts", import.meta.url).href,
          },
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      let confirmed = -1;
      await new Promise<void>((resolve) => {
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          confirmed = Number(text.trimEnd().split("\n").at(-1));
          if (confirmed >= 6 + round * 3) resolve();
        });
      });
      child.kill("SIGKILL");
      await once(child, "close");
      const files = logFiles(path);
      assert.ok(files.length > 2, "files were moved away");
      const records = files
        .toReversed()
        .flatMap((file) => (existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []))
        .flatMap((line) => (line.endsWith("}") ? countIn(line) : []));
      assert.deepEqual(
        records.map(({ count, line }) => count * 50 + line),
        [...records.keys()],
      );
      assert.ok(records.length >= (confirmed + 1) * 50);
      for (const file of files) rmSync(file, { force: true });
    }
  });
});
