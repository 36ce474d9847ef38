import { createHash, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Secret } from "../../../shared/index.ts";
import { codedError } from "../connections/service-socket.ts";
import type { ServiceSockets } from "../connections/service-socket.ts";
import {
  createMessageReader,
  firstCodes,
  readErrorFields,
  writeFirst,
  writeMessage,
  zeroEnded,
} from "./messages.ts";
import type { Message, MessageReader } from "./messages.ts";
import { readPart } from "./read-part.ts";
import { createScramClient } from "./scram.ts";

/** What a session is opened with. */
export interface SessionFacts {
  readonly user: string;
  readonly database: string;
  readonly password: Secret;
  /** What the client set of its own, and may. */
  readonly settings: ReadonlyMap<string, string>;
  /** Speaks TLS; false only where the contract says why not. */
  readonly isEncrypted: boolean;
}

/** A connection whose server has let us in. Nothing that it said since was taken from it. */
export interface OpenSession {
  readonly socket: Socket;
  /** What it said behind its leave. */
  readonly rest: Buffer;
}

/** Nothing that is said before a session begins is longer. */
const maxMessageBytes = 16_384;

/**
 * Connects to a PostgreSQL, proves the password, and checks that the server knows it too. A server that asks for the password itself, for a hash of
 * it that could be replayed, or for nothing at all is not believed to be ours.
 */
export async function openSession(
  sockets: ServiceSockets,
  facts: SessionFacts,
  timeoutMs: number,
): Promise<OpenSession> {
  const tcp = await sockets.connect();
  const timer = setTimeout(() => tcp.destroy(codedError("ETIMEDOUT", "no session in time")), timeoutMs);
  try {
    const socket = facts.isEncrypted ? await startTls(tcp, sockets) : tcp;
    const startup = [["user", facts.user], ["database", facts.database], ...facts.settings].flat();
    socket.write(writeFirst(firstCodes.protocol3, Buffer.concat([zeroEnded(...startup), Buffer.of(0)])));
    const reader = createMessageReader(maxMessageBytes);
    await authenticate(socket, reader, facts.password);
    return { socket, rest: reader.rest() };
  } catch (error) {
    tcp.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Asks for TLS first, as PostgreSQL wants it. What comes behind the answer in plain text is nobody's (CVE-2021-23222). */
export async function startTls(tcp: Socket, sockets: ServiceSockets): Promise<Socket> {
  tcp.write(writeFirst(firstCodes.ssl));
  const answer = await readPart(tcp);
  if (answer.length !== 1 || answer[0] !== 0x53) throw codedError("NOTLS", "it speaks no TLS");
  return sockets.secure(tcp, "postgresql");
}

async function authenticate(socket: Socket, reader: MessageReader, password: Secret): Promise<void> {
  const binding = socket instanceof TLSSocket ? endPointOf(socket) : undefined;
  const offered = await readAuthentication(socket, reader, askSasl);
  const mechanisms = offered.toString("latin1").split("\0");
  const plus = binding !== undefined && mechanisms.includes("SCRAM-SHA-256-PLUS");
  if (!plus && !mechanisms.includes("SCRAM-SHA-256"))
    throw codedError("NOSCRAM", "it offers no SCRAM-SHA-256");
  const scram = createScramClient(password, plus ? binding : undefined);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(scram.first.length);
  socket.write(writeMessage("p", Buffer.concat([zeroEnded(scram.mechanism), length, scram.first])));
  const challenge = await readAuthentication(socket, reader, goOn);
  socket.write(writeMessage("p", await scram.answer(challenge)));
  if (!scram.isServer(await readAuthentication(socket, reader, goneWell)))
    throw codedError("NOTSERVER", "it does not know the password itself");
  await readAuthentication(socket, reader, letIn);
}

/** Kinds of authentication messages (`R`). */
const letIn = 0;
const askSasl = 10;
const goOn = 11;
const goneWell = 12;

/** The next message of the server's, which must be this kind of step. */
async function readAuthentication(socket: Socket, reader: MessageReader, kind: number): Promise<Buffer> {
  const { type, body } = await readMessage(socket, reader);
  if (type === "E") {
    const code = readErrorFields(body).get("C") ?? "";
    throw codedError(/^[0-9A-Z]{5}$/.test(code) ? `SQLSTATE_${code}` : "REFUSED", "it refuses");
  }
  if (type !== "R" || body.length < 4 || body.readUInt32BE(0) !== kind)
    throw codedError("NOSCRAM", "it does not ask for SCRAM-SHA-256");
  return body.subarray(4);
}

async function readMessage(socket: Socket, reader: MessageReader): Promise<Message> {
  for (;;) {
    const message = reader.next();
    if (message !== undefined) return message;
    reader.push(await readPart(socket));
  }
}

/** The hash of the server's certificate, by the hash that it was signed with, MD5 and SHA-1 made SHA-256 (RFC 5929 §4.1). */
function endPointOf(socket: TLSSocket): Buffer | undefined {
  const { raw } = socket.getPeerCertificate();
  if (raw === undefined) return undefined;
  const { signatureAlgorithm } = new X509Certificate(raw);
  const [, name] = /sha-?(224|256|384|512)/i.exec(signatureAlgorithm ?? "") ?? [];
  // Of Ed25519 and its kind nobody has said which: then nothing is bound.
  if (name === undefined && !/sha-?1|md5/i.test(signatureAlgorithm ?? "")) return undefined;
  return createHash(`sha${name ?? "256"}`)
    .update(raw)
    .digest();
}
