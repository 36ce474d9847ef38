import { keyAccess } from "../../contract/index.ts";
import type {
  CheckFacts,
  Contract,
  ContractRoute,
  EventSink,
  NamedCheck,
  OwnerLookup,
} from "../../contract/index.ts";
import type { ProblemCode } from "../answers/answers.ts";
import type { Passage } from "../answers/route-answers.ts";
import type { Refusal } from "../answers/refusal.ts";
import type { Hold } from "../limits/hold.ts";
import type { Schedule } from "../limits/pace.ts";
import { compileTellOrigin } from "../told-origin.ts";
import type { Caller, Destination } from "../types.ts";
import { askedIn, compileDecision, costBeforeBody, costOfAll } from "./asked.ts";
import type { Asked, Decision, KnownFacts } from "./asked.ts";
import { checkFacts, withBody } from "./check-facts.ts";
import { compileLookup, readLookup } from "./look-up.ts";
import type { LookupRequest } from "./look-up.ts";
import { runCheck } from "./run-check.ts";
import { compileTellRefusal } from "./tell-refusal.ts";

/** What is known of one request to a route whose access somebody has to be asked about. */
export interface LateFacts {
  params: object;
  query: object;
  /** What those said who were asked, by their place. */
  readonly answers: (boolean | undefined)[];
  /** For the log: who gave no answer, and why. */
  readonly faults: string[];
  /** How the request is answered if it is not let pass: somebody could not be asked. */
  trouble: ProblemCode | undefined;
  /** When asking began, once the request was ready to be sent. */
  startedMs: number;
  facts: CheckFacts | undefined;
}

/** The part of a route's access that is decided by asking. */
export interface LateAccess {
  /** Begins with a request. */
  begin(passage: Passage): void;
  /** Takes the parameters: as the upstream will be given them, and as their schemas made them. Refuses what can't pass any more. */
  judge(passage: Passage, texts: readonly string[], params: object): Refusal | undefined;
  /** Takes the query as its schemas made it. */
  noteQuery(passage: Passage, query: object): void;
  /** Asks what can be asked before the body was read. */
  beforeBody(passage: Passage, next: () => void): void;
  /** Asks the rest: before the upstream is asked, and while the request counts as under way. */
  readonly hold: Hold;
  /** What is left of the route's time, in milliseconds; at least 1. */
  timeLeft(passage: Passage): number;
}

/** What {@link compileLateAccess} needs besides the route. */
export interface LateSurroundings {
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly events: EventSink;
  readonly now: () => number;
  readonly newId: () => string;
  readonly schedule: Schedule;
  readonly contract: Pick<Contract, "upstreams">;
  /** The site's own. */
  readonly origin: string;
  refuse(passage: Passage, refusal: Refusal): void;
  refuseThrown(passage: Passage, error: unknown): void;
}

const none = Object.freeze({});

/** Compiles {@link LateAccess}; undefined for a route that nobody has to be asked about. @param code what a refusal is answered with */
export function compileLateAccess(
  route: ContractRoute,
  code: ProblemCode,
  surroundings: LateSurroundings,
): LateAccess | undefined {
  const { access, segments } = route;
  const asked = askedIn(access);
  if (asked.length === 0) return undefined;
  const { events, now, newId, schedule, refuse, refuseThrown } = surroundings;
  const params = segments.flatMap((segment) => ("param" in segment ? [segment.param] : []));
  const decideByToken = compileDecision(access, params, asked);
  const reachable = keyAccess(access);
  const decideByKey = reachable && compileDecision(reachable, params, asked);
  const tellRefusal = compileTellRefusal(route);
  const askers = asked.map((one) => compileAsker(one));

  function decide({ caller, values, late }: Asking, mostCost: number): Decision {
    const known: KnownFacts = { caller, values, answers: late.answers, mostCost };
    return caller.keyId === undefined ? decideByToken(known) : (decideByKey?.(known) ?? "no");
  }

  /** Asks one after another, as long as it changes anything. */
  function settle(asking: Asking, mostCost: number, done: (decision: Decision) => void): void {
    const decision = decide(asking, mostCost);
    if (typeof decision !== "number") return done(decision);
    (askers[decision] as Asker)(asking, (holds) => {
      asking.late.answers[decision] = holds;
      settle(asking, mostCost, done);
    });
  }

  function refusalOf({ caller, values, late }: Asking): Refusal {
    const reason = [tellRefusal(caller, values, late.answers), ...late.faults].join("; ");
    return { code: late.trouble ?? code, reason };
  }

  function compileAsker(one: Asked): Asker {
    return one.kind === "check" ? compileCheck(one) : compileLook(one);
  }

  function compileCheck(one: NamedCheck): Asker {
    const about = { route: route.key, check: one.name };
    const running = {
      now,
      schedule,
      onSlow: (tookMs: number) => events({ type: "gateway.check.slow", time: now(), ...about, tookMs }),
    };
    return ({ caller, late, body }, done) => {
      const takeFacts = (): CheckFacts => {
        late.facts ??= checkFacts(caller, late.params, late.query);
        return one.body ? withBody(late.facts, body) : late.facts;
      };
      runCheck(one, takeFacts, running, ({ holds, fault }) => {
        if (fault !== undefined) {
          late.faults.push(`check ${one.name}: ${fault}`);
          events({ type: "gateway.check.failed", time: now(), ...about, reason: fault });
        }
        done(holds);
      });
    };
  }

  function compileLook(one: OwnerLookup): Asker {
    const lookup: LookupRequest = compileLookup(route, one);
    const upstream = lookup.route.to;
    const destination = surroundings.destinations.get(upstream);
    if (destination === undefined) throw new Error(`No destination "${upstream}" for ${lookup.route.key}`);
    const { contract, origin } = surroundings;
    const tellOrigin = compileTellOrigin(lookup.route, contract.upstreams.get(upstream), origin);
    return (asking, done) => {
      const { passage, caller, values, late } = asking;
      const id = newId();
      let isOver = false;
      const callOff = destination(
        {
          route: lookup.route,
          id,
          target: lookup.target(values),
          about: tellOrigin?.(passage.request, id),
          body: undefined,
          caller,
          timeoutMs: timeLeft(passage),
        },
        (answer) => {
          isOver = true;
          const { holds, fault, trouble, tag } = readLookup(answer, one, caller.subject);
          late.trouble ??= trouble;
          if (fault !== undefined) {
            late.faults.push(`ownerLookup ${one.get}: ${fault}`);
            const reason = `${one.get}: ${fault}`;
            events({ type: "gateway.upstream.failed", time: now(), id, route: route.key, upstream, reason });
          }
          if (tag !== undefined) passage.headers = [...(passage.headers ?? []), "if-match", tag];
          done(holds);
        },
      );
      if (typeof callOff === "function" && !isOver) passage.request.onAbort?.(callOff);
    };
  }

  function timeLeft({ late }: Passage): number {
    return Math.max(1, route.timeoutMs - (now() - (late as LateFacts).startedMs));
  }

  return {
    begin(passage) {
      passage.late = {
        params: none,
        query: none,
        answers: [],
        faults: [],
        trouble: undefined,
        startedMs: 0,
        facts: undefined,
      };
    },
    judge(passage, texts, checked) {
      // From here on a parameter is what the upstream will be asked for.
      passage.values = texts;
      const asking = askingOf(passage, undefined);
      asking.late.params = checked;
      return decide(asking, 0) === "no" ? refusalOf(asking) : undefined;
    },
    noteQuery(passage, query) {
      (passage.late as LateFacts).query = query;
    },
    beforeBody(passage, next) {
      const asking = askingOf(passage, undefined);
      settle(asking, costBeforeBody, (decision) => {
        try {
          if (decision === "no") refuse(passage, refusalOf(asking));
          else next();
        } catch (error) {
          refuseThrown(passage, error);
        }
      });
    },
    hold(passage, body, done) {
      const asking = askingOf(passage, body);
      asking.late.startedMs = now();
      settle(asking, costOfAll, (decision) => {
        passage.mustOwn = decision === "own";
        if (decision === "yes" || decision === "own") done(passes);
        else done({ refusal: refusalOf(asking) });
      });
    },
    timeLeft,
  };
}

/** One request while somebody is asked about it. */
interface Asking {
  readonly passage: Passage;
  readonly caller: Caller;
  readonly values: readonly string[];
  readonly late: LateFacts;
  readonly body: unknown;
}

/** Asks once. Calls `done` once, at once or later; never throws. */
type Asker = (asking: Asking, done: (holds: boolean) => void) => void;

/** Only callers who are known get here. */
const askingOf = (passage: Passage, body: unknown): Asking => ({
  passage,
  caller: passage.caller as Caller,
  values: passage.values,
  late: passage.late as LateFacts,
  body,
});

const passes = { finish: () => undefined } as const;
