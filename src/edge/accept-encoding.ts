import type { Encoding } from "../contract/index.ts";

/** Best first where weights are equal: what makes pages smallest. */
const known: readonly Encoding[] = ["br", "zstd", "gzip", "identity"];

/** Every order of every subset of the encodings: what a client can want, and no more than 65 of it. */
export const encodingPreferences: readonly (readonly Encoding[])[] = orders(known);

const indexOf = new Map(encodingPreferences.map((order, index) => [order.join(), index]));
const weightGrammar = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/;
/** Below any weight that can be written, above none at all. */
const unlistedIdentity = 0.0001;

/**
 * Reads Accept-Encoding into an index of {@link encodingPreferences}. A malformed element counts as absent.
 *
 * @param value undefined: the header is absent, and identity is sent
 * @see RFC 9110 §12.5.3
 */
export function parseAcceptEncoding(value: string | undefined): number {
  const weights = new Map<string, number>();
  for (const element of (value ?? "").toLowerCase().split(",")) {
    const [coding = "", parameter, ...rest] = element.split(";").map((part) => part.trim());
    const weight = parameter === undefined ? 1 : parseWeight(parameter);
    if (coding === "" || weight === undefined || rest.length > 0) continue;
    weights.set(coding === "x-gzip" ? "gzip" : coding, weight);
  }
  const weightOf = (encoding: Encoding): number =>
    weights.get(encoding) ?? weights.get("*") ?? (encoding === "identity" ? unlistedIdentity : 0);
  const order = known
    .filter((encoding) => weightOf(encoding) > 0)
    .sort((left, right) => weightOf(right) - weightOf(left));
  return indexOf.get(order.join()) ?? 0;
}

function parseWeight(parameter: string): number | undefined {
  const value = parameter.startsWith("q=") ? parameter.slice(2) : "";
  return weightGrammar.test(value) ? Number(value) : undefined;
}

/**
 * Creates {@link parseAcceptEncoding} with a memory: browsers send few distinct values.
 *
 * @param maxEntries values remembered; then all are forgotten at once, so that no client can keep the memory full
 */
export function createEncodingPreference(maxEntries = 256): (value: string | undefined) => number {
  const remembered = new Map<string | undefined, number>();
  return (value) => {
    const hit = remembered.get(value);
    if (hit !== undefined) return hit;
    const index = parseAcceptEncoding(value);
    if (value === undefined || value.length <= 256) {
      if (remembered.size >= maxEntries) remembered.clear();
      remembered.set(value, index);
    }
    return index;
  };
}

function orders(items: readonly Encoding[]): Encoding[][] {
  const longer = items.flatMap((item) =>
    orders(items.filter((other) => other !== item)).map((rest) => [item].concat(rest)),
  );
  return [[], ...longer];
}
