export { emitCaddy } from "./caddy/emit.ts";
export type { CaddyOptions } from "./caddy/emit.ts";
export type { HostsErrorCode } from "./errors.ts";
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
