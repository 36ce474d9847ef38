export { CurtainwallError, isCurtainwallError } from "./error.ts";
export type { CurtainwallErrorOptions } from "./error.ts";
export { Secret, revealSecret } from "./secret.ts";
export { fromBase64, sha256, toBase64, toBase64Url, toHex } from "./bytes.ts";
export { createNameIndex } from "./name-index.ts";
export { printable } from "./printable.ts";
export { isExampleEnvironment, privateKind } from "./private-names.ts";
export type { PrivateKind } from "./private-names.ts";
export {
  addressGroup,
  formatAddress,
  isWithin,
  normalizeAddress,
  parseAddress,
  parseNetwork,
} from "./address.ts";
export type { AddressBytes, Network } from "./address.ts";
