import { aroundData } from "./around-data.ts";
import type { AroundData } from "./around-data.ts";
import { codeLines } from "./code-lines.ts";
import { nearestOf } from "./nearest.ts";
import { keepCode } from "./sections.ts";
import { skeletonOf } from "./skeleton.ts";
import { chooseSite } from "./site-name.ts";
import type {
  Admission,
  Lock,
  LockedScript,
  PendingScript,
  Review,
  ScriptKind,
  SeenScript,
} from "./types.ts";

/** Options of {@link createProvenance}. */
export interface ProvenanceOptions {
  readonly lock: Lock;
  /** What the site is called. A site that the lock does not know is compared with the known one that it is most like. */
  readonly site: string;
  /** SHA-256 of a text's UTF-8, hexadecimal. */
  readonly digest: (text: string) => string;
}

/** Keeps count of a site's scripts, and compares them with what was approved. */
export interface Provenance {
  /** Takes note of a script. Cheap for a text that was seen before; `later` for files, which are read at the end. */
  admit(script: SeenScript): Admission;
  /**
   * Compares everything with the lock.
   *
   * @param read the text of a script file of the site, by its path
   */
  finish(read: (path: string) => string): Review;
}

interface Found {
  readonly id: string;
  readonly kind: ScriptKind;
  readonly url: string | undefined;
  readonly integrity: string | undefined;
  pages: number;
  lastPage: string;
  examples: string[];
  /** `text` is all of it. */
  readonly isWhole: boolean;
  /** Its text, while it may have to be shown. */
  text: string;
  /** The page that `text` is from. */
  page: string;
  data: number;
}

const maxExamples = 5;
/** Texts of scripts that were seen, remembered by their hash: a site repeats a few on every page. */
const maxRemembered = 20_000;
/** Texts that are kept whole, in characters; of later ones the list shows only how they begin. */
const maxKept = 20_000_000;
const maxBeginning = 200;
/** Scripts that are compared with what was approved: more diffs than these nobody reads. */
const maxCompared = 100;

/** Creates the record of one run. Memory does not grow with the number of pages. */
export function createProvenance({ lock, site, digest }: ProvenanceOptions): Provenance {
  const scripts = new Map<string, Found>();
  const byText = new Map<string, Found>();
  const files = new Map<string, { pages: number; lastPage: string; examples: string[] }>();
  const anywhere = new Map(lock.scripts.map((script) => [script.id, script]));
  let kept = 0;

  const isApproved = (id: string): boolean => anywhere.get(id)?.approved !== undefined;
  const identify = createIdentify(digest);

  const find = ({ kind, text, integrity }: Omit<SeenScript, "hash">, page: string): Found => {
    const hasAddress = kind === "pinned" || kind === "unpinned" || kind === "added";
    const { id, data } = hasAddress
      ? { id: idOf(kind, `${text}\n${integrity ?? ""}`, digest), data: 0 }
      : identify(kind, text);
    const known = scripts.get(id);
    if (known !== undefined) return known;
    const isKept = !hasAddress && !isApproved(id) && kept + text.length <= maxKept;
    if (isKept) kept += text.length;
    const found: Found = {
      id,
      kind,
      url: hasAddress ? text : kind === "file" ? page : undefined,
      integrity,
      pages: 0,
      lastPage: "",
      examples: [],
      isWhole: isKept,
      text: hasAddress ? "" : isKept ? text : text.slice(0, maxBeginning),
      page,
      data,
    };
    scripts.set(id, found);
    return found;
  };

  return {
    admit(script) {
      const { kind, text, hash, page } = script;
      if (kind === "file") {
        const file = files.get(text) ?? { pages: 0, lastPage: "", examples: [] };
        files.set(text, file);
        count(file, page);
        return "later";
      }
      const key = hash === undefined ? undefined : `${kind} ${hash}`;
      const found = (key === undefined ? undefined : byText.get(key)) ?? find(script, page);
      if (key !== undefined) {
        if (byText.size >= maxRemembered) byText.clear();
        byText.set(key, found);
      }
      count(found, page);
      // Threads answer in any order; what is shown must not depend on it.
      if (page < found.page && found.isWhole) found.text = text;
      if (page < found.page) found.page = page;
      const locked = anywhere.get(found.id);
      if (locked === undefined) return "new";
      return locked.approved === undefined ? "recorded" : "approved";
    },
    finish(read) {
      const trusted = lock.scripts.filter(({ kind }) => kind === "trusted");
      for (const [path, { pages, examples }] of [...files].sort(byKey)) {
        const covering = trusted.find((entry) => covers(entry, path));
        const found =
          covering === undefined
            ? find({ kind: "file", text: read(path), page: path }, path)
            : trustedAs(scripts, covering, path);
        found.pages = Math.max(found.pages, pages);
        found.examples = [...new Set([...found.examples, ...(found.kind === "trusted" ? [path] : examples)])]
          .sort()
          .slice(0, maxExamples);
      }
      return review(lock, site, scripts);
    },
  };
}

interface Identity {
  readonly id: string;
  readonly data: number;
}

/** Codes around data that are remembered. */
const maxTemplates = 1_000;

/** Names scripts by their skeletons. What is only data with the same code around it is parsed once. */
function createIdentify(digest: (text: string) => string): (kind: ScriptKind, text: string) => Identity {
  const templates = new Map<string, Identity | undefined>();
  const parse = (kind: ScriptKind, text: string): Identity => {
    const { text: skeleton, holes } = skeletonOf(text, kind);
    return { id: idOf(kind, skeleton, digest), data: holes.length };
  };
  /** Undefined if what stands there is not all data to a skeleton. */
  const parseTemplate = ({ template, from }: AroundData): Identity | undefined => {
    const { text, holes } = skeletonOf(template, "inline");
    const isData = holes.length === 1 && holes[0]?.from === from;
    return isData ? { id: idOf("inline", text, digest), data: 1 } : undefined;
  };
  return (kind, text) => {
    const around = kind === "inline" ? aroundData(text) : undefined;
    if (around === undefined) return parse(kind, text);
    if (!templates.has(around.template)) {
      if (templates.size >= maxTemplates) templates.clear();
      templates.set(around.template, parseTemplate(around));
    }
    return templates.get(around.template) ?? parse(kind, text);
  };
}

/** A script's name: its kind, and the digest of what must not change. */
export function idOf(kind: ScriptKind, text: string, digest: (text: string) => string): string {
  return `${kind}-${digest(`${kind}\n${text}`)}`;
}

const byKey = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number =>
  left < right ? -1 : 1;

function count(found: { pages: number; lastPage: string; examples: string[] }, page: string): void {
  if (found.lastPage === page) return;
  found.lastPage = page;
  found.pages++;
  if (found.examples.length < maxExamples || page < (found.examples.at(-1) ?? "")) {
    found.examples = [...new Set([...found.examples, page])].sort().slice(0, maxExamples);
  }
}

/** Tells whether a trusted file or folder is this path or holds it. */
function covers({ url = "" }: LockedScript, path: string): boolean {
  return url === path || (url.endsWith("/") && path.startsWith(url));
}

function trustedAs(scripts: Map<string, Found>, { id, url }: LockedScript, path: string): Found {
  const found = scripts.get(id) ?? {
    id,
    kind: "trusted",
    url,
    integrity: undefined,
    pages: 0,
    lastPage: "",
    examples: [],
    isWhole: false,
    text: "",
    page: path,
    data: 0,
  };
  scripts.set(id, found);
  return found;
}

function review(lock: Lock, asked: string, scripts: ReadonlyMap<string, Found>): Review {
  const site = chooseSite(lock, asked, scripts);
  const locked = new Map(
    lock.scripts.filter((script) => script.site === site).map((script) => [script.id, script]),
  );
  const approved = [...locked.values()].filter((script) => script.approved !== undefined);
  const pending = [...scripts.values()].filter(({ id }) => locked.get(id)?.approved === undefined);
  const candidates = [...locked.values()];
  const described = pending
    .sort(suspiciousFirst)
    .map((found, index) => describe(found, locked.has(found.id), index < maxCompared ? candidates : []));
  return {
    site,
    firstRun: locked.size === 0,
    approved: approved.filter(({ id }) => scripts.has(id)).length,
    added: described.filter(({ recorded }) => !recorded),
    unreviewed: described.filter(({ recorded }) => recorded),
    unused: [...locked.values()].filter(({ id }) => !scripts.has(id)),
  };
}

/** What stands on one page only is most likely to have come with its content. */
function suspiciousFirst(left: Found, right: Found): number {
  const file = (script: Found): number => (script.kind === "file" ? 1 : 0);
  return left.pages - right.pages || file(left) - file(right) || (left.id < right.id ? -1 : 1);
}

function describe(found: Found, recorded: boolean, candidates: readonly LockedScript[]): PendingScript {
  const { id, kind, pages, examples, url, integrity, isWhole, text, data } = found;
  const beginning = text === "" ? [] : [text];
  const lines = isWhole ? codeLines(text, kind, skeletonOf(text, kind)) : beginning;
  return {
    id,
    kind,
    recorded,
    pages,
    examples,
    url,
    integrity,
    lines,
    data,
    nearest: recorded || lines.length === 0 ? undefined : nearestOf(kind, lines, candidates),
  };
}

/** The entry that a script gets in the lock. */
export function lockedAs(
  script: PendingScript,
  { site, day, reason }: { site: string; day: string; reason?: string },
): LockedScript {
  const { id, kind, url, integrity, examples, lines } = script;
  return {
    site,
    id,
    kind,
    ...(url === undefined ? {} : { url }),
    ...(integrity === undefined ? {} : { integrity }),
    seen: examples[0] ?? "/",
    recorded: day,
    ...(reason === undefined ? {} : { approved: day, reason }),
    ...(lines.length === 0 ? {} : keepCode(lines)),
  };
}
