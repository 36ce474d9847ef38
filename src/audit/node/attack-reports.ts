import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { AttackKind } from "../attack/kinds.ts";
import type { AttackReport } from "../attack/report.ts";
import { commandReport } from "./attack-command.ts";
import type { AttackOrder } from "./attack-command.ts";

/** What was attacked, and what came of it. */
interface Attacked {
  readonly report: AttackReport;
  /** It is about all that the order names. */
  readonly isWhole: boolean;
}

/** Attacks, as they are asked about. */
export interface AttackReports {
  /** All that the order names, in one attack, which is made once. */
  whole(): Promise<AttackReport>;
  /** One that a kind on a route is part of, without a route on the site: the whole where that is made, else as little as is asked about. */
  about(kind: AttackKind, route: string | undefined): Promise<Attacked>;
  /** Ends those that are under way, which clean up. */
  stop(): Promise<void>;
}

/** Part of an order. Undefined: all of it. */
interface Part {
  readonly kind?: AttackKind;
  readonly route?: string;
}

/**
 * Makes {@link AttackReports}. An attack of one kind on one route takes a second or two to begin: who asks again about the same kind, or the same route, will
 * go on to do so, and is given all of it at once.
 */
export function createAttackReports(
  { folder, kinds, routes }: AttackOrder,
  environment: Readonly<NodeJS.ProcessEnv>,
): AttackReports {
  const children = new Set<ChildProcess>();
  const parts: { readonly part: Part; readonly made: Promise<AttackReport> }[] = [];
  let wholeReport: Promise<AttackReport> | undefined;

  const make = ({ kind, route }: Part): Promise<AttackReport> =>
    commandReport(
      {
        folder,
        kinds: kind === undefined ? kinds : [kind],
        routes: route === undefined ? routes : [route],
      },
      environment,
      (child) => {
        children.add(child);
        child.once("exit", () => children.delete(child));
      },
    );
  const partFor = (kind: AttackKind, route: string | undefined): Part => {
    // On the site as a whole there is no attack of one kind that leaves the routes alone.
    if (route === undefined || parts.some(({ part }) => part.kind === kind)) return { kind };
    // Some of the kinds that were named may be about the site alone, and no route goes with those.
    const isRouteAgain = kinds === undefined && parts.some(({ part }) => part.route === route);
    return isRouteAgain ? { route } : { kind, route };
  };
  return {
    whole: () => (wholeReport ??= make({})),
    async about(kind, route) {
      if (wholeReport !== undefined) return { report: await wholeReport, isWhole: true };
      const known = parts.find(({ part }) => isPartOf(part, kind, route));
      if (known !== undefined) return { report: await known.made, isWhole: false };
      const part = partFor(kind, route);
      const made = make(part);
      parts.push({ part, made });
      return { report: await made, isWhole: false };
    },
    async stop() {
      const ended = [...children].map((child) => once(child, "exit"));
      for (const child of children) child.kill("SIGINT");
      await Promise.all(ended);
    },
  };
}

/** Whether what is asked about was attacked. With a route the site as a whole is left alone. */
const isPartOf = (part: Part, kind: AttackKind, route: string | undefined): boolean =>
  (part.kind === undefined || part.kind === kind) && (part.route === undefined || part.route === route);
