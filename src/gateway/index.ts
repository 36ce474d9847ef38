export { problems } from "./answers/answers.ts";
export type { FieldFault, ProblemCode } from "./answers/answers.ts";
export type { GatewayErrorCode } from "./errors.ts";
export type { RouteExplanation, RouteStep } from "./explain/explain.ts";
export { createGateway } from "./gateway.ts";
export type { Gateway, GatewayOptions } from "./gateway.ts";
export type { Charge, ChargesDone, CountedLimit, Counting } from "./limits/counting.ts";
export { gateSpaceOf } from "./limits/gate-space.ts";
export { createGateMemory, openGates } from "./limits/gates.ts";
export type { Door, GateMemory, GateMemoryOptions, GateSpace, Gates } from "./limits/gates.ts";
export { limitKeyPrefix, limitScript } from "./limits/limit-script.ts";
export { createLoadMeter } from "./limits/load-meter.ts";
export type { LoadMeter, LoadMeterOptions } from "./limits/load-meter.ts";
export type { Schedule } from "./limits/pace.ts";
export { createLimitMemory, createLimitStore } from "./limits/rate-limit.ts";
export type { LimitMemory, LimitMemoryOptions } from "./limits/rate-limit.ts";
export { createReportEndpoint } from "./reports/report-endpoint.ts";
export type { ReportEndpoint, ReportEndpointOptions } from "./reports/report-endpoint.ts";
export { createRouter } from "./router.ts";
export type { RouteMatch, Router } from "./router.ts";
export { createApiKeys } from "./callers/api-keys.ts";
export type { ApiKeys, ApiKeysOptions as ApiKeyCheckOptions } from "./callers/api-keys.ts";
export type { ApiKeyRecord } from "./callers/api-key-list.ts";
export { createRevocationMemory, openRevocations } from "./callers/revocations.ts";
export type { RevocationMemory, RevocationMemoryOptions, Revocations } from "./callers/revocations.ts";
export { createProofMemory } from "./callers/dpop/proof-memory.ts";
export type { ProofMemory, ProofMemoryOptions } from "./callers/dpop/proof-memory.ts";
export { createProofVerifier } from "./callers/dpop/proof-verifier.ts";
export type {
  ProofFault,
  ProofSubject,
  ProofVerifier,
  ProofVerifierOptions,
} from "./callers/dpop/proof-verifier.ts";
export { createSessionVerifier } from "./callers/session-verifier.ts";
export type {
  Session,
  SessionStore,
  SessionVerifier,
  SessionVerifierOptions,
} from "./callers/session-verifier.ts";
export { createTokenVerifier } from "./callers/token-verifier.ts";
export type { IssuerKeys, KeySource, TokenVerifierOptions } from "./callers/token-verifier.ts";
export type { AnswerHeaders } from "./answers/response-headers.ts";
export type { SignatureVerdict, SignedRequest, WebhookVerifier } from "./webhooks/types.ts";
export type { OpenStreamsOptions } from "./streams/open-streams.ts";
export type {
  BodyError,
  BodySink,
  BodyStream,
  CallOff,
  Caller,
  Destination,
  ForwardedAnswer,
  ForwardedRequest,
  ForwardedStream,
  GatewayAnswer,
  GatewayRequest,
  LimitRate,
  LimitStore,
  Respond,
  TokenBinding,
  TokenVerdict,
  TokenVerifier,
} from "./types.ts";
