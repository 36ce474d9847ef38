export type { AnswerSink, AnswerStream, ApiAnswer, ApiHandler, ApiRequest, BodyProblem } from "./api.ts";
export type { ClientOptions } from "./clients/client-rules.ts";
export type { EdgeErrorCode } from "./errors.ts";
export type { EdgeEvent, EdgeEventKind } from "./event.ts";
export type { EdgeLimits } from "./limits.ts";
export type { EdgeCertificate } from "./node/certificate.ts";
export { developmentCertificate } from "./node/development-certificate.ts";
export type {
  DevelopmentCertificate,
  DevelopmentCertificateOptions,
} from "./node/development-certificate.ts";
export type { ListenTarget } from "./node/door.ts";
export { createEdgeServer } from "./node/edge-server.ts";
export type { EdgeServer, EdgeServerOptions } from "./node/edge-server.ts";
export { createRedirectServer } from "./node/redirect-server.ts";
export type { RedirectServer, RedirectServerOptions } from "./node/redirect-server.ts";
