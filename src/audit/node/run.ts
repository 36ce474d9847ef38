import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JWK } from "jose";
import { CurtainwallError } from "../../shared/index.ts";
import type { Contract, Release } from "../../contract/index.ts";
import { createCaller } from "../caller.ts";
import type { Rule } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { auditRows } from "../audit-rows.ts";
import { reasonOf } from "../check.ts";
import type { TlsProbe } from "../probe.ts";
import { assertPlanFits } from "../plan.ts";
import type { AuditPlan } from "../plan.ts";
import { summarise } from "../report.ts";
import type { AuditReport } from "../report.ts";
import { rules as allRules } from "../rules/index.ts";
import { createTokens } from "../tokens.ts";
import { isLoopback } from "./address.ts";
import { openBrowser } from "./browser.ts";
import type { OpenBrowser } from "./browser.ts";
import { createDeadline } from "./deadline.ts";
import { createFetch } from "./fetch.ts";
import { createSourceProbe } from "./source.ts";
import { createTlsProbe } from "./tls.ts";
import { createWire, freshMark } from "./wire.ts";
import type { OpenWire } from "./wire.ts";

/** Something to tell whoever waits. */
export interface AuditProgress {
  /** Row that is being worked on. */
  row: string;
  /** Check that begins, or the row's verdict when it ended. */
  what: string;
  done: number;
  of: number;
}

/** Options of {@link runAudit}. */
export interface AuditOptions {
  contract: Contract;
  /** The running stack. Active checks run on loopback only. */
  target: URL;
  /** The project's folder: where git, package.json and the contract's `caFile`s are. */
  root: string;
  /** What was built, for the checks of the output. */
  release?: Release | undefined;
  /** PEM: the authority of the target's certificate. Default: the system's. */
  ca?: string | undefined;
  /** Without it there is nobody to be, and the rows that take identities stay unknown. */
  plan?: AuditPlan | undefined;
  /** Without it the checks in a browser are missing. */
  browser?: { executablePath: string } | undefined;
  /** Rows to check, like `["API-1"]`. Default: all. */
  only?: readonly string[] | undefined;
  /** For the whole audit, in milliseconds; what is left then is missing. Default 240 000. */
  budgetMs?: number;
  /** For one answer, in milliseconds. Default 10 000. */
  timeoutMs?: number;
  /** How long the target may let a client hold a connection that sends a byte a second, in milliseconds. Default 45 000. */
  maxSlowMs?: number;
  now?: () => number;
  onProgress?: (progress: AuditProgress) => void;
  /** Finds an event by the id in an error. */
  lookUpLedger?: (id: string) => Promise<unknown>;
}

/**
 * Audits a running stack against its contract: 24 rows, each with its checks, their evidence and how to see it again.
 * A target that is down, slow or hostile is a finding or a missing check, never an exception.
 *
 * @throws {CurtainwallError} `AUDIT_PLAN_INVALID` when the plan does not fit the contract, `AUDIT_TARGET_INVALID` when the
 *   target is no http or https URL or a row to check does not exist.
 */
export async function runAudit(options: AuditOptions): Promise<AuditReport> {
  const { contract, target, release, plan = {}, now = Date.now } = options;
  assertPlanFits(plan, contract);
  if (target.protocol !== "https:" && target.protocol !== "http:")
    throw new CurtainwallError("AUDIT_TARGET_INVALID", `${target.href} is no http or https address.`);
  const startedAt = now();
  const wire = createWire({
    target,
    ca: options.ca,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  const browser = lazyBrowser(options);
  try {
    const context = await createContext(options, wire, browser.get);
    const rows = await auditRows(chosenRules(options.only), context, options.only, (progress) =>
      options.onProgress?.(progress),
    );
    return {
      format: 1,
      target: target.origin,
      ...(release === undefined ? {} : { release: release.digest }),
      startedAt: new Date(startedAt).toISOString(),
      durationMs: now() - startedAt,
      weakenings: [...contract.weakenings],
      rows,
      summary: summarise(rows),
    };
  } finally {
    wire.close();
    await browser.close();
  }
}

const tlsProbeOf = ({ timeoutMs = 5000 }: AuditOptions): TlsProbe =>
  createTlsProbe(Math.min(timeoutMs, 5000));

function chosenRules(only: readonly string[] | undefined): readonly Rule[] {
  return only === undefined ? allRules : allRules.filter((rule) => only.includes(rule.id));
}

async function createContext(
  options: AuditOptions,
  wire: OpenWire,
  browser: AuditContext["browser"],
): Promise<AuditContext> {
  const { contract, target, plan = {}, root, now = Date.now, budgetMs = 240_000 } = options;
  const deadline = createDeadline(budgetMs, now);
  const bounded = deadline.wire(wire);
  const nap = async (milliseconds: number): Promise<void> => sleep(milliseconds);
  const tokens = createTokens({
    identities: plan.identities ?? {},
    issuer: contract.identity,
    now,
    sleep: nap,
  });
  const hopAuthorities = async (caFile: string | undefined): Promise<string | undefined> =>
    caFile === undefined ? undefined : readFile(resolve(root, caFile), "utf8");
  let keys: Promise<readonly JWK[]> | undefined;
  return {
    contract,
    plan,
    target,
    isLoopback: isLoopback(target.hostname),
    unreachable: await greet(wire),
    ca: options.ca,
    release: options.release,
    caller: createCaller({ wire: bounded, tokens, sleep: nap, remainingMs: deadline.remainingMs }),
    tokens,
    wire: bounded,
    tls: tlsProbeOf(options),
    source: createSourceProbe(root),
    browser: async () => deadline.browser(await browser()),
    issuerKeys: () => (keys ??= fetchKeys(contract, hopAuthorities)),
    hopAuthorities,
    lookUpLedger: options.lookUpLedger,
    maxSlowMs: options.maxSlowMs ?? 45_000,
    now,
    sleep: nap,
    mark: freshMark,
  };
}

/** Says why the target does not answer, if it does not, so that no check waits for it again. */
async function greet(wire: OpenWire): Promise<string | undefined> {
  let reason = "";
  for (let tries = 0; tries < 2; tries++) {
    try {
      await wire.send({ method: "GET", path: "/" });
      return undefined;
    } catch (error) {
      reason = reasonOf(error);
    }
  }
  return `the target gives no answer: ${reason}`;
}

/** @see RFC 8414 §3, OpenID Connect Discovery 1.0 §4 */
async function fetchKeys(
  contract: Contract,
  hopAuthorities: AuditContext["hopAuthorities"],
): Promise<readonly JWK[]> {
  const { identity } = contract;
  if (identity === undefined) return [];
  const fetch = createFetch(await hopAuthorities(identity.caFile));
  const read = async (url: string): Promise<Record<string, unknown>> =>
    (await (await fetch(url)).json()) as Record<string, unknown>;
  const jwksUrl =
    identity.jwksUrl ??
    (await read(`${identity.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`)).jwks_uri;
  const { keys } = await read(String(jwksUrl));
  return Array.isArray(keys) ? (keys as JWK[]).slice(0, 10) : [];
}

function lazyBrowser(options: AuditOptions): {
  get: AuditContext["browser"];
  close: () => Promise<void>;
} {
  const { browser, target, ca } = options;
  let opened: Promise<OpenBrowser> | undefined;
  const open = async (): Promise<OpenBrowser> => {
    if (browser === undefined)
      throw new CurtainwallError(
        "AUDIT_TARGET_UNREACHABLE",
        "no browser was given: install Chromium and playwright-core",
      );
    const port = Number(target.port === "" ? "443" : target.port);
    const facts = await tlsProbeOf(options).connect({
      host: target.hostname,
      port,
      ...(ca === undefined ? {} : { ca }),
    });
    if (facts.certificateProblem !== undefined)
      throw new CurtainwallError(
        "AUDIT_TARGET_UNREACHABLE",
        `the browser was not started: the certificate does not verify (${facts.certificateProblem})`,
      );
    return openBrowser({ executablePath: browser.executablePath, target, spkiSha256: facts.spkiSha256 });
  };
  return {
    get: () => (opened ??= open()),
    close: async () => opened?.then((running) => running.close()).catch(() => undefined),
  };
}
