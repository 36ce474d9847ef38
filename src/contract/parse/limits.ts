import type {
  ContractBudget,
  ContractFailures,
  ContractRouteLimits,
  ContractSpending,
} from "../contract/limits.ts";
import { parseFailureLimit } from "../limits/failure-limit.ts";
import type { FailureLimit } from "../limits/failure-limit.ts";
import { parseLimit } from "../limits/limit.ts";
import type { Limit } from "../limits/limit.ts";
import { parsePace } from "../limits/pace.ts";
import type { PathSegment } from "../path.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, isSchema, number, quote } from "./values.ts";
import type { Members } from "./values.ts";

/** What a route's limits refer to. */
interface LimitSurroundings {
  readonly segments: readonly PathSegment[];
  readonly budgets: ReadonlyMap<string, ContractBudget>;
}

/** Names of the options that {@link parseRouteLimits} reads. */
export const limitOptions = ["limit", "pace", "concurrency", "failures", "spends", "priority"];

/** The most that may be under way at once. */
const maxConcurrency = 100_000;
const priorities = ["low", "normal", "high"] as const;

/** Reads how often, how fast and how many at once a route may be called. */
export function parseRouteLimits(
  problems: Problems,
  where: string,
  options: Members,
  { segments, budgets }: LimitSurroundings,
): ContractRouteLimits {
  const { access, pace, concurrency, failures, spends, priority = "normal" } = options;
  const limits = parseLimits(problems, where, options.limit);
  const paced = pace === undefined ? undefined : read(problems, where, () => parsePace(pace));
  const failing = parseFailures(problems, where, failures, { segments, body: options.body });
  const needCaller = [...limits, ...(paced ? [paced] : []), ...(failing?.limits ?? [])].find(
    ({ by }) => by === "user" || by === "tenant" || by === "key",
  );
  if (needCaller !== undefined && isMembers(access) && access.kind === "everyone")
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: a limit per ${needCaller.by} needs a ${needCaller.by}, and access is everyone.`,
      `Write  "${needCaller.count}/… per client"`,
    );
  const known = priorities.find((name) => name === priority);
  if (known === undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: priority must be "low", "normal" or "high", not ${quote(priority)}.`,
    );
  return {
    limits,
    pace: paced,
    concurrency: parseConcurrency(problems, `${where}, concurrency`, concurrency),
    failures: failing,
    spends: parseSpending(problems, where, spends, budgets),
    priority: known ?? "normal",
  };
}

/** Reads how many requests may be under way at once. Undefined: it was not said. */
export function parseConcurrency(problems: Problems, where: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  return number(problems, where, value, { min: 1, max: maxConcurrency, fallback: 1 });
}

function parseLimits(problems: Problems, where: string, value: unknown): Limit[] {
  if (value !== undefined) return readAll(problems, where, value, parseLimit);
  problems.add(
    "CONTRACT_ROUTE_INCOMPLETE",
    `${where} does not say how often it may be called.`,
    'Add  limit: "120/min per client",',
  );
  return [];
}

const readAll = <Read>(
  problems: Problems,
  where: string,
  value: unknown,
  parse: (text: unknown) => Read,
): Read[] =>
  (Array.isArray(value) ? value : [value]).flatMap((entry: unknown) => {
    const one = read(problems, where, () => parse(entry));
    return one === undefined ? [] : [one];
  });

function read<Read>(problems: Problems, where: string, parse: () => Read): Read | undefined {
  try {
    return parse();
  } catch (error) {
    return problems.add("CONTRACT_OPTION_INVALID", `${where}: ${(error as Error).message}`);
  }
}

const usualFailures: readonly number[] = [401, 403, 422];

function parseFailures(
  problems: Problems,
  where: string,
  value: unknown,
  about: { segments: readonly PathSegment[]; body: unknown },
): ContractFailures | undefined {
  if (value === undefined) return undefined;
  const options: Members = isMembers(value) ? value : { limit: value };
  checkNames(problems, `${where}, failures`, options, ["limit", "statuses"]);
  const limits = readAll(problems, `${where}, failures`, options.limit, parseFailureLimit);
  for (const limit of limits) checkField(problems, where, limit, about);
  const { statuses = usualFailures } = options;
  const areStatuses =
    Array.isArray(statuses) &&
    statuses.length > 0 &&
    statuses.every((status) => Number.isInteger(status) && status >= 400 && status <= 599);
  if (!areStatuses)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: failures.statuses must be a list of statuses from 400 to 599, not ${quote(statuses)}.`,
    );
  return { limits, statuses: areStatuses ? statuses : usualFailures };
}

/** A field that no request has would be one that nobody is counted by. */
function checkField(
  problems: Problems,
  where: string,
  { by, field, text }: FailureLimit,
  { segments, body }: { segments: readonly PathSegment[]; body: unknown },
): void {
  const [name = ""] = field;
  const params = segments.flatMap((segment) => ("text" in segment ? [] : [segment.param]));
  const isThere =
    by === "params" ? field.length === 1 && params.includes(name) : by !== "body" || hasField(body, name);
  if (isThere) return;
  problems.add(
    "CONTRACT_REFERENCE_UNKNOWN",
    `${where}: ${quote(text)} counts by a field that its ${by === "params" ? "path" : "body"} does not have.`,
    `Fields: ${(by === "params" ? params : namesOf(body)).join(", ") || "none"}`,
  );
}

/** Of a schema that is no object, say a union, only its requests tell. */
const hasField = (body: unknown, name: string): boolean =>
  isSchema(body) && (shapeOf(body) === undefined || namesOf(body).includes(name));
const namesOf = (body: unknown): string[] => Object.keys(shapeOf(body) ?? {});
/** Only an object's definition has a shape. */
const shapeOf = (body: unknown): object | undefined => {
  if (!isSchema(body)) return undefined;
  const { def } = body._zod;
  return "shape" in def && typeof def.shape === "object" ? (def.shape ?? undefined) : undefined;
};

function parseSpending(
  problems: Problems,
  where: string,
  value: unknown,
  budgets: ReadonlyMap<string, ContractBudget>,
): ContractSpending[] {
  if (value === undefined) return [];
  if (!isMembers(value)) {
    problems.add("CONTRACT_OPTION_INVALID", `${where}: spends must be an object, not ${quote(value)}.`);
    return [];
  }
  return Object.entries(value).flatMap(([name, cost]) => {
    const budget = budgets.get(name);
    if (budget === undefined) {
      problems.add(
        "CONTRACT_REFERENCE_UNKNOWN",
        `${where} spends ${quote(name)}, which is not among the budgets.`,
        `Budgets: ${[...budgets.keys()].join(", ") || 'none; write  budgets: { mail: "1000/h" },  beside routes'}`,
      );
      return [];
    }
    // What costs more than the whole budget could never be paid for.
    const max = Math.min(1_000_000, budget.burst);
    return [
      { budget, cost: number(problems, `${where}, spends.${name}`, cost, { min: 1, max, fallback: 1 }) },
    ];
  });
}
