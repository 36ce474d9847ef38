import { CurtainwallError } from "../../shared/index.ts";
import type { LearnedSources } from "../page/draft.ts";
import type { HardenErrorCode } from "../errors.ts";
import type { Directive } from "../policy/policy.ts";
import { isExactHash, isExactOrigin } from "./exact-source.ts";
import type { LearnedSite } from "./learned-site.ts";
import type { Finding, LearnedClass, Proposal } from "./propose.ts";

const format = "curtainwall-learned 1";

/** What each directive may get from a file: keywords and schemes by name, beside exact origins and hashes where that is said. */
interface Permitted {
  readonly words: readonly string[];
  readonly origins: boolean;
  readonly hashes: boolean;
}

const loaded: Permitted = { words: ["'self'", "data:", "blob:"], origins: true, hashes: false };

const permitted: Readonly<Partial<Record<Directive, Permitted>>> = {
  "connect-src": loaded,
  "img-src": loaded,
  "font-src": loaded,
  "media-src": loaded,
  "frame-src": { words: ["'self'"], origins: true, hashes: false },
  "worker-src": { words: ["'self'"], origins: false, hashes: false },
  "manifest-src": { words: ["'self'"], origins: true, hashes: false },
  "style-src": { words: ["'self'"], origins: true, hashes: true },
  "style-src-attr": { words: ["'unsafe-hashes'"], origins: false, hashes: true },
};

/** Writes a proposal as the file that `curtainwall harden --learned` takes. The same proposal gives the same text. */
export function writeLearned({ classes, findings }: Proposal): string {
  return `${JSON.stringify({ format, classes, findings }, null, 2)}\n`;
}

/**
 * Reads a learned file, which people edit: what would be no exact origin, hash or harmless keyword is refused.
 *
 * @throws {CurtainwallError} `HARDEN_LEARNED_INVALID`
 */
export function parseLearned(text: string): LearnedSite {
  const file = parseJson(text);
  if (!isObject(file) || file.format !== format || !Array.isArray(file.classes))
    throw invalid(`it is no file of the format ${format}`);
  const pages = new Map<string, LearnedSources>();
  for (const [index, entry] of file.classes.entries()) {
    const { pages: names, allow } = parseClass(entry, `classes[${index}]`);
    const sources: LearnedSources = new Map(Object.entries(allow) as [Directive, readonly string[]][]);
    for (const name of names) {
      if (pages.has(name)) throw invalid(`the page ${JSON.stringify(name)} is in two classes`);
      pages.set(name, sources);
    }
  }
  return { pages, findings: parseFindings(file.findings) };
}

const findingTexts = ["directive", "blocked", "reason", "sample"] as const;

/** They allow nothing: whoever edits the file may delete them. */
function parseFindings(value: unknown = []): readonly Finding[] {
  if (!Array.isArray(value)) throw invalid("findings must be a list");
  for (const [index, entry] of value.entries())
    if (
      !isObject(entry) ||
      !isTexts(entry.pages) ||
      findingTexts.some((name) => typeof entry[name] !== "string")
    )
      throw invalid(`findings[${index}] must have ${findingTexts.join(", ")}, and pages, a list of texts`);
  return value as readonly Finding[];
}

function parseClass(entry: unknown, where: string): LearnedClass {
  if (!isObject(entry) || !isTexts(entry.pages) || !isObject(entry.allow))
    throw invalid(`${where} must have pages, a list of texts, and allow, an object`);
  for (const [directive, sources] of Object.entries(entry.allow)) {
    const rule = Object.hasOwn(permitted, directive) ? permitted[directive as Directive] : undefined;
    if (rule === undefined)
      throw invalid(`${where} allows ${JSON.stringify(directive)}, which is not to be learned`);
    if (!isTexts(sources))
      throw invalid(`${where}.allow[${JSON.stringify(directive)}] must be a list of texts`);
    const bad = sources.find((source) => !isPermitted(source, rule));
    if (bad !== undefined)
      throw invalid(`${where}: ${directive} can't be given ${JSON.stringify(bad.slice(0, 100))}`);
  }
  return entry as unknown as LearnedClass;
}

function isPermitted(source: string, { words, origins, hashes }: Permitted): boolean {
  return words.includes(source) || (origins && isExactOrigin(source)) || (hashes && isExactHash(source));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("it is not JSON");
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === "string");

function invalid(what: string): CurtainwallError<HardenErrorCode> {
  return new CurtainwallError("HARDEN_LEARNED_INVALID", `The learned file can't be used: ${what}.`, {
    hint: "Learned are exact origins and hashes only. Make it anew:  curtainwall csp learn <folder> --out learned.json",
  });
}
