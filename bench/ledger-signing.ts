import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLogFile } from "../src/ledger/node.ts";
import type { LogFile } from "../src/ledger/node.ts";
import { keyInFile } from "../src/stack/supervisor/log-key.ts";
import { createCheckpointSigner } from "../src/stack/supervisor/sign-checkpoints.ts";

/** What it costs the supervisor to sign a log that is full, so that records are given up each time that a file comes round. */
export interface SigningCost {
  /** Records that were written while the log was full, and how often it was signed meanwhile. */
  readonly records: number;
  readonly signatures: number;
  /** Of all these signatures, for each of the records. */
  readonly cpuUs: number;
  /** Of the first one that a supervisor makes which was started anew, in milliseconds. */
  readonly restartCpuMs: number;
}

/** Files are smaller than the default's; as many are kept, so what an event costs is the same. */
const keep = { maxFileBytes: 16_777_216, keepFiles: 8 };
const roundsFull = 2;
const batch = 500;

/** @param lines records, as the ledger makes them of what domains send */
export async function measureSigning(lines: readonly string[]): Promise<SigningCost> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-bench-signing-"));
  const folders = { supervisor: join(folder, "supervisor"), logFile: join(folder, "events.jsonl") };
  const newSigner = (): ReturnType<typeof createCheckpointSigner> =>
    createCheckpointSigner({ folders, key: keyInFile(folders), keep });
  let signer = newSigner();
  let [signatures, cpuMs] = [0, 0];

  async function sign(): Promise<void> {
    const { seq, chain } = log.head();
    const start = process.cpuUsage();
    const claim = { log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") };
    const result = await signer.sign(claim);
    const { user, system } = process.cpuUsage(start);
    if (typeof result === "string") throw new Error(result);
    signatures++;
    cpuMs += (user + system) / 1000;
  }

  const log: LogFile = openLogFile({
    path: folders.logFile,
    ...keep,
    onError: (error) => {
      throw error;
    },
    beforeRemoval: sign,
  });
  async function writeUntil(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      for (let index = 0; index < batch; index++) log.append(lines[index % lines.length] ?? "");
      await log.flush();
    }
  }

  try {
    await writeUntil(() => log.head().seq > 0);
    await sign();
    // Until records were given up three times: what was signed before is known by then.
    await writeUntil(() => signatures === 4);
    const before = log.head().seq;
    [signatures, cpuMs] = [0, 0];
    await writeUntil(() => signatures === roundsFull * keep.keepFiles);
    const measured = { records: log.head().seq - before, signatures, cpuUs: 0 };
    const cpuUs = (cpuMs / measured.records) * 1000;
    signer = newSigner();
    [signatures, cpuMs] = [0, 0];
    await writeUntil(() => signatures === 1);
    return { ...measured, cpuUs, restartCpuMs: cpuMs };
  } finally {
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
