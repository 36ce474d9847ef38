import type { Evidence } from "../evidence.ts";
import type { Protocol } from "../probes/probe.ts";
import type { AttackKind, AttackedOption } from "./kinds.ts";

/** What an attack found. */
export interface AttackReport {
  format: 1;
  /** Who wrote the report: `curtainwall 1.2.3`. */
  tool?: string;
  target: string;
  /** ISO 8601. */
  startedAt: string;
  durationMs: number;
  /** Why it ended before everything was tried, if it did. */
  ended?: {
    because: "budget" | "interrupted" | "target gone";
    says: string;
    /** Of a budget: a longer one, as `--budget` takes it. */
    longer?: string;
    /** Of a target that went away: the command that starts it. */
    start?: string;
  };
  /** Kinds that the contract gives something to attack, in the order of `attackKinds`. */
  kinds: KindReport[];
  /** What was attacked, one by one: a kind on one route, or on the site. */
  units: AttackUnit[];
  /** Attacks that the plan gives no means for. */
  leftOut: LeftOut[];
  /** Routes on which the plan names owners, and whose access asks for none: nobody's object there is protected. */
  opened?: { route: string; access: string }[];
  /** Kinds that were asked for, and that the contract gives nothing to attack. */
  idle?: AttackKind[];
  /** How promises were broken, in the order of units: of each check something before more of any, at most 500 of them. */
  broken: BrokenPromise[];
  /** Honest requests that routes which write took, by route, where the plan has no `cleanUp`: what they made is still there. */
  left: Record<string, number>;
  /** What went wrong when the plan cleaned up. */
  cleanUpFailed?: string;
  summary: AttackCounts;
}

/**
 * Attacks, as `--list` counts them (a check on one route, or on the site), by what became of them: each counts once, so that
 * `attacks` is the sum of `held`, `broken`, `notMade` and `idle`.
 */
export interface AttackCounts {
  attacks: number;
  /** Refused throughout, on routes that serve who is honest: where they do not, a refusal shows nothing. */
  held: number;
  /** Of those something got through. */
  broken: number;
  /** Could not be made, or not in full, or show nothing. */
  notMade: number;
  /** Found nothing there that they are about. */
  idle: number;
  /** Answers that were judged, of all these together. */
  attempts: number;
  /** Of the attempts. */
  gotThrough: number;
}

/** An attack that takes what the plan may give and does not: a second host, a network to come from. */
export interface LeftOut {
  kind: AttackKind;
  check: string;
  /** What it would take. */
  lacks: string;
}

/** One kind of attack, over all that it was tried on. */
export interface KindReport extends AttackCounts {
  kind: AttackKind;
  /** Over which protocols answers came; none where nothing was asked of the API by requests. */
  protocols?: Protocol[];
  /** Why attacks were not made, the most frequent first. */
  reasons: { reason: string; count: number }[];
  /** Why attacks were idle, the most frequent first. */
  idleReasons: { reason: string; count: number }[];
}

/** A kind of attack on one route, or on the site. */
export interface AttackUnit extends AttackCounts {
  kind: AttackKind;
  /** The route's key. None: the site as a whole. */
  route?: string;
  /** `not made`: part of it was not, or shows nothing; never a pass. */
  state: "held" | "broken" | "not made" | "not applicable";
  durationMs: number;
  /** Over which protocols answers came. */
  protocols?: Protocol[];
  /** Why something was not made, or why there is nothing to attack. */
  reasons: string[];
  /** Attacks that found nothing to attack, and why. */
  idleBecause: { check: string; reason: string }[];
}

/** An attack that got through. */
export interface BrokenPromise {
  kind: AttackKind;
  /** The route's key; none where it is a promise of the whole stack. */
  route?: string;
  /** The option that promises otherwise. */
  promise: AttackedOption;
  /** Where it is written: `curtainwall.config.ts:61`. */
  at?: string;
  /** The check that found it, and its row of the checklist. */
  check: string;
  row: string;
  evidence: Evidence;
  /** A command that shows it again. */
  reproduce: string;
}
