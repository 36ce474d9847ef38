export {
  accessParts,
  allOf,
  anyOf,
  everyone,
  owner,
  ownerField,
  role,
  scope,
  signedIn,
  tenant,
} from "./access.ts";
export type { Access } from "./access.ts";
export { check } from "./access/check.ts";
export type { CheckFacts, CheckOptions, CheckTest, NamedCheck } from "./access/check.ts";
export { describeAccess, describeVisible, nameCondition } from "./access/describe-access.ts";
export { keyAccess } from "./access/key-access.ts";
export { ownerLookup } from "./access/owner-lookup.ts";
export type { OwnerLookup, OwnerLookupOptions } from "./access/owner-lookup.ts";
export type { Contract, ContractUpstream, Weakening } from "./contract.ts";
export { longestRememberedSeconds, proofSeconds } from "./caller-times.ts";
export type { ContractApiKeys, ContractSessions, Identity } from "./contract/callers.ts";
export type {
  ContractEdge,
  ContractProxies,
  ContractLeaks,
  ContractLedger,
  ContractReports,
} from "./contract/host.ts";
export type {
  ContractObservation,
  ContractRoute,
  ContractStream,
  ContractVisibility,
  JsonLimits,
} from "./contract/route.ts";
export type {
  ContractBuild,
  ContractForeignSite,
  ContractList,
  ContractImages,
  ContractLocales,
  ContractSite,
  ContractSource,
  ContractSourceHeader,
  ContractSourcePictures,
  ContractTags,
} from "./contract/site.ts";
export { environmentNames } from "./contract/secret.ts";
export type {
  ContractEgressOrigin,
  ContractFunction,
  ContractSecret,
  ContractUse,
  ContractVault,
  ContractWebhook,
} from "./contract/secret.ts";
export type { EgressOptions, EgressOriginOptions } from "./define/egress.ts";
export { fn } from "./define/function.ts";
export type { FunctionName, FunctionOptions } from "./define/function.ts";
export {
  awsSignature,
  basic,
  bearer,
  clientCredentials,
  hmac,
  inHeader,
  inQuery,
  jwtAssertion,
} from "./define/inject.ts";
export type {
  AwsSignatureOptions,
  ClientCredentialsOptions,
  HmacOptions,
  Injector,
  JwtAssertionOptions,
} from "./define/inject.ts";
export { connectionSecret, secret, webhookSecret } from "./define/secret.ts";
export type {
  PlainSecretOptions,
  SecretDefinition,
  SecretOptions,
  UseOptions,
  UserOfSecret,
  UseText,
} from "./define/secret.ts";
export type { EnvironmentName, VaultOptions } from "./define/vault.ts";
export { github, slack, standardWebhook, stripe } from "./define/webhook.ts";
export type { WebhookOption, WebhookOptions } from "./define/webhook.ts";
export { shapeOf } from "./client/shape-of.ts";
export { fitShape } from "./client/shape.ts";
export type { Fitted, NamedShapes, Shape, ShapeFault, ShapeMembers } from "./client/shape.ts";
export { routeTableOf } from "./client/table-of.ts";
export type { RouteTable } from "./client/route-table.ts";
export { networkOf, networkOfHost } from "./addresses/network.ts";
export type { ServiceNetwork } from "./addresses/network.ts";
export { defineStack, route } from "./define.ts";
export { none } from "./define/schema.ts";
export { upstream } from "./define/upstream.ts";
export { download, eventStream, form } from "./define/exchange.ts";
export type {
  Download,
  DownloadOptions,
  EventStream,
  EventStreamOptions,
  ExchangeOptions,
  Form,
} from "./define/exchange.ts";
export type { RouteKey, RouteOptions, Stack, StackOptions, TypedApi } from "./define.ts";
export type { Travelling } from "./travelling.ts";
export type {
  EdgeOptions,
  ProxyOptions,
  LeakException,
  LeakOptions,
  LedgerOptions,
  KeysOptions,
  ReportsOptions,
} from "./define/host.ts";
export type {
  ApiKeysOptions,
  DpopMode,
  IdentityOptions,
  SessionOptions,
  TokenAlgorithm,
} from "./define/identity.ts";
export type { Fields, None, Schema } from "./define/schema.ts";
export type {
  ContentSiteOptions,
  ForeignSiteOptions,
  ListOptions,
  ImageOptions,
  LocaleOptions,
  SiteOptions,
  TagOptions,
} from "./define/site.ts";
export type { Upstream, UpstreamOptions } from "./define/upstream.ts";
export { assertEnvironment, guardedValues, publicPrefixes, readEnvironment } from "./environment.ts";
export type {
  ContractEnvironment,
  Environment,
  EnvironmentSchemas,
  GuardedValue,
  Variables,
} from "./environment.ts";
export type { ContractErrorCode } from "./errors.ts";
export { eventCatalogue, maxEventText, parseSecurityEvent } from "./events.ts";
export type { EventSink, SecurityEvent, SecurityEventType, Severity } from "./events.ts";
export { parseLimit } from "./limits/limit.ts";
export type { Limit, LimitSubject, LimitText, Rate, RateText } from "./limits/limit.ts";
export { redis } from "./limits/limit-store.ts";
export type { RedisOptions, RedisStore } from "./limits/limit-store.ts";
export type { FailureLimit, FailureText } from "./limits/failure-limit.ts";
export type { Pace, PaceText } from "./limits/pace.ts";
export type {
  ContractBudget,
  ContractFailures,
  ContractLimitStore,
  ContractRouteLimits,
  ContractSpending,
} from "./contract/limits.ts";
export type { FailureOptions, LimitOptions, LimitStoreOptions, Priority } from "./define/limits.ts";
export type { ObserveOption, ObserveOptions } from "./define/observe.ts";
export type { VisibilityOption, VisibilityOptions } from "./define/visibility.ts";
export { isLoopbackHost } from "./addresses/loopback.ts";
export { openApi } from "./openapi/openapi.ts";
export type { OpenApiOptions } from "./openapi/openapi.ts";
export { parseContract } from "./parse.ts";
export { ownStatuses } from "./parse/answer.ts";
export { requestHeaderFault, responseHeaderFault } from "./parse/headers.ts";
export { methods, paramNames, parseRouteKey } from "./path.ts";
export type { Method, PathSegment, RouteKeyParts } from "./path.ts";
export { describePermission, describeWidening } from "./permissions/describe-permission.ts";
export {
  approvePermissions,
  lockEntries,
  parseLockedPermissions,
  prunePermissions,
  recordPermissions,
} from "./permissions/lock-permissions.ts";
export type { PermissionApproval } from "./permissions/lock-permissions.ts";
export type { Guards, LockedPermission, Permission, Permits, SchemaNode } from "./permissions/permission.ts";
export { permissionsOf } from "./permissions/permissions-of.ts";
export { reviewPermissions } from "./permissions/review.ts";
export type { PermissionReview, Widening } from "./permissions/review.ts";
export { acceptRelease, openSignatures } from "./release/accept.ts";
export type { Acceptance, AcceptedRelease, ReleaseKeys } from "./release/accept.ts";
export { contractDigest } from "./release/contract-digest.ts";
export { decodeRelease, detachManifest, readReleaseIndex } from "./release/decode.ts";
export type { ReleaseIndex, ReleaseSource } from "./release/decode.ts";
export { createReleaseWriter, encodeRelease } from "./release/encode.ts";
export type { ReleaseSink, ReleaseWriter, WrittenRelease } from "./release/encode.ts";
export { openEnvelope, signEnvelope, sshNamespace } from "./release/envelope.ts";
export type { Envelope, EnvelopeKind, EnvelopeSigner } from "./release/envelope.ts";
export { encodings } from "./release/format.ts";
export type {
  Encoding,
  Release,
  ReleaseExtras,
  ReleaseFile,
  ReleaseInput,
  ReleaseManifest,
  ReleaseRedirect,
  ReleaseVariant,
} from "./release/format.ts";
export { createNearest, notFoundPages } from "./release/not-found.ts";
export { wideningOf } from "./release/permissions.ts";
export { outsideProgram, programOf } from "./release/program.ts";
export type { Program, ProgramFacts } from "./release/program.ts";
export { parsePublicKey, publicKeyOf } from "./release/public-key.ts";
export { scriptAddressProblem } from "./addresses/script-address.ts";
export type { ReleasePublicKey } from "./release/public-key.ts";
export { identityDigest, parseProgram, parseSignatures, programDigest } from "./release/statement.ts";
export type { ReleaseSignatures, ReleaseStatement } from "./release/statement.ts";
export { closeObjects, inspectSchema, listFields, memberNames } from "./schema.ts";
export type { SchemaProblem } from "./schema.ts";
export { isSensitiveName, sensitiveFields } from "./sensitive-names.ts";
export { source } from "./source.ts";
export type { JsonValue, Source, SourceNext, SourceOptions, SourcePictures, SourceSecret } from "./source.ts";
export { undecided } from "./undecided.ts";
export { completeHeaders } from "./headers/complete-headers.ts";
export { withReporting } from "./headers/reporting.ts";
export { baseSecurityHeaders, inertPolicy, securityHeaders } from "./headers/security-headers.ts";
export type { Header } from "./headers/security-headers.ts";
export { doUsesMeet, textOfUse } from "./use-pattern.ts";
export type { UsePattern } from "./use-pattern.ts";
