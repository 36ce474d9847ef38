export { emitHost, hostNames } from "./emit.ts";
export type { EmitOptions } from "./emit.ts";
export { emitCaddy } from "./caddy/emit.ts";
export type { CaddyOptions } from "./caddy/emit.ts";
export type { CloudflareOptions } from "./cloudflare/emit.ts";
export type { HostsErrorCode } from "./errors.ts";
export { hostLimits } from "./limits.ts";
export type { HostLimits } from "./limits.ts";
export { siteOfRelease } from "./release-site.ts";
export { emitNginx } from "./nginx/emit.ts";
export type { NginxOptions } from "./nginx/emit.ts";
export type {
  Compression,
  DeclaredEncoding,
  DeclaredFile,
  DeclaredRedirect,
  DeclaredSite,
  Emission,
  EmittedFile,
  HostName,
  Placement,
} from "./site.ts";
