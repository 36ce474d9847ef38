import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { equalBytes, revealSecret } from "../../../shared/index.ts";
import type { Secret } from "../../../shared/index.ts";

/** One side of a SCRAM-SHA-256 exchange: the client's. */
export interface ScramClient {
  readonly mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS";
  readonly first: Buffer;
  /** Answers the server's challenge. @throws {Error} when it is none, or would have the password tried out */
  answer(challenge: Buffer): Promise<Buffer>;
  /** Tells whether the server knows the password too: else it is somebody else's. */
  isServer(final: Buffer): boolean;
}

/** A server that asks for more would keep us busy, for less would make what we send easy to try out. */
const iterations = { least: 4096, most: 1_000_000 };
const challengeGrammar = /^r=([!-+\--~]{1,256}),s=([A-Za-z0-9+/=]{1,256}),i=([1-9]\d{0,8})$/;

/**
 * Begins to prove that we know a password, without saying it.
 *
 * @param binding what names the TLS connection (`tls-server-end-point`), so that nobody between can pass the proof on. Undefined: the server
 *   offers nothing that could be bound
 * @see RFC 5802, RFC 7677, RFC 5929 §4
 */
export function createScramClient(
  password: Secret,
  binding: Buffer | undefined,
  nonce: string = randomBytes(18).toString("base64"),
): ScramClient {
  // Over TLS, "y" would say that the server offers no binding though we could: a server that does offers it then knows of somebody between.
  const header = binding === undefined ? "n,," : "p=tls-server-end-point,,";
  // PostgreSQL takes the user from the startup message.
  const bare = `n=,r=${nonce}`;
  let serverSignature: Buffer | undefined;
  return {
    mechanism: binding === undefined ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS",
    first: Buffer.from(header + bare),
    async answer(challenge) {
      const text = challenge.toString("latin1");
      const [, both = "", salt = "", count = ""] = challengeGrammar.exec(text) ?? [];
      if (!both.startsWith(nonce) || both.length === nonce.length)
        throw new Error("a challenge that is none");
      if (Number(count) < iterations.least || Number(count) > iterations.most)
        throw new Error("a challenge of too many rounds, or too few");
      const salted = await derive(
        prepare(revealSecret(password)),
        Buffer.from(salt, "base64"),
        Number(count),
      );
      const bound = Buffer.concat([Buffer.from(header), binding ?? Buffer.alloc(0)]).toString("base64");
      const withoutProof = `c=${bound},r=${both}`;
      const signed = `${bare},${text},${withoutProof}`;
      const clientKey = hmac(salted, "Client Key");
      const clientSignature = hmac(createHash("sha256").update(clientKey).digest(), signed);
      serverSignature = hmac(hmac(salted, "Server Key"), signed);
      const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (clientSignature[index] as number)));
      salted.fill(0);
      return Buffer.from(`${withoutProof},p=${proof.toString("base64")}`);
    },
    isServer(final) {
      const [, written = ""] = /^v=([A-Za-z0-9+/=]{1,256})$/.exec(final.toString("latin1")) ?? [];
      const given = Buffer.from(written, "base64");
      return serverSignature !== undefined && equalBytes(serverSignature, given);
    },
  };
}

/** Makes one text of those that look alike (SASLprep, RFC 4013 §2), as PostgreSQL does before it keeps a password. */
function prepare(password: string): string {
  if (/^[ -~]*$/.test(password)) return password;
  return password
    .replaceAll(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, " ")
    .replaceAll(/\u00ad|\u1806|\u2060|[\ufe00-\ufe0f]|\ufeff/gu, "")
    .normalize("NFKC");
}

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

function derive(password: string, salt: Buffer, rounds: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, rounds, 32, "sha256", (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
