export { assertionHeader, verifyAssertion } from "./assertion.ts";
export type { AssertedRequest, AssertionRules, ReceivedBody, VerifiedAssertion } from "./assertion.ts";
export { createAssertionVerifier } from "./node/assertion-verifier.ts";
export type { AssertionVerifier, AssertionVerifierOptions } from "./node/assertion-verifier.ts";
