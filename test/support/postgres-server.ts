import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { Client } from "pg";
import { requires } from "../requires.ts";
import { endChild, freePort, untilLine } from "./child-server.ts";
import { certificate } from "./https-server.ts";

export const postgres = requires("postgres");
/** Look like no secrets, since they are none. */
const ownerPassword = "not-a-real-owner-password";

/** A real PostgreSQL on a port of its own, that speaks TLS with the tests' certificate and asks for SCRAM-SHA-256. */
export interface TestPostgres {
  readonly port: number;
  readonly process: ChildProcess;
  /** As its owner, past everybody. */
  query(text: string): Promise<unknown[]>;
  /** Ends it without letting anything end, as kill -9 would, but with its children. */
  kill(): Promise<void>;
}

/** Starts one that keeps nothing. @param rules lines of `pg_hba.conf` instead of the usual ones */
export async function startPostgres(
  context: Pick<TestContext, "after">,
  { rules }: { rules?: string } = {},
): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-postgres-"));
  const data = join(folder, "data");
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const own = (file: string): void => {
    if (user.uid !== undefined) chownSync(file, user.uid, user.gid);
  };
  mkdirSync(data, { mode: 0o700 });
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    own(file);
    return file;
  };
  chmodSync(folder, 0o700);
  own(folder);
  own(data);
  const port = await freePort();
  const passwordFile = write("password", ownerPassword);
  const options = { ...user, cwd: folder, env: { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC" } };
  const made = [
    "-D",
    data,
    "-U",
    "owner",
    "-A",
    "scram-sha-256",
    "--pwfile",
    passwordFile,
    "--no-sync",
    "-E",
    "UTF8",
  ];
  await promisify(execFile)(join(dirname(postgres.path), "initdb"), made, options);
  write("data/pg_hba.conf", rules ?? "hostssl all all 127.0.0.1/32 scram-sha-256\n");
  write(
    "data/postgresql.conf",
    [
      "listen_addresses = '127.0.0.1'",
      `port = ${port}`,
      "unix_socket_directories = ''",
      "ssl = on",
      `ssl_cert_file = '${write("server.crt", certificate.cert)}'`,
      `ssl_key_file = '${write("server.key", certificate.key)}'`,
      "fsync = off",
      "shared_buffers = 16MB",
      "max_connections = 30",
      "",
    ].join("\n"),
  );
  const child = spawn(postgres.path, ["-D", data], { ...options, stdio: ["ignore", "ignore", "pipe"] });
  // Its children end with it at once.
  const kill = (): Promise<void> => endChild(child, "SIGQUIT");
  context.after(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await untilLine(child.stderr, "database system is ready");
  return {
    port,
    process: child,
    async query(text) {
      const client = new Client({
        host: "127.0.0.1",
        port,
        user: "owner",
        password: ownerPassword,
        database: "postgres",
        ssl: { ca: certificate.ca },
      });
      await client.connect();
      try {
        return (await client.query(text)).rows as unknown[];
      } finally {
        await client.end();
      }
    },
    kill,
  };
}
