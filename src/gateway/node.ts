import { hash } from "node:crypto";

export { openApiKeyFile } from "./node/api-key-file.ts";
export type { ApiKeyFile, NewApiKey } from "./node/api-key-file.ts";
export { createIssuerKeys } from "./node/issuer-keys.ts";
export type { IssuerKeysOptions, RemoteKeySource } from "./node/issuer-keys.ts";
export { readSignatureKeys } from "./node/signature-keys.ts";
export { createRedisCounting } from "./node/redis/redis-counting.ts";
export type { RedisCounting, RedisCountingOptions } from "./node/redis/redis-counting.ts";
export { threadWorkMs } from "./node/thread-work.ts";
export { AnswerReader } from "./node/answer-reader.ts";
export type { ReaderOptions } from "./node/answer-reader.ts";
export { createUpstream } from "./node/upstream.ts";
export type { UpstreamPool, UpstreamPoolOptions, UpstreamSocket } from "./node/upstream.ts";
export type { ClientCertificate } from "./node/upstream/backend.ts";
export type { Lookup } from "../shared/node.ts";
export { createAssertionSigner } from "./node/assertion-signer.ts";
export type { AssertionSignerOptions } from "./node/assertion-signer.ts";
export type { AssertionSigner } from "./assertion.ts";

/** SHA-256 of a token, for {@link createTokenVerifier}'s cache. */
export function tokenDigest(token: string): string {
  return hash("sha256", token, "base64url");
}
