import { eventCatalogue } from "../../contract/index.ts";
import { selects } from "../../ledger/index.ts";
import type { LedgerRecord, RecordFilter } from "../../ledger/index.ts";
import { CurtainwallError, counted, nearest, nearestRoute, printable } from "../../shared/index.ts";
import { sources } from "./log-filter.ts";
import { meantEvents } from "./meant-events.ts";

/** What is asked of a log, and what there is that could have been. */
export interface LogQuestion {
  /** Tells whether a record is among those that are wanted. To be asked of each in turn. */
  selects(record: LedgerRecord): boolean;
  /** Says what is called so nowhere: not in the log, as far as it was gone through, nor in the contract or among the events that there are. An id is the log's alone. */
  unknown(): CurtainwallError | undefined;
  /** What is to be said of an id that there is: that several begin so, or that other options leave it out. */
  aboutId(): string | undefined;
}

/** Names that a log may hold are remembered up to here: whoever writes it chooses them. */
const mostNames = 10_000;

/** @param routes those of the contract, if it is known */
export function askLog(filter: RecordFilter, routes: readonly string[] = []): LogQuestion {
  const { events, source, route, id } = filter;
  const known = {
    source: new Set<string>(sources),
    event: new Set<string>(Object.keys(eventCatalogue)),
    route: new Set<string>(routes),
  };
  const found = new Set<string>();
  let [withId, asked] = [0, 0];

  function note(record: LedgerRecord): void {
    add(known.source, record.source);
    add(known.event, record.event);
    add(known.route, record["route"]);
    if (id === undefined || !selects({ id }, record)) return;
    withId++;
    add(found, record["id"]);
  }

  return {
    selects(record) {
      note(record);
      const isWanted = selects(filter, record);
      if (isWanted) asked++;
      return isWanted;
    },
    unknown() {
      const event = events?.find((name) => !isCalled(known.event, name));
      if (event !== undefined) {
        const { meant, others } = meantEvents(event, [...known.event]);
        return unknownName("event", event, meant, others);
      }
      if (source !== undefined && !known.source.has(source))
        return unknownName("source", source, nearest(source, [...known.source]), [...known.source]);
      if (route !== undefined && !known.route.has(route))
        return unknownName("route", route, nearestRoute(route, [...known.route]), routes);
      if (id !== undefined && withId === 0)
        return new CurtainwallError(
          "CLI_USAGE_INVALID",
          `No record has an id that is ${printable(id, 80)}, or begins so.`,
          { hint: "What was allowed is in no log, and what was pushed out is not either" },
        );
      return undefined;
    },
    aboutId() {
      if (id === undefined) return undefined;
      if (found.size > 1)
        return `${counted(found.size, "request")} have an id that begins with ${printable(id)}`;
      return asked > 0 || withId === 0
        ? undefined
        : `${counted(withId, "record")} of it ${withId === 1 ? "is" : "are"} left out by the other options`;
    },
  };
}

function add(names: Set<string>, name: unknown): void {
  if (typeof name === "string" && names.size < mostNames) names.add(name);
}

/** A name that ends with `*` asks for all that begin so. */
const isCalled = (names: ReadonlySet<string>, asked: string): boolean =>
  names.has(asked) || (asked.endsWith("*") && [...names].some((name) => name.startsWith(asked.slice(0, -1))));

/** Longer lists help nobody. */
const mostShown = 20;

function unknownName(
  what: "event" | "source" | "route",
  name: string,
  meant: string | undefined,
  all: readonly string[] = [],
): CurtainwallError {
  const where = what === "route" ? "of the contract or of this log " : "";
  const list = all.slice(0, mostShown).map((one) => printable(one, 80));
  const more = all.length > list.length ? ` and ${all.length - list.length} more` : "";
  const hints = [
    ...(meant === undefined ? [] : [`Did you mean  ${printable(meant, 80)}?`]),
    ...(list.length === 0 ? [] : [`There are:  ${list.join(", ")}${more}`]),
  ];
  return new CurtainwallError(
    "CLI_USAGE_INVALID",
    `No ${what} ${where}is called ${printable(name, 80)}.`,
    hints.length === 0 ? {} : { hint: hints.join("  ") },
  );
}
