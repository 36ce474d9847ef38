import type { ContractRoute } from "../../contract/index.ts";
import { readRecords } from "../../ledger/node.ts";
import { printable } from "../../shared/index.ts";
import { loadContract, stackFolders } from "../../stack/index.ts";
import type { CommandInput } from "../command.ts";
import { observedLine } from "./observed-line.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";

/** What one rule of a route would have refused. */
export interface ObservedRule {
  readonly code: string;
  /** How often, by field; under the empty name, as a whole. */
  readonly fields: Readonly<Record<string, number>>;
  readonly count: number;
  readonly last: string;
  /** What the contract would have to say, if it is to pass. */
  readonly write: readonly string[];
}

/** What was seen of an observed route. */
export interface ObservedRoute {
  readonly route: string;
  readonly until: string;
  readonly isOver: boolean;
  readonly rules: readonly ObservedRule[];
}

interface Tally {
  count: number;
  last: string;
  readonly fields: Map<string, number>;
}

const maxFields = 50;
/** What is refused of an observed route too: it has to be decided on all the same. */
const enforced = new Set(["GATEWAY_ORIGIN_REFUSED", "GATEWAY_MEDIA_TYPE_REFUSED", "GATEWAY_BODY_TOO_LARGE"]);

/** Says what observed routes let pass, from the log: `curtainwall contract observed`. */
export async function showObserved(
  { flags }: CommandInput,
  [folder = "."]: readonly string[],
): Promise<number> {
  const { contract, root } = await loadContract(folder);
  const tallies = await readTallies(stackFolders(root).logFile);
  const observed = contract.routes
    .filter(({ observe }) => observe !== undefined)
    .map((route) => describe(route, tallies.get(route.key)));
  if (flags.has("json")) printJson(observed);
  else report(observed);
  return exitCodes.done;
}

async function readTallies(logFile: string): Promise<Map<string, Map<string, Tally>>> {
  const byRoute = new Map<string, Map<string, Tally>>();
  for await (const record of readRecords(logFile, ["gateway.request.observed", "gateway.request.refused"])) {
    const { event, route, code, count = 1, fields, time } = record;
    if (typeof route !== "string" || typeof code !== "string" || typeof count !== "number") continue;
    if (event === "gateway.request.refused" && !enforced.has(code)) continue;
    const codes = byRoute.get(route) ?? new Map<string, Tally>();
    byRoute.set(route, codes);
    const tally = codes.get(code) ?? { count: 0, last: "", fields: new Map<string, number>() };
    codes.set(code, tally);
    tally.count += count;
    if (time > tally.last) tally.last = time;
    for (const field of Array.isArray(fields) ? (fields as unknown[]) : []) {
      const name = wildcards(String(field));
      if (tally.fields.has(name) || tally.fields.size < maxFields)
        tally.fields.set(name, (tally.fields.get(name) ?? 0) + 1);
    }
  }
  return byRoute;
}

/** Places in a list are all one. */
const wildcards = (pointer: string): string => pointer.replaceAll(/\/\d+(?=\/|$)/g, "/*");

function describe(route: ContractRoute, codes: ReadonlyMap<string, Tally> | undefined): ObservedRoute {
  return {
    route: route.key,
    until: route.observe?.until ?? "",
    isOver: (route.observe?.untilMs ?? 0) <= Date.now(),
    rules: [...(codes ?? [])].map(([code, { count, last, fields }]) => ({
      code,
      count,
      last,
      fields: Object.fromEntries([...fields].sort((left, right) => right[1] - left[1])),
      write: observedLine(route, code, [...fields.keys()]),
    })),
  };
}

function report(observed: readonly ObservedRoute[]): void {
  if (observed.length === 0)
    say('No route is observed.  insecureObserve: { until: "…", reason: "…" }  on a route does it.');
  for (const { route, until, isOver, rules } of observed) {
    print(`${route}  ${isOver ? `enforced since ${until} was over` : `observed until ${until}`}`);
    if (rules.length === 0) print("  nothing would have been refused: leave out insecureObserve");
    for (const { code, count, fields, write, last } of rules) {
      const names = Object.keys(fields).filter((name) => name !== "");
      print(
        `  ${printable(code, 60)}  ${count === 1 ? "once" : `${count} times`}, last ${printable(last, 30)}${
          names.length === 0
            ? ""
            : `: ${names
                .slice(0, 8)
                .map((name) => printable(name, 60))
                .join(", ")}`
        }`,
      );
      for (const line of write) print(`    ${styled("dim", "→")} ${printable(line, 200)}`);
    }
  }
}
