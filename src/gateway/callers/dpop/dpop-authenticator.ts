import type { DpopMode } from "../../../contract/index.ts";
import type { ProblemCode } from "../../answers/answers.ts";
import type { GatewayRequest, TokenVerdict, TokenVerifier } from "../../types.ts";
import type { Authenticator, Identified } from "../authenticator.ts";
import { asksWhoCalls } from "../routes-that-ask.ts";
import { refuseToken } from "../token-authenticator.ts";
import { proofAlgorithms } from "./proof-key.ts";
import type { ProofVerifier } from "./proof-verifier.ts";

/** A scheme, a blank, a token. */
const credentials = /^(Bearer|DPoP) (.+)$/is;

const algs = `algs="${proofAlgorithms}"`;
const badToken = `DPoP error="invalid_token", ${algs}`;
const badProof = `DPoP error="invalid_dpop_proof", error_description="The proof does not hold", ${algs}`;

/**
 * Access tokens that come with a proof of possession, as `Authorization: DPoP …`; beside them bearer tokens, unless proofs are required. What a
 * token says of itself decides: one that is bound to a key never counts without it, and one that is not never counts as if it were.
 *
 * @see RFC 9449 §7
 */
export function createDpopAuthenticator(
  tokens: TokenVerifier,
  proofs: ProofVerifier,
  mode: DpopMode,
): Authenticator {
  const badBearer = mode === "required" ? badToken : 'Bearer error="invalid_token"';

  function ofBearer(verdict: TokenVerdict): Identified {
    if (verdict.kind !== "valid") return refuseToken(verdict, badBearer);
    return verdict.bound === undefined
      ? verdict
      : refuse(badToken, "a token that is bound to a key came as a bearer token");
  }

  function ofProven(verdict: TokenVerdict, request: GatewayRequest): Identified | Promise<Identified> {
    if (verdict.kind !== "valid") return refuseToken(verdict, badToken);
    const { bound } = verdict;
    if (bound === undefined) return refuse(badToken, "the token is bound to no key");
    const proof = request.header("dpop");
    if (proof === undefined) return refuse(badProof, "there is no proof");
    const { method, path } = request;
    return proofs.verify(proof, { method, path, ...bound }).then((fault) => {
      if (fault === undefined) return verdict;
      return fault.kind === "invalid"
        ? refuse(badProof, `the proof: ${fault.reason}`)
        : refuse(undefined, `the proof: ${fault.reason}`, "GATEWAY_PROOFS_UNAVAILABLE");
    });
  }

  return {
    name: "an access token",
    challenge: mode === "required" ? `DPoP ${algs}` : `Bearer, DPoP ${algs}`,
    opens: asksWhoCalls,
    read(request) {
      const header = request.header("authorization");
      return header !== undefined && credentials.test(header) ? header : undefined;
    },
    verify(header, request) {
      const [, scheme = "", token = ""] = credentials.exec(header) ?? [];
      const isProven = scheme.toLowerCase() === "dpop";
      if (!isProven && mode === "required")
        return refuse(badToken, "a bearer token came, and a proof is required");
      if (!isProven && request.header("dpop") !== undefined)
        return refuse(badToken, "a proof came with a bearer token");
      const verdict = tokens.verify(token, request.connection);
      if (verdict instanceof Promise)
        return verdict.then((later) => (isProven ? ofProven(later, request) : ofBearer(later)));
      return isProven ? ofProven(verdict, request) : ofBearer(verdict);
    },
  };
}

function refuse(
  challenge: string | undefined,
  reason: string,
  code: ProblemCode = "GATEWAY_TOKEN_INVALID",
): Identified {
  const headers = challenge === undefined ? ["retry-after", "5"] : ["www-authenticate", challenge];
  return { kind: "refused", refusal: { code, reason, headers } };
}
