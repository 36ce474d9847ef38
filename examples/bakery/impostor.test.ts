import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { Agent, request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { developmentCertificate } from "curtainwall/edge";
import { admitImpostor, impostorsOf } from "./impostor.ts";
import { close, listen } from "./listen.ts";
import { createApi } from "./others/api.ts";

const folder = await mkdtemp(join(tmpdir(), "bakery-impostor-"));
const certificate = await developmentCertificate({ folder: join(folder, "ca"), hosts: ["localhost"] });
const server = createApi(certificate, () => ({ status: 200, body: { is: "real" } }));
const port = await listen(server, { name: "a service", port: 0, variable: "A_PORT" });
const admission = await admitImpostor(server, { name: "service", certificate, folder });
// A connection that stays open is what an impostor would never see.
const agent = new Agent({ keepAlive: true, ca: certificate.ca });
const careless = new Agent({ keepAlive: true, rejectUnauthorized: false });
const nameless = new Agent({ keepAlive: true, ca: certificate.ca, checkServerIdentity: () => undefined });

after(async () => {
  admission.close();
  agent.destroy();
  careless.destroy();
  nameless.destroy();
  await close(server);
  await rm(folder, { recursive: true });
});

/** What the server says, or the code of the error that asking it ended in. */
function ask(by: Agent): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const sent = request({ host: "localhost", port, agent: by }, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    answer.on("end", () => resolve(text));
  });
  sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  sent.end();
  return promise;
}

/** Connects as somebody who wants no TLS: a look whether the port is open. */
async function connectAndGo(): Promise<void> {
  const socket = connect({ host: "localhost", port }, () => socket.end());
  socket.resume();
  await once(socket, "close");
}

test("an impostor takes a server's place, is found out by who verifies, and gives the place back", async () => {
  assert.equal(await ask(agent), '{"is":"real"}');
  const impostor = await impostorsOf("service", folder).wrongAuthority();
  await connectAndGo();
  assert.deepEqual(await impostor.seen(), { hellos: 0, requests: 0 });
  assert.match(await ask(agent), /CERT|SIGNATURE|LEAF/);
  assert.deepEqual(await impostor.seen(), { hellos: 1, requests: 0 });
  assert.equal(await ask(careless), "{}");
  assert.equal((await impostor.seen()).requests, 1);
  await impostor.leave();
  assert.equal(await ask(agent), '{"is":"real"}');
});

test("one with another name has a certificate of the server's own authority", async () => {
  const impostor = await impostorsOf("service", folder).wrongName();
  assert.equal(await ask(agent), "ERR_TLS_CERT_ALTNAME_INVALID");
  assert.equal(await ask(nameless), "{}");
  assert.deepEqual(await impostor.seen(), { hellos: 2, requests: 1 });
  await impostor.leave();
});

test("the place is given back by itself when whoever put the impostor there is gone", async () => {
  const other = createApi(certificate, () => ({ status: 200, body: {} }));
  const contexts: string[] = [];
  const given = Promise.withResolvers<void>();
  const set = other.setSecureContext.bind(other);
  other.setSecureContext = (options) => {
    set(options);
    contexts.push(String(options.cert));
    if (contexts.length === 2) given.resolve();
  };
  const brief = await admitImpostor(other, { name: "brief", certificate, folder, mostMs: 1 });
  await impostorsOf("brief", folder).wrongAuthority();
  await given.promise;
  assert.notEqual(contexts[0], certificate.cert);
  assert.equal(contexts[1], certificate.cert);
  brief.close();
});

test("nobody else can put one there", async () => {
  const file = join(folder, "example/impostor-service.json");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const { url } = JSON.parse(await readFile(file, "utf8")) as { url: string };
  const refused = await fetch(url, { method: "PUT", headers: { authorization: "Bearer guessed" } });
  assert.equal(refused.status, 403);
  assert.equal(await ask(agent), '{"is":"real"}');
});
