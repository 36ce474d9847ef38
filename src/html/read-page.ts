import { CurtainwallError } from "../shared/index.ts";
import type { ReadNested } from "./facts/collect.ts";
import { decodePage, declaredAs } from "./text/encoding.ts";
import type { DecodedPage } from "./text/encoding.ts";
import type { HtmlErrorCode } from "./errors.ts";
import { kindOf } from "./outline.ts";
import type { PageOutline } from "./outline.ts";
import type { PageFacts, ReadPageOptions } from "./facts/page-facts.ts";
import { charsetIn } from "./text/prescan.ts";
import { readDecodedWithParser } from "./parse/reference.ts";
import { role } from "./scan/scan-tables.ts";
import { scannedFacts, scanPage } from "./scan/scan.ts";
import type { ScannedPage } from "./scan/scan.ts";
import { readXml } from "./parse/xml.ts";

/** One way of reading a page's text. */
type ReadDecoded = (page: DecodedPage, options: ReadPageOptions, readNested: ReadNested) => PageFacts;

/** How deep pages may stand in each other's `srcdoc`. */
const maxNesting = 8;
/** The most bytes of all pages that stand in a page, taken together: each level holds those within it once more. */
const maxNestedBytes = 16 * 2 ** 20;

/** Where a document stands, and what its page may still hold. */
interface Nesting {
  readonly depth: number;
  readonly budget: { bytes: number };
}
const outermost = (): Nesting => ({ depth: 0, budget: { bytes: maxNestedBytes } });

/**
 * Reads a page as a browser with scripting does: what runs, what it loads, and where in its bytes each of these stands.
 * `fallback` tells why if the page had to be left to the parser, which takes some twenty times as long.
 *
 * @throws {CurtainwallError} `HTML_ENCODING_UNSUPPORTED`, `HTML_PAGE_TOO_COMPLEX`, `HTML_XML_MALFORMED`
 */
export function readPage(bytes: Uint8Array, options: ReadPageOptions = {}): PageFacts {
  return read(bytes, options, readDecoded, outermost());
}

/**
 * Looks a page over: enough to tell which pages are alike, so that what was found out about one need not be found out again. Without
 * `links: false` none are, because each has links of its own.
 *
 * @throws {CurtainwallError} as {@link readPage} does, at once or when it is asked for the facts
 */
export function outlinePage(bytes: Uint8Array, options: ReadPageOptions): PageOutline {
  if (options.syntax === "xml" || options.links !== false || options.ids === true)
    return inFull(readPage(bytes, options));
  const page = decodePage(bytes, options.charset);
  const scanned = scanPage(page, options);
  if (typeof scanned === "string" || mayBeInAnother(page, scanned)) return inFull(readPage(bytes, options));
  const { marks, headStart, headEnd } = scanned;
  return {
    bytes: page.bytes,
    kind: kindOf(page.bytes, scanned),
    places: marks,
    headStart,
    headEnd,
    facts: () => scannedFacts(page, scanned, options, nestedReader(options, readDecoded, outermost())),
  };
}

/** In UTF-8 pages alike have the same text, and what is not said before is not said by any tag either. */
const mayBeInAnother = ({ encoding, tentative }: DecodedPage, { marks }: ScannedPage): boolean =>
  encoding !== "utf-8" || (tentative && marks.some(({ what }) => (what & role.meta) !== 0));

const inFull = (facts: PageFacts): PageOutline => ({
  bytes: facts.bytes,
  kind: undefined,
  places: [],
  headStart: facts.headStart,
  headEnd: facts.headEnd,
  facts: () => facts,
});

function readDecoded(page: DecodedPage, options: ReadPageOptions, readNested: ReadNested): PageFacts {
  const scanned = scanPage(page, options);
  return typeof scanned === "string"
    ? { ...readDecodedWithParser(page, options, readNested), fallback: scanned }
    : scannedFacts(page, scanned, options, readNested);
}

/**
 * Reads a page as a browser does, by building its tree with parse5. The same as {@link readPage}, which is faster and leaves to this
 * one what it isn't sure of.
 *
 * @throws {CurtainwallError} `HTML_ENCODING_UNSUPPORTED`, `HTML_PAGE_TOO_COMPLEX`, `HTML_XML_MALFORMED`
 */
export function readPageWithParser(bytes: Uint8Array, options: ReadPageOptions = {}): PageFacts {
  return read(bytes, options, readDecodedWithParser, outermost());
}

function read(
  bytes: Uint8Array,
  options: ReadPageOptions,
  readDecoded: ReadDecoded,
  nesting: Nesting,
): PageFacts {
  const { charset } = options;
  const readNested = nestedReader(options, readDecoded, nesting);
  if (options.syntax === "xml") return readXml(bytes, options, readNested);
  const page = decodePage(bytes, charset);
  const facts = readDecoded(page, options, readNested);
  const late = page.tentative ? lateEncoding(facts) : undefined;
  return late === undefined || late === page.encoding
    ? facts
    : readDecoded(decodePage(bytes, late), options, readNested);
}

/** A `<meta>` beyond the first 1024 bytes makes a browser start again, if nothing else has told the encoding. */
function lateEncoding({ charsets: [first] }: PageFacts): string | undefined {
  if (first === undefined) return undefined;
  const label = first.name === "charset" ? first.value : charsetIn(first.value);
  return label === undefined ? undefined : declaredAs(label);
}

const nestedReader =
  (options: ReadPageOptions, readDecoded: ReadDecoded, { depth, budget }: Nesting): ReadNested =>
  (nested) =>
    readSrcdoc(nested, options, readDecoded, { depth: depth + 1, budget });

function readSrcdoc(
  bytes: Uint8Array,
  options: ReadPageOptions,
  readDecoded: ReadDecoded,
  nesting: Nesting,
): PageFacts {
  nesting.budget.bytes -= bytes.length;
  if (nesting.depth <= maxNesting && nesting.budget.bytes >= 0)
    return read(bytes, { ...options, charset: "utf-8", syntax: "html" }, readDecoded, nesting);
  throw new CurtainwallError<HtmlErrorCode>(
    "HTML_PAGE_TOO_COMPLEX",
    `The page has frames with srcdoc inside each other, more than ${maxNesting} deep, or of more than ${maxNestedBytes / 2 ** 20} MB together.`,
    { hint: "Give the inner frames an address of their own, with src." },
  );
}
