import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { Client } from "pg";
import type { SecurityEvent } from "../../../contract/index.ts";
import { Secret } from "../../../shared/index.ts";
import { certificate } from "../../../../test/support/https-server.ts";
import { postgres, startPostgres } from "../../../../test/support/postgres-server.ts";
import type { TestPostgres } from "../../../../test/support/postgres-server.ts";
import { firstCodes, writeFirst, writeMessage, zeroEnded } from "./messages.ts";
import { createPostgresRelay } from "./postgres-relay.ts";
import type { PostgresRelayOptions } from "./postgres-relay.ts";

const password = "not-a-real-app-password";

/** Egress' side. `pg` adds the port to the folder, as libpq does. */
async function openRelay(context: TestContext, port: number, more: Partial<PostgresRelayOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "cw-pg-"));
  const events: SecurityEvent[] = [];
  const value = { now: password as string | undefined, version: 1 };
  const relay = createPostgresRelay({
    place: { host: "127.0.0.1", port, ca: certificate.ca },
    user: "app",
    database: "shop",
    secret: "DATABASE_PASSWORD",
    source: {
      get: async () =>
        value.now === undefined ? undefined : { version: value.version, value: new Secret(value.now) },
    },
    events: (event) => void events.push(event),
    timeoutMs: 5000,
    ...more,
  });
  const path = join(folder, ".s.PGSQL.5432");
  const server = createServer((socket) => relay.accept(socket)).listen(path);
  await once(server, "listening");
  context.after(() => {
    relay.close();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { folder, path, relay, events, value };
}

/** The side of somebody without the password. */
async function openClient(context: TestContext, folder: string, more: object = {}): Promise<Client> {
  const client = new Client({ host: folder, user: "app", database: "shop", password: "none", ...more });
  // The connection may break while nobody asks anything.
  client.on("error", () => undefined);
  context.after(() => client.end().catch(() => undefined));
  await client.connect();
  return client;
}

/** What a relay says to bytes that no library sends, until it ends the connection. */
async function sendRaw(path: string, ...parts: Buffer[]): Promise<string> {
  const socket = connect(path).on("error", () => undefined);
  let answer = "";
  socket.on("data", (part: Buffer) => (answer += part.toString("latin1")));
  for (const part of parts) socket.write(part);
  await once(socket, "close");
  return answer;
}

const startup = (...pairs: string[]): Buffer =>
  writeFirst(firstCodes.protocol3, Buffer.concat([zeroEnded(...pairs), Buffer.of(0)]));

suite("A database whose password egress has", { skip: postgres.skip }, () => {
  let server: Promise<TestPostgres> | undefined;
  const ends: (() => unknown)[] = [];
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });
  const database = async (): Promise<TestPostgres> => {
    server ??= (async () => {
      const started = await startPostgres({
        after: (end?: unknown) => void ends.push(end as () => unknown),
      });
      await started.query(`CREATE ROLE app LOGIN PASSWORD '${password}'`);
      await started.query("CREATE DATABASE shop OWNER app");
      return started;
    })();
    return server;
  };

  test("is used as that user, over TLS: queries, prepared ones, errors, and results of megabytes", async (context) => {
    const { port } = await database();
    const { folder, events } = await openRelay(context, port);
    const client = await openClient(context, folder);
    const who = await client.query(
      "SELECT current_user AS name, current_database() AS place, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    assert.deepEqual(who.rows, [{ name: "app", place: "shop", ssl: true }]);
    const text = "SELECT $1::int + $2::int AS sum";
    for (let index = 0; index < 3; index++)
      assert.deepEqual((await client.query({ name: "add", text, values: [index, 1] })).rows, [
        { sum: index + 1 },
      ]);
    await assert.rejects(client.query("SELECT * FROM nothing_of_this_name"), { code: "42P01" });
    const big = await client.query(
      "SELECT repeat(md5(n::text), 512) AS text FROM generate_series(1, 2000) AS n",
    );
    assert.equal(big.rows.length, 2000);
    assert.ok(big.rows.every(({ text: row }: { text: string }) => row.length === 16_384));
    const sent = "x".repeat(4_000_000);
    assert.deepEqual((await client.query("SELECT length($1::text) AS length", [sent])).rows, [
      { length: 4_000_000 },
    ]);
    assert.deepEqual(
      events.map(({ type, ...rest }) => [type, "version" in rest && rest.version]),
      [["egress.connection.opened", 1]],
    );
  });

  test("its settings pass, and those that are permitted only", async (context) => {
    const { port } = await database();
    const { folder } = await openRelay(context, port);
    const client = await openClient(context, folder, { application_name: "till", statement_timeout: 1234 });
    assert.deepEqual((await client.query("SHOW application_name")).rows, [{ application_name: "till" }]);
    assert.deepEqual((await client.query("SHOW statement_timeout")).rows, [{ statement_timeout: "1234ms" }]);
    await assert.rejects(
      openClient(context, folder, { options: "-c role=owner" }),
      /egress: the option options/,
    );
    await assert.rejects(
      openClient(context, folder, { replication: "database" }),
      /egress: the option replication/,
    );
  });

  test("a COPY goes both ways", async (context) => {
    const { port } = await database();
    const { path } = await openRelay(context, port);
    const answer = await sendRaw(
      path,
      startup("user", "app", "database", "shop"),
      writeMessage("Q", zeroEnded("CREATE TEMP TABLE sold (n int)")),
      writeMessage("Q", zeroEnded("COPY sold FROM STDIN")),
      writeMessage("d", Buffer.from("1\n2\n3\n")),
      writeMessage("c", Buffer.alloc(0)),
      writeMessage("Q", zeroEnded("COPY sold TO STDOUT")),
      writeMessage("X", Buffer.alloc(0)),
    );
    assert.match(answer, /COPY 3.*1\n.*2\n.*3\n.*COPY 3/s);
  });

  test("what runs too long is cancelled by who began it, and by nobody else", async (context) => {
    const { port } = await database();
    const { folder, path } = await openRelay(context, port);
    const client = await openClient(context, folder);
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const key = Buffer.alloc(8);
    key.writeInt32BE(processID, 0);
    key.writeInt32BE(secretKey, 4);
    const slow = client.query("SELECT pg_sleep(30)");
    const failed = assert.rejects(slow, { code: "57014" });
    const strange = Buffer.from(key);
    strange[7] = (strange[7] as number) ^ 1;
    assert.equal(await sendRaw(path, writeFirst(firstCodes.cancel, strange)), "");
    assert.equal(await sendRaw(path, writeFirst(firstCodes.cancel, key)), "");
    await failed;
    assert.deepEqual((await client.query("SELECT 1 AS one")).rows, [{ one: 1 }]);
  });

  test("another user, another database and what is no beginning are refused, and reach no server", async (context) => {
    const { port } = await database();
    const { folder, path, events } = await openRelay(context, port);
    await assert.rejects(openClient(context, folder, { user: "owner" }), /egress: another user/);
    await assert.rejects(openClient(context, folder, { database: "postgres" }), /egress: another database/);
    const strange: Buffer[][] = [
      [Buffer.from("GET / HTTP/1.1\r\n\r\n")],
      [Buffer.from([0, 0, 0, 4, 0, 0, 0, 0])],
      [Buffer.from([255, 255, 255, 255, 0, 3, 0, 0])],
      [writeFirst(131_072, zeroEnded("user", "app"))],
      [writeFirst(firstCodes.ssl, Buffer.from("behind"))],
      [startup("user", "app", "user", "owner")],
      [startup("user", "app", "database", "shop", "search_path", "mine")],
      [startup("user", "app", "role", "owner")],
      [writeFirst(firstCodes.protocol3, zeroEnded("user", "app", "database"))],
    ];
    for (const parts of strange)
      assert.match(await sendRaw(path, ...parts), /^E.*FATAL.*egress: /s, String(parts));
    assert.ok(events.every(({ type }) => type === "egress.connection.refused"));
  });

  test("a client may ask for encryption first, and is told that there is none, and for a newer protocol", async (context) => {
    const { port } = await database();
    const { path } = await openRelay(context, port);
    const socket = connect(path);
    for (const code of [firstCodes.gssEncryption, firstCodes.ssl]) {
      socket.write(writeFirst(code));
      const [answer] = (await once(socket, "data")) as [Buffer];
      assert.equal(answer.toString(), "N");
    }
    socket.write(
      writeFirst(
        firstCodes.protocol32,
        Buffer.concat([zeroEnded("user", "app", "database", "shop"), Buffer.of(0)]),
      ),
    );
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal(answer.toString("latin1", 0, 1), "v");
    socket.destroy();
  });

  test("a password that is wrong, a secret without a value and a strange certificate end in an error that has none of it", async (context) => {
    const { port } = await database();
    const { folder, value, events } = await openRelay(context, port);
    value.now = "wrong-one";
    await assert.rejects(openClient(context, folder), /SQLSTATE_28P01/);
    value.now = undefined;
    await assert.rejects(openClient(context, folder), /SECRETMISSING/);
    value.now = password;
    value.version = 2;
    await openClient(context, folder);
    const strange = await openRelay(context, port, { place: { host: "127.0.0.1", port } });
    await assert.rejects(openClient(context, strange.folder), /SELF_SIGNED|UNABLE_TO/);
    const away = await openRelay(context, 1);
    await assert.rejects(openClient(context, away.folder), /ECONNREFUSED/);
    const metadata = await openRelay(context, port, { place: { host: "169.254.169.254", port } });
    await assert.rejects(openClient(context, metadata.folder), /ENOTFOUND/);
    assert.doesNotMatch(JSON.stringify([events, strange.events]), /wrong-one|not-a-real/);
  });

  test("when either side goes the other is let go at once", async (context) => {
    const { port, query } = await database();
    const { folder, relay } = await openRelay(context, port);
    const client = await openClient(context, folder);
    const [{ pid }] = (await client.query("SELECT pg_backend_pid() AS pid")).rows as [{ pid: number }];
    const ended = new Promise<void>((resolve) => void client.once("end", resolve));
    await query(`SELECT pg_terminate_backend(${pid})`);
    await ended;
    const other = await openClient(context, folder);
    const [{ pid: second }] = (await other.query("SELECT pg_backend_pid() AS pid")).rows as [{ pid: number }];
    (other as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    let left: unknown[] = [second];
    while (left.length > 0) left = await query(`SELECT pid FROM pg_stat_activity WHERE pid = ${second}`);
    while (relay.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test("connections beyond the most are refused in words", async (context) => {
    const { port } = await database();
    const { folder } = await openRelay(context, port, { maxConnections: 1 });
    await openClient(context, folder);
    await assert.rejects(openClient(context, folder), /too many connections/);
  });

  test("after a rotation new connections use the new password, and those that are open go on", async (context) => {
    const { port, query } = await database();
    const { folder, value } = await openRelay(context, port);
    const before = await openClient(context, folder);
    await query("ALTER ROLE app PASSWORD 'another-unreal-one'");
    await assert.rejects(openClient(context, folder), /28P01/);
    value.now = "another-unreal-one";
    value.version = 2;
    await openClient(context, folder);
    assert.deepEqual((await before.query("SELECT 1 AS one")).rows, [{ one: 1 }]);
    await query(`ALTER ROLE app PASSWORD '${password}'`);
  });

  test("kill -9 of the server ends its sessions, and a new one is refused in words", async (context) => {
    const own = await startPostgres(context);
    await own.query(`CREATE ROLE app LOGIN PASSWORD '${password}'`);
    await own.query("CREATE DATABASE shop OWNER app");
    const { folder } = await openRelay(context, own.port);
    const client = await openClient(context, folder);
    const ended = new Promise<void>((resolve) => void client.once("end", resolve));
    await own.kill();
    await ended;
    await assert.rejects(openClient(context, folder), /ECONNREFUSED/);
  });
});

suite("A server that is not ours", () => {
  /** Says the same to whatever comes, part by part. */
  async function startLiar(context: TestContext, ...answers: Buffer[]): Promise<number> {
    const sockets = new Set<Socket>();
    const liar = createServer((socket) => {
      sockets.add(socket);
      const left = [...answers];
      socket.on("error", () => undefined);
      socket.on("data", () => {
        const next = left.shift();
        if (next !== undefined) socket.write(next);
      });
    }).listen(0, "127.0.0.1");
    await once(liar, "listening");
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      liar.close();
    });
    return (liar.address() as AddressInfo).port;
  }

  const authentication = (kind: number, rest: Buffer = Buffer.alloc(0)): Buffer => {
    const code = Buffer.alloc(4);
    code.writeUInt32BE(kind);
    return writeMessage("R", Buffer.concat([code, rest]));
  };
  const plain = { insecureAllowPlain: "a test" };

  test("is not spoken to without TLS, nor if anything stands behind its leave to begin it", async (context) => {
    for (const answer of ["N", "E", "SX", "\0", `S${authentication(0).toString("latin1")}`]) {
      const port = await startLiar(context, Buffer.from(answer, "latin1"));
      const { folder } = await openRelay(context, port);
      await assert.rejects(openClient(context, folder), /NOTLS/, answer);
    }
  });

  const lies: [string, Buffer, RegExp][] = [
    ["lets us in without asking", authentication(0), /NOSCRAM/],
    ["asks for the password itself", authentication(3), /NOSCRAM/],
    ["asks for its MD5", authentication(5, Buffer.from("salt")), /NOSCRAM/],
    ["offers only what we don't speak", authentication(10, zeroEnded("SCRAM-SHA-1", "")), /NOSCRAM/],
    ["sends a message of gigabytes", Buffer.from([0x52, 0x7f, 0xff, 0xff, 0xff]), /UNKNOWN/],
    ["says something else", writeMessage("Z", Buffer.from("I")), /NOSCRAM/],
    [
      "refuses, with a code that is none",
      writeMessage("E", zeroEnded("C<b>", "Mnot-a-real-app-password", "")),
      /REFUSED/,
    ],
  ];
  for (const [what, answer, expected] of lies)
    test(`one that ${what} is not given the password`, async (context) => {
      const port = await startLiar(context, answer);
      const { folder, events } = await openRelay(context, port, plain);
      await assert.rejects(openClient(context, folder), expected);
      assert.doesNotMatch(JSON.stringify(events), /not-a-real/);
    });

  test("one that does not know the password can't end the exchange", async (context) => {
    const liar = createServer((socket) => {
      let step = 0;
      socket.on("error", () => undefined);
      socket.on("data", (part: Buffer) => {
        step++;
        const nonce = /r=([^,]+)$/.exec(part.toString("latin1"))?.[1] ?? "";
        if (step === 1) socket.write(authentication(10, zeroEnded("SCRAM-SHA-256", "")));
        if (step === 2) socket.write(authentication(11, Buffer.from(`r=${nonce}more,s=AAAA,i=4096`)));
        if (step === 3)
          socket.write(
            Buffer.concat([authentication(12, Buffer.from(`v=${"A".repeat(43)}=`)), authentication(0)]),
          );
      });
    }).listen(0, "127.0.0.1");
    await once(liar, "listening");
    context.after(() => liar.close());
    const { folder } = await openRelay(context, (liar.address() as AddressInfo).port, plain);
    await assert.rejects(openClient(context, folder), /NOTSERVER/);
  });

  test("one that says nothing is waited for no longer than a connection may take", async (context) => {
    const port = await startLiar(context);
    const { folder } = await openRelay(context, port, { timeoutMs: 100 });
    await assert.rejects(openClient(context, folder), /ETIMEDOUT/);
  });
});
