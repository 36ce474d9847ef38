import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { nearest } from "../../src/shared/index.ts";

/** What was asked for. */
export interface Options {
  /** Ids, or how they begin; none: all. */
  readonly only: readonly string[];
  /** Files of mutants that are tried instead of those of the repository. */
  readonly files: readonly string[];
  readonly jobs: number;
  readonly at: string | undefined;
  readonly flags: Readonly<Record<Flag, boolean>>;
}

const flags = {
  resume: "take over all that was ever found in the same sources, and try the rest",
  anew: "begin from the beginning, although a run of the same sources was stopped or killed",
  narrow: "ask only the rows that a mutant names, not everything when they miss it",
  thorough: "go on after the first check that found it, to see which others do",
  record:
    "write the score to test/mutants/score.json and the README; with --only, of these beside the others",
  json: "print the outcomes as JSON",
  list: "print the mutants, and do nothing else",
  help: "print this",
} as const;
type Flag = keyof typeof flags;

/** Options that take a value. */
const valued = ["only", "jobs", "at"] as const;

export const usage = `npm run mutate -- [file.patch …]

Plants one fault at a time into a copy of the example's stack, and sees whether the audit finds it.

  --only API-1,FE-2/hsts    mutants of these items, or with these ids
  --jobs 2                  workers; by default one a core
  --at HEAD                 what was committed, not what lies in the work tree
${Object.entries(flags)
  .map(([name, says]) => `  --${name.padEnd(24)}${says}`)
  .join("\n")}

Exit code 1 when the clean example raises an alarm, or a mutant is invalid; 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
A run that was stopped or killed is gone on with when it is started again; with --record, when --resume is given.`;

/** Reads the command line. @throws {Error} in words */
export function readOptions(parameters: readonly string[]): Options {
  try {
    return parseOptions(parameters);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (!code.startsWith("ERR_PARSE_ARGS")) throw error;
    const [, wrong] = /^Unknown option '--([^']*)'/.exec(message) ?? [];
    const meant = wrong === undefined ? undefined : nearest(wrong, [...Object.keys(flags), ...valued]);
    const guess = meant === undefined ? "" : ` Did you mean  --${meant}?`;
    // Node goes on with how a positional could look like an option.
    throw new Error(`${message.split(". ")[0] ?? ""}.${guess} All options:  npm run mutate -- --help`, {
      cause: error,
    });
  }
}

function parseOptions(parameters: readonly string[]): Options {
  const boolean = { type: "boolean", default: false } as const;
  const { values, positionals } = parseArgs({
    args: [...parameters],
    allowPositionals: true,
    options: {
      ...(Object.fromEntries(Object.keys(flags).map((name) => [name, boolean])) as Record<
        Flag,
        typeof boolean
      >),
      only: { type: "string", multiple: true, default: [] },
      jobs: { type: "string", default: String(availableParallelism()) },
      at: { type: "string" },
    },
  });
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 64) throw new Error(`--jobs is a number from 1 to 64`);
  const only = values.only.flatMap((ids) => ids.split(",").map((id) => id.trim())).filter((id) => id !== "");
  if (values.record && (positionals.length > 0 || values.narrow))
    throw new Error("--record takes mutants that are in test/mutants, and everything that may find them");
  if (values.resume && values.anew) throw new Error("--resume and --anew are opposites: leave one out");
  const { resume, anew, narrow, thorough, record, json, list, help } = values;
  return {
    only,
    files: positionals,
    jobs,
    at: values.at,
    flags: { resume, anew, narrow, thorough, record, json, list, help },
  };
}

/** Of the ids that there are those that were asked for; all, if none was. @throws {Error} that names one which there is not, and what was meant */
export function chosenIds(ids: readonly string[], only: readonly string[]): ReadonlySet<string> {
  if (only.length === 0) return new Set(ids);
  return new Set(
    only.flatMap((asked) => {
      const found = ids.filter((id) => isMeant(id, asked));
      if (found.length === 0) throw unknownId(asked, ids);
      return found;
    }),
  );
}

/** An item, an id, or how it begins. */
const isMeant = (id: string, asked: string): boolean =>
  id === asked || id.startsWith(`${asked}/`) || (asked.includes("/") && id.startsWith(asked));

function unknownId(asked: string, ids: readonly string[]): Error {
  const items = [...new Set(ids.map(itemOf))];
  const meant = nearest(asked, asked.includes("/") ? ids : items);
  const near = meant === undefined ? withWordsOf(asked, ids) : [meant];
  const beside = ids.filter((id) => itemOf(id) === itemOf(asked));
  const guess =
    near.length > 0
      ? `Did you mean  ${near.join(", ")}?`
      : beside.length > 0
        ? `${itemOf(asked)} has ${beside.map((id) => id.slice(itemOf(id).length + 1)).join(", ")}.`
        : `There are some of ${items.join(", ")}`;
  return new Error(`No mutant is called ${asked}. ${guess}  All of them:  npm run mutate -- --list`);
}

const itemOf = (id: string): string => id.split("/")[0] ?? "";

const maxNear = 5;

/** Ids that have a word of it in their names: those of its own item alone, where there are some. */
function withWordsOf(asked: string, ids: readonly string[]): string[] {
  const words = (asked.split("/").at(-1) ?? "")
    .toLowerCase()
    .split("-")
    .filter(({ length }) => length > 2);
  const found = ids.filter((id) => words.some((word) => id.slice(itemOf(id).length).includes(word)));
  const own = found.filter((id) => itemOf(id) === itemOf(asked));
  return (own.length > 0 ? own : found).slice(0, maxNear);
}
