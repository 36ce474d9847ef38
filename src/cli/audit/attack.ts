import { dirname, relative, resolve, sep } from "node:path";
import {
  attackGaps,
  attackKinds,
  attackTests,
  attacksLeftOut,
  kinds,
  listAttacks,
  runAttack,
  shellWord,
} from "../../audit/index.ts";
import type { AttackKind, AttackOptions, AttackProgress, AttackReport } from "../../audit/index.ts";
import { CurtainwallError, counted, isCurtainwallError, nearest } from "../../shared/index.ts";
import { loadContract } from "../../stack/index.ts";
import { assertWritable, writeNamed } from "./audit-files.ts";
import { readArguments, targetOptions, toolName, waitText } from "./audit-folder.ts";
import { listChecks, listTable } from "./attack-list.ts";
import { renderAttack } from "./attack-report.ts";
import { usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import { aloneAt } from "./one-at-a-target.ts";
import { readDuration } from "../read-duration.ts";
import { optionPlaces } from "../contract/route-lines.ts";
import { untilStopped } from "./until-stopped.ts";
import { exitCodes, print, printJson, say, showProgress, styled } from "../voice.ts";

export const attackCommand: Command = {
  name: "attack",
  isOverWhenRun: true,
  usage:
    '[folder] [https://address] [--kind access,limits] [--route "GET /api/x,POST /api/x"] [--budget 60s] [--list] [--json] [--verbose] [--allow-missing] [--emit file] [--browser path]',
  summary: "Attack a running stack: try to break every promise of its contract",
  options: {
    kind: { type: "string", isList: true, says: "kinds of attack, separated by commas; by default all" },
    route: {
      type: "string",
      isList: true,
      says: "routes as the contract names them, separated by commas, and nothing of the site as a whole",
    },
    budget: {
      type: "string",
      says: "how long it may take: 30s, 5m, or a number of seconds (default 180s); what is left then is told",
    },
    list: { type: "boolean", says: "list what would be attacked, and ask nothing of anybody" },
    json: { type: "boolean", says: "print the report as JSON" },
    verbose: { type: "boolean", says: "show every route with each kind; with --list each check" },
    "allow-missing": {
      type: "boolean",
      says: "exit with 0 although attacks were not made, if no promise broke",
    },
    emit: { type: "string", says: "write a node:test file that attacks in CI, and do nothing else" },
    browser: { type: "string", says: "path of Chromium; by default it is looked for in the usual places" },
  },
  notes: [
    "The address is the contract's origin unless you name one. Only a stack on this machine is attacked.",
    "curtainwall.audit.ts beside the contract says who to be and what to ask for; npx curtainwall audit --help shows one. Routes that",
    "write are really called; its cleanUp takes away what that made. What it uses up of limits comes back at their pace: leave a minute",
    "between it and an audit.",
    "Kinds:",
    ...Object.entries(attackKinds).map(([kind, tries]) => `  ${kind.padEnd(10)} ${tries}`),
    "",
    "Exit codes: 0 every promise held; 1 one was broken, an attack could not be made,",
    "or the stack went away; 2 misused; 130, 143 or 129 stopped by SIGINT, SIGTERM or SIGHUP. What the plan gives no means for is left out, and told.",
  ],
  run: attack,
};

async function attack(input: CommandInput): Promise<number> {
  const { flags, values } = input;
  const { folder, target } = readArguments(input.positionals, attackCommand);
  const chosen = { kinds: readKinds(values.get("kind")), routes: readRoutes(values.get("route")) };
  const budgetMs = readDuration("budget", values.get("budget"), attackCommand);
  const file = values.get("emit");
  if (file !== undefined) assertWritable("emit", file, attackCommand);
  const loaded = await loadContract(folder);
  const options: AttackOptions = {
    ...(await targetOptions({ loaded, folder, target, values })),
    ...chosen,
    ...(budgetMs === undefined ? {} : { budgetMs }),
    placeOf: optionPlaces([loaded.file, ...loaded.modules], loaded.root),
  };
  try {
    if (file !== undefined) return await emit(options, { file, folder, root: loaded.root });
    if (flags.has("list")) return await list(options, flags);
    return await aloneAt(options.target, () => run(options, flags));
  } catch (error) {
    throw isCurtainwallError(error, "AUDIT_TARGET_INVALID") ? asUsage(error) : error;
  }
}

/** What the audit's room refuses of the command line, as misuse of it. */
const asUsage = ({ message, hint }: CurtainwallError): CurtainwallError =>
  hint === undefined
    ? usageError(message, attackCommand)
    : new CurtainwallError("CLI_USAGE_INVALID", message, { hint });

/** Runs the attack; a signal ends it with what is known by then. */
async function run(options: AttackOptions, flags: CommandInput["flags"]): Promise<number> {
  const line = showProgress();
  let count = "";
  const { result: report, stopped } = await untilStopped((signal) =>
    runAttack({
      ...options,
      signal,
      onProgress: (progress) => {
        const [before, ...rest] = progressTexts(progress);
        count = before;
        line.update([before, ...rest].join("  "));
      },
      onWait: (wait) => line.update(`${count}  ${waitText(wait)}`),
    }),
  ).finally(() => line.done());
  const made = { ...report, tool: toolName() };
  if (flags.has("json")) printJson(made);
  else
    print(
      renderAttack(made, {
        colour: process.stdout.isTTY && process.env.NO_COLOR === undefined,
        width: process.stdout.columns ?? 100,
        verbose: flags.has("verbose"),
      }),
    );
  if (stopped !== undefined) say(styled("yellow", "Stopped: what was not tried by then is not made."));
  return stopped ?? exitCodeOf(made, flags.has("allow-missing"));
}

/** How far an attack is, what is attacked now, and apart from that what broke until now, which is mostly another route. */
export function progressTexts({
  kind,
  route,
  done,
  of,
  gotThrough,
  broken,
}: AttackProgress): [count: string, ...rest: string[]] {
  const last = broken.at(-1);
  const more = broken.length > 1 ? `, and ${broken.length - 1} before` : "";
  return [
    `${done}/${counted(of, "attack")}`,
    `now ${kind} · ${route ?? "site"}`,
    ...(last === undefined
      ? []
      : [
          `broken: ${last.kind} · ${last.route ?? "site"}${more}, ${counted(gotThrough, "attempt")} got through`,
        ]),
  ];
}

/** What was not tried is no success, unless somebody says so: a slow target chooses what there is time for. Nor is a stack that went away. */
function exitCodeOf({ summary, ended }: AttackReport, allowsMissing: boolean): number {
  const isBad = summary.broken > 0 || summary.held === 0 || ended?.because === "target gone";
  return isBad || (summary.notMade > 0 && !allowsMissing) ? exitCodes.failed : exitCodes.done;
}

async function list(options: AttackOptions, flags: CommandInput["flags"]): Promise<number> {
  const units = await listAttacks(options);
  if (flags.has("json"))
    printJson(
      units.map(({ kind, route, checks }) => ({
        kind,
        route: route?.key,
        checks: checks.map(({ check }) => check.name),
      })),
    );
  else print(flags.has("verbose") ? listChecks(units) : listTable(units));
  return exitCodes.done;
}

interface Emitting {
  readonly file: string;
  readonly folder: string;
  readonly root: string;
}

/** Writes the tests. What is there already is written over: it was made by this command, or is in somebody's way. */
async function emit(options: AttackOptions, { file, folder, root }: Emitting): Promise<number> {
  const units = await listAttacks({ ...options, release: undefined });
  const way = relative(dirname(resolve(file)), root)
    .split(sep)
    // It becomes part of a URL, and a folder may be called anything.
    .map(encodeURIComponent)
    .join("/");
  const where = folder === "." ? [] : [shellWord(folder)];
  const { kinds: only, routes } = options;
  const narrowed = [
    ...(only === undefined ? [] : ["--kind", only.join(",")]),
    ...(routes === undefined ? [] : ["--route", shellWord(routes.join(","))]),
  ];
  const command = ["npx curtainwall attack", ...where, ...narrowed, "--emit", shellWord(file)].join(" ");
  const tests = attackTests({
    units,
    folder: way === "" ? "./" : `${way}/`,
    command,
    ...(only === undefined ? {} : { kinds: only }),
    ...(routes === undefined ? {} : { routes }),
  });
  writeNamed("emit", file, tests, { command: attackCommand });
  say(`${styled("green", "written")} ${file}, ${counted(tests.match(/^test\(/gm)?.length ?? 0, "test")}`);
  await tellGaps(options);
  return exitCodes.done;
}

/** Tells what the plan has no means for: some of it fails its tests, some stands in none. */
async function tellGaps(options: AttackOptions): Promise<void> {
  const gaps = await attackGaps(options);
  const count = gaps.reduce((sum, gap) => sum + gap.attacks, 0);
  if (count > 0)
    say(
      [
        `${styled("yellow", `${counted(count, "attack")} can't be made with this plan`)}, and their tests will fail (CURTAINWALL_ATTACK_ALLOW_MISSING=1 skips them):`,
        ...gaps.map(({ reason, attacks }) => `  ${reason} (${attacks})`),
      ].join("\n"),
    );
  const without = await attacksLeftOut(options);
  if (without.length > 0)
    say(
      [
        `${styled("yellow", "left out")}, and in no test, since the plan has no means for it:`,
        ...without.map(({ kind, check, lacks }) => `  ${kind}: ${check}: ${lacks}`),
      ].join("\n"),
    );
}

function readKinds(text: string | undefined): AttackKind[] | undefined {
  if (text === undefined) return undefined;
  return text.split(",").map((name) => {
    const kind = kinds.find((candidate) => candidate === name.trim());
    if (kind === undefined)
      throw usageError(
        `There is no kind of attack "${name}"; there are ${kinds.join(", ")}`,
        attackCommand,
        nearest(name.trim(), kinds),
      );
    return kind;
  });
}

/** No path of a contract has a comma in it. */
const readRoutes = (text: string | undefined): string[] | undefined =>
  text?.split(",").map((route) => route.trim());
