/** A policy violation that a browser reported, with nothing in it that a log should not hold. */
export interface PolicyViolation {
  /** Path of the page. */
  readonly page: string;
  readonly directive: string;
  /** A path of the site, another origin, a scheme, or a word of the specification like `inline`. */
  readonly blocked: string;
  readonly disposition: "enforce" | "report";
  /** Where it happened: a path of the site or another origin. */
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly sample: string | undefined;
}

/** Why a report is not kept. */
export type DroppedReason = "shape" | "other-origin" | "extension" | "other-type" | "too-many";

/** What a report says, under the names that its format has for it. */
export interface RawViolation {
  readonly page: unknown;
  readonly directive: unknown;
  readonly blocked: unknown;
  readonly disposition: unknown;
  readonly file: unknown;
  readonly line: unknown;
  readonly sample: unknown;
}

const maxPathLength = 200;
const maxSampleLength = 40;
const directiveName = /^[a-z][a-z-]{0,39}$/;
const word = /^[a-z][a-z-]{0,29}$/;
const fetched = new Set(["http:", "https:", "ws:", "wss:"]);

/**
 * Keeps of a report what says which policy was violated where. Anybody can send a report: addresses lose query and fragment, other
 * sites' lose their path too, texts are cut, and what is about another site or a browser's extension is not ours.
 *
 * @see Content Security Policy Level 3 §5.4 (strip URL for use in reports)
 */
export function cleanViolation(raw: RawViolation, origin: string): PolicyViolation | DroppedReason {
  if (typeof raw.page !== "string" || typeof raw.directive !== "string") return "shape";
  if (typeof raw.blocked !== "string") return "shape";
  const page = URL.parse(raw.page);
  // Firefox and Safari write the whole directive where others write its name.
  const directive = raw.directive.slice(0, 41).split(" ", 1)[0] ?? "";
  if (page === null || !directiveName.test(directive)) return "shape";
  if (page.origin !== origin) return "other-origin";
  const blocked = cleanAddress(raw.blocked, origin);
  const file = typeof raw.file === "string" && raw.file !== "" ? cleanAddress(raw.file, origin) : undefined;
  if (isExtension(blocked) || isExtension(file)) return "extension";
  return {
    page: page.pathname.slice(0, maxPathLength),
    directive,
    blocked,
    disposition: raw.disposition === "report" ? "report" : "enforce",
    file,
    line: isLine(raw.line) ? raw.line : undefined,
    sample: typeof raw.sample === "string" && raw.sample !== "" ? cleanText(raw.sample) : undefined,
  };
}

function cleanAddress(text: string, origin: string): string {
  if (word.test(text)) return text;
  const url = URL.parse(text);
  if (url === null) return "unreadable";
  if (!fetched.has(url.protocol)) return url.protocol.slice(0, maxPathLength);
  return url.origin === origin ? url.pathname.slice(0, maxPathLength) : url.origin.slice(0, maxPathLength);
}

const isExtension = (address: string | undefined): boolean =>
  address !== undefined && /^[a-z-]+-extension:?$/.test(address);

const isLine = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0;

function cleanText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return text
    .slice(0, maxSampleLength)
    .replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "\uFFFD")
    .toWellFormed();
}
