import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { createVault } from "../src/vault/node.ts";
import { open, seal } from "../src/vault/node/xaes.ts";

/**
 * What the vault costs: sealing and opening 100 bytes beside Node's bare AES-256-GCM and an age file; reading and writing a secret in stores of several
 * sizes beside a bare row in SQLite under the same settings. Rounds are interleaved; CPU time of this process a call, median and best of the rounds.
 *
 *   node --conditions=curtainwall-source bench/vault.ts
 */
const rounds = 15;

interface Contender {
  readonly calls: number;
  run(): unknown;
}

const key = randomBytes(32);
const aad = Buffer.from("whose value it is");
const plaintext = randomBytes(100);
const sealed = seal(key, plaintext, aad);
const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const ageFile = await ageEncrypt();

function gcm(): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 }).setAAD(aad);
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

const gcmSealed = gcm();

function gcmOpen(): Buffer {
  const cipher = createDecipheriv("aes-256-gcm", key, gcmSealed.subarray(0, 12), { authTagLength: 16 });
  cipher.setAAD(aad).setAuthTag(gcmSealed.subarray(-16));
  return Buffer.concat([cipher.update(gcmSealed.subarray(12, -16)), cipher.final()]);
}

function ageEncrypt(): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter.encrypt(plaintext);
}

function ageDecrypt(): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(ageFile);
}

const folder = mkdtempSync(join(tmpdir(), "curtainwall-bench-vault-"));
writeFileSync(join(folder, "key"), key, { mode: 0o600 });
const bare = new DatabaseSync(join(folder, "bare.db"));
bare.exec(
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (name TEXT PRIMARY KEY, value BLOB)",
);
const write = bare.prepare("INSERT OR REPLACE INTO t VALUES ('A_KEY', ?)");
const read = bare.prepare("SELECT value FROM t WHERE name = 'A_KEY'");

const contenders: Record<string, Contender> = {
  "AES-256-GCM seal (floor)": { calls: 2_000, run: gcm },
  "XAES-256-GCM seal": { calls: 2_000, run: () => seal(key, plaintext, aad) },
  "age encrypt": { calls: 20, run: ageEncrypt },
  "AES-256-GCM open (floor)": { calls: 2_000, run: gcmOpen },
  "XAES-256-GCM open": { calls: 2_000, run: () => open(key, sealed, aad) },
  "age decrypt": { calls: 20, run: ageDecrypt },
  "bare row, write (floor)": { calls: 20, run: () => write.run(plaintext) },
  "bare row, read (floor)": { calls: 2_000, run: () => read.get() },
};

for (const names of [10, 100, 1_000]) {
  const vault = await createVault({
    file: join(folder, `${names}.db`),
    kek: { kind: "file", file: join(folder, "key") },
    project: "bench",
    environment: "development",
  });
  for (let index = 0; index < names; index++) await vault.set(`N${index}`, plaintext, "bench");
  contenders[`vault of ${names}, get`] = { calls: 20, run: () => vault.get("N5") };
  // The same value again: one more version, and the store stays as large as it is, since the 65th is forgotten.
  contenders[`vault of ${names}, set`] = { calls: 5, run: () => vault.set("N5", plaintext, "bench") };
}

const times = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
for (let round = 0; round <= rounds; round++)
  for (const [name, { calls, run }] of Object.entries(contenders)) {
    const before = process.cpuUsage();
    for (let call = 0; call < calls; call++) await run();
    const { user, system } = process.cpuUsage(before);
    // The first round warms up.
    if (round > 0) times.get(name)?.push((user + system) / calls);
  }
for (const [name, all] of times) {
  const sorted = all.toSorted((one, other) => one - other);
  const median = sorted[sorted.length >> 1] ?? Number.NaN;
  console.log(
    `${name.padEnd(28)}${median.toFixed(1).padStart(10)} µs  (best ${(sorted[0] ?? Number.NaN).toFixed(1)})`,
  );
}
rmSync(folder, { recursive: true, force: true });
