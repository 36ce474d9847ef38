export { CurtainwallError, isCurtainwallError } from "./error.ts";
export type { CurtainwallErrorOptions } from "./error.ts";
export { Secret, revealSecret } from "./secret.ts";
export { fromBase64, sha256, toBase64, toBase64Url, toHex } from "./bytes.ts";
export { createFairQueue } from "./fair-queue.ts";
export type { FairQueue, Waiting } from "./fair-queue.ts";
export { counted } from "./counted.ts";
export { countMembers, parseJsonBody } from "./json-body.ts";
export type { JsonFault, ReadJson } from "./json-body.ts";
export { scanJson } from "./json-scan.ts";
export type { JsonLimits } from "./json-scan.ts";
export { formatPairs, parseQuery } from "./query.ts";
export type { Pairs } from "./query.ts";
export { equalBytes } from "./equal-bytes.ts";
export { escapeControls } from "./escape-controls.ts";
export { createNameIndex } from "./name-index.ts";
export { nearest, nearestRoute } from "./nearest.ts";
export { printable } from "./printable.ts";
export { spellDuration } from "./spell-duration.ts";
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
