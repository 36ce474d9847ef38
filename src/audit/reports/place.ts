import type { AttackedOption } from "../attack/kinds.ts";
import type { Evidence } from "../evidence.ts";
import { failingEvidence } from "./order.ts";
import type { AuditCheck, AuditReport, ReportContract } from "../report.ts";

/** A place in the project that a finding is about. */
export interface Place {
  /** Seen from the root of the repository, with `/`. */
  file: string;
  /** From 1. */
  line: number;
  /** The route, if it is about one: `GET /api/orders/:id`. */
  route?: string;
  /** The option there, if it is about one: `limit`. */
  option?: string;
}

/**
 * Where a finding is to be mended: the file that was looked at; else the option that promises otherwise, of the route that was called or of the
 * stack; else the route, where the contract declares it; else the contract. Undefined for a report that names no contract.
 */
export function placeOf(
  { contract }: AuditReport,
  evidence: Evidence | undefined,
  { promise }: Pick<AuditCheck, "promise"> = {},
): Place | undefined {
  if (contract === undefined) return undefined;
  if (evidence?.kind === "file" && isInProject(evidence.file))
    return { file: inRepository(contract, evidence.file), line: evidence.line ?? 1 };
  const route = evidence === undefined ? undefined : routeOf(contract, evidence);
  const option = writtenOption(contract, route, (evidence && promiseOf(evidence)) ?? promise);
  const [file = contract.file, line = "1"] = splitPlace(option?.at ?? contract.routes[route ?? ""] ?? "");
  return {
    file: inRepository(contract, file),
    line: Number(line),
    ...(route === undefined ? {} : { route }),
    ...(option === undefined ? {} : { option: option.name }),
  };
}

/** The option that a piece of evidence is about, where it is another than its check's. */
const promiseOf = (evidence: Evidence): AttackedOption | undefined =>
  evidence.kind === "exchange" ? evidence.promise : undefined;

/** A route takes its input in these. */
const inputOptions: readonly string[] = ["body", "query", "params", "headers"];

/** The option as the contract has it: of a route that has no body, what else is promised of its input. */
function writtenOption(
  { options = {} }: ReportContract,
  route: string | undefined,
  promise: string | undefined,
): { name: string; at: string } | undefined {
  if (promise === undefined) return undefined;
  const names = inputOptions.includes(promise) ? [promise, ...inputOptions] : [promise];
  for (const lines of [options[route ?? ""], options["stack"]]) {
    const name = names.find((one) => lines?.[one] !== undefined);
    const at = lines?.[name ?? ""];
    if (name !== undefined && at !== undefined) return { name, at };
  }
  return undefined;
}

/**
 * Where what failed is to be mended, in words: `curtainwall.config.ts:62, limit of GET /api/orders/:id`. Undefined for what held, and where no line
 * says anything of it: the contract's first would lead nowhere.
 */
export function findingPlace(
  report: AuditReport,
  check: AuditCheck,
  evidence: Evidence | undefined,
): string | undefined {
  const failing = failingEvidence(check);
  if (check.state !== "failed" || (evidence !== undefined && !failing.includes(evidence))) return undefined;
  const place = placeOf(report, evidence, check);
  if (place === undefined) return undefined;
  const isFirstLine = evidence?.kind !== "file" && subjectOf(place) === undefined;
  return isFirstLine ? undefined : placeText(place);
}

function placeText(place: Place): string {
  const subject = subjectOf(place);
  return `${place.file}:${place.line}${subject === undefined ? "" : `, ${subject}`}`;
}

/** What a place is about, in words: `limit of GET /api/orders/:id`. */
export function subjectOf({ option, route }: Place): string | undefined {
  return option === undefined || route === undefined ? (option ?? route) : `${option} of ${route}`;
}

const inRepository = ({ folder }: ReportContract, file: string): string =>
  folder === "" ? file : `${folder}/${file}`;

/** What is looked at elsewhere (a served path, a process) is no place to mend anything. */
const isInProject = (file: string): boolean =>
  file !== "" && !file.startsWith("/") && !file.split("/").includes("..") && !/^[a-z][\w+.-]*:/i.test(file);

function splitPlace(place: string): [file: string, line: string] | [] {
  const [, file, line] = /^(.+):(\d{1,9})$/.exec(place) ?? [];
  return file === undefined || line === undefined ? [] : [file, line];
}

function routeOf({ routes }: ReportContract, evidence: Evidence): string | undefined {
  const keys = Object.keys(routes);
  if (evidence.kind === "exchange") {
    const path = URL.parse(evidence.request.url)?.pathname;
    const called = keys.filter((key) => path !== undefined && matches(key, path));
    return called.find((key) => key.startsWith(`${evidence.request.method} `)) ?? called[0];
  }
  const told = evidence.kind === "contract" ? `${evidence.at} ${evidence.about}` : evidence.about;
  // The longest: "GET /api/orders" begins "GET /api/orders/:id" too.
  return keys.filter((key) => told.includes(key)).sort((left, right) => right.length - left.length)[0];
}

/** Whether a path is one of a route's, segment by segment. What is called may be bent: a parameter takes anything. */
function matches(key: string, path: string): boolean {
  const wanted = key.slice(key.indexOf(" ") + 1).split("/");
  const given = path.split("/");
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => segment.startsWith(":") || segment === given[index])
  );
}
