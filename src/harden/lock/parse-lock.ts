import { CurtainwallError } from "../../shared/index.ts";
import type { HardenErrorCode } from "../errors.ts";
import { keyOf, lockFormat } from "./lock-text.ts";
import { printable } from "./printable.ts";
import type { Lock, LockedScript, ScriptKind } from "./types.ts";

/** Longer than any lock of scripts that somebody has looked at. */
const maxLength = 64 * 1_048_576;

/**
 * Reads a lock. Entries may stand in any order, as a merge leaves them.
 *
 * @throws {CurtainwallError} `HARDEN_LOCK_INVALID` with the line, for anything that {@link writeLock} would not have written
 */
export function parseLock(text: string): Lock {
  if (text.length > maxLength) throw invalid(1, "it is larger than 64 MiB");
  const lines = text.split(/\r?\n/);
  assertMerged(lines);
  const { format, scripts, permissions = [], ...others } = asObject(parseJson(text, lines), 1);
  const line = (part: string): number => lines.findIndex((entry) => entry.includes(part)) + 1 || 1;
  if (format !== lockFormat)
    throw invalid(
      line('"format"'),
      `its format is ${shown(format)}, and this version reads "${lockFormat}"`,
      "Use the version of Curtainwall that wrote it, or a newer one",
    );
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(line(`"${unknown}"`), `it has no section ${shown(unknown)}`);
  return {
    scripts: parseScripts(entriesOf(scripts, line('"scripts"')), lines),
    permissions: entriesOf(permissions, line('"permissions"')).map((entry) =>
      asObject(entry, line('"permissions"')),
    ),
  };
}

function assertMerged(lines: readonly string[]): void {
  const at = lines.findIndex((line) => /^(?:<{7}|={7}|>{7}|\|{7})(?: |$)/.test(line));
  if (at >= 0)
    throw invalid(
      at + 1,
      "a merge left its marker there",
      "Delete the marker lines and keep the entries of both sides; .gitattributes with  curtainwall.lock.json merge=union  does so by itself",
    );
}

function parseJson(text: string, lines: readonly string[]): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const broken = lines.findIndex((line) => line.startsWith("{") && line !== "{" && !isEntry(line));
    const found = /\(line (\d+) column/.exec((error as Error).message)?.[1];
    const last = lines.findLastIndex((line) => line.trim() !== "") + 1 || 1;
    throw invalid(broken >= 0 ? broken + 1 : Number(found ?? last), "it is no JSON from there on");
  }
}

/** An entry stands on a line of its own, with its comma. */
function isEntry(line: string): boolean {
  if (!line.endsWith(",")) return false;
  try {
    JSON.parse(line.slice(0, -1));
    return true;
  } catch {
    return false;
  }
}

/** A section's entries, without the `null` that ends it. */
function entriesOf(section: unknown, line: number): unknown[] {
  if (!Array.isArray(section)) throw invalid(line, "a section is a list of entries");
  return section.filter((entry) => entry !== null);
}

function parseScripts(entries: readonly unknown[], lines: readonly string[]): LockedScript[] {
  const places = entryLines(lines);
  const seen = new Map<string, number>();
  return entries.map((entry, index) => {
    const line = places[index] ?? 1;
    const script = parseScript(asObject(entry, line), line);
    const earlier = seen.get(keyOf(script));
    if (earlier !== undefined)
      throw invalid(
        line,
        `${script.id} stands there a second time; the first is line ${earlier}`,
        "Delete one of the two lines",
      );
    seen.set(keyOf(script), line);
    return script;
  });
}

/** Which line an entry of the first section stands on, if each has its own. */
function entryLines(lines: readonly string[]): number[] {
  const from = lines.findIndex((line) => line.includes('"scripts"'));
  return lines.flatMap((line, index) => (index > from && /^\s*\{/.test(line) ? [index + 1] : []));
}

const kinds: Readonly<Record<ScriptKind, true>> = {
  inline: true,
  module: true,
  importmap: true,
  speculationrules: true,
  handler: true,
  "javascript-url": true,
  file: true,
  trusted: true,
  pinned: true,
  unpinned: true,
  added: true,
};

const day = /^\d{4}-\d{2}-\d{2}$/;
const known = new Set<string>([
  "site",
  "id",
  "kind",
  "url",
  "integrity",
  "seen",
  "recorded",
  "approved",
  "reason",
  "code",
  "sections",
]);

function parseScript(entry: Readonly<Record<string, unknown>>, line: number): LockedScript {
  const { code, sections } = entry;
  const text = (key: string): string => {
    const value = entry[key];
    if (typeof value !== "string" || value === "") throw invalid(line, `${key} is missing`);
    return value;
  };
  const optional = (key: string): Record<string, string> =>
    entry[key] === undefined ? {} : { [key]: text(key) };
  const unknown = Object.keys(entry).find((key) => !known.has(key));
  if (unknown !== undefined) throw invalid(line, `an entry has no ${shown(unknown)}`);
  const kind = text("kind");
  if (!Object.hasOwn(kinds, kind)) throw invalid(line, `${shown(kind)} is no kind of script`);
  if (!new RegExp(`^${kind}-[0-9a-f]{64}$`).test(text("id")))
    throw invalid(line, `the id ${shown(entry["id"])} is not "${kind}-" and a digest`);
  for (const key of ["recorded", "approved"])
    if (entry[key] !== undefined && !day.test(text(key)))
      throw invalid(line, `${key} is no day like 2026-11-22`);
  if ((entry["approved"] === undefined) !== (entry["reason"] === undefined))
    throw invalid(line, "an entry is approved with a reason, or has neither");
  if (code !== undefined && !(Array.isArray(code) && code.every((part) => typeof part === "string")))
    throw invalid(line, "code is a list of lines");
  return {
    site: text("site"),
    id: text("id"),
    kind: kind as ScriptKind,
    seen: text("seen"),
    recorded: text("recorded"),
    ...optional("url"),
    ...optional("integrity"),
    ...optional("approved"),
    ...optional("reason"),
    ...(code === undefined ? {} : { code }),
    ...(sections === undefined ? {} : { sections: text("sections").split(" ") }),
  };
}

function asObject(value: unknown, line: number): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalid(line, "an object should stand there");
}

const shown = (value: unknown): string => printable(JSON.stringify(value) ?? "missing", 80);

function invalid(
  line: number,
  what: string,
  hint = "Take the file back from version control, or delete the line and approve its script again",
): CurtainwallError<HardenErrorCode> {
  return new CurtainwallError("HARDEN_LOCK_INVALID", `The lock can't be read, line ${line}: ${what}.`, {
    hint,
  });
}
