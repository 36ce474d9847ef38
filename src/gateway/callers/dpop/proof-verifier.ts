import { compactVerify } from "jose";
import { proofSeconds } from "../../../contract/index.ts";
import type { Counting } from "../../limits/counting.ts";
import { countedLimit } from "../../limits/counting.ts";
import type { LimitStore } from "../../types.ts";
import { isCompact, readHeader, readObject } from "../token-form.ts";
import { readProofKey } from "./proof-key.ts";
import type { ProofKey } from "./proof-key.ts";
import { openUsedProofs } from "./proof-memory.ts";
import type { ProofMemory } from "./proof-memory.ts";
import { compileAddressCheck } from "./request-address.ts";

/** What a proof has to be of. */
export interface ProofSubject {
  readonly method: string;
  /** As it came, without the query. */
  readonly path: string;
  /** Thumbprint of the key that the token is bound to. */
  readonly thumbprint: string;
  /** SHA-256 of the token, base64url. */
  readonly tokenDigest: string;
}

/** Why a proof does not count; `unavailable`: it can't be told now whether it does. */
export interface ProofFault {
  readonly kind: "invalid" | "unavailable";
  /** For the log. */
  readonly reason: string;
}

/** Verifies proofs of possession. */
export interface ProofVerifier {
  /** @returns undefined if it holds, and was not used before. Never rejects. */
  verify(proof: string, subject: ProofSubject): Promise<ProofFault | undefined>;
}

/** Options of {@link createProofVerifier}. */
export interface ProofVerifierOptions {
  /** The site's. */
  readonly origin: string;
  /** One for all threads, from `createProofMemory`. Its window is `clockToleranceSeconds` longer than 60 seconds, or more. */
  readonly memory: ProofMemory;
  /** How far a client's clock may be from ours, in seconds, 0 to 60. Default 5. */
  readonly clockToleranceSeconds?: number;
  /** Where several hosts count together: a proof that was used on one is refused on all, while the store can be reached. */
  readonly shared?: Counting | undefined;
  /** Clients' keys remembered; the oldest is forgotten first. Default 10 000. */
  readonly maxKeys?: number;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** Longer ones are refused unread. */
const maxProofLength = 2048;
const maxNameLength = 255;

const invalid = (reason: string): ProofFault => ({ kind: "invalid", reason });

/**
 * Verifies DPoP proofs: one spelling, `typ`, a pinned algorithm, a public key of exactly the form that it needs, method, address, time, the token's
 * digest, the key's thumbprint, the signature; and that it is used for the first time. That comes last: only who has a token and its key can put
 * anything into the memory. What is cheap comes before what is dear.
 *
 * @see RFC 9449 §4.3, §7.1, §11.1
 */
export function createProofVerifier({
  origin,
  memory,
  clockToleranceSeconds = 5,
  shared,
  maxKeys = 10_000,
  now = Date.now,
}: ProofVerifierOptions): ProofVerifier {
  const used = openUsedProofs(memory);
  const isAddress = compileAddressCheck(origin);
  /** By the header, which a client writes alike each time. Holds keys of proofs that held, and no others. */
  const keys = new Map<string, ProofKey>();
  const useOnce = shared && compileUseOnce(shared, memory.windowSeconds);

  function findClaimFault(encoded: string, subject: ProofSubject): string | { jti: string; iat: number } {
    const claims = readObject(encoded);
    if (typeof claims === "string") return `its claims are ${claims}`;
    const { htm, htu, iat, jti, ath } = claims;
    if (htm !== subject.method) return "it is of another method";
    if (!isAddress(htu, subject.path)) return "it is of another address";
    if (typeof iat !== "number") return "it has no time";
    const age = now() / 1000 - iat;
    if (!(age >= -clockToleranceSeconds)) return "it was made in the future";
    if (!(age < proofSeconds + clockToleranceSeconds)) return "it is too old";
    if (typeof jti !== "string" || jti === "" || jti.length > maxNameLength) return "it has no usable name";
    return ath === subject.tokenDigest ? { jti, iat } : "it is of another token";
  }

  async function findFault(proof: string, subject: ProofSubject): Promise<ProofFault | undefined> {
    if (proof.length > maxProofLength) return invalid("it is too long");
    // Two of them, which a server joins by a comma, are none.
    if (!isCompact(proof)) return invalid("it is not one signed token");
    const [first = "", second = ""] = proof.split(".");
    const claims = findClaimFault(second, subject);
    if (typeof claims === "string") return invalid(claims);
    const known = keys.get(first);
    const key = known ?? (await readKey(first));
    if (typeof key === "string") return invalid(key);
    if (key.thumbprint !== subject.thumbprint) return invalid("its key is not the token's");
    try {
      await compactVerify(proof, key.key, { algorithms: [key.algorithm] });
    } catch {
      return invalid("its signature is wrong");
    }
    if (known === undefined) {
      if (keys.size >= maxKeys) keys.delete(keys.keys().next().value ?? "");
      keys.set(first, key);
    }
    const name = `${key.thumbprint} ${claims.jti}`;
    switch (used.use(name, claims.iat, now())) {
      case "first":
        return useOnce === undefined || (await useOnce(name)) ? undefined : invalid("it was used before");
      case "again":
        return invalid("it was used before");
      case "late":
        return invalid("it was made before this server could know whether it was used");
      case "full":
        return { kind: "unavailable", reason: "no more proofs can be remembered" };
    }
  }

  return {
    verify: (proof, subject) =>
      findFault(proof, subject).catch(() => ({ kind: "unavailable", reason: "the check broke" })),
  };
}

async function readKey(encoded: string): Promise<ProofKey | string> {
  const header = readHeader(encoded);
  return typeof header === "string" ? header : await readProofKey(header);
}

/** Counts in vain: what this host knows it knows from its own memory. */
const nowhere: LimitStore = { take: () => 0, giveBack: () => undefined };

/** Whether a proof is used for the first time on any host; while the store is lost, on this one. */
function compileUseOnce(shared: Counting, windowSeconds: number): (name: string) => Promise<boolean> {
  const limit = countedLimit({ text: "", count: 1, windowSeconds, burst: 1 }, "dpop", nowhere, 0);
  return (key) =>
    new Promise((resolve) => {
      shared.charge([{ limit, key, cost: 1 }], ([left = 0], isExact) => resolve(!isExact || left >= 0));
    });
}
