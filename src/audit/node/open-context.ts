import { readFile } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JWK } from "jose";
import { CurtainwallError, isCurtainwallError } from "../../shared/index.ts";
import type { Contract } from "../../contract/index.ts";
import { createCaller } from "../requests/caller.ts";
import type { Caller } from "../requests/caller.ts";
import { reasonOf } from "../check.ts";
import { createCommands } from "../commands.ts";
import type { Commands } from "../commands.ts";
import type { AuditContext } from "../context.ts";
import { takenOnce } from "../requests/expiring.ts";
import { createGate } from "../requests/gate.ts";
import { patientWire } from "../requests/patient-wire.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import type { OutputSearch, TlsProbe, Wire } from "../probes/probe.ts";
import { compareServed } from "../answers/served-release.ts";
import type { ServedRelease } from "../answers/served-release.ts";
import { createTokens } from "../requests/tokens.ts";
import { openBrowser } from "./browser.ts";
import type { OpenBrowser } from "./browser.ts";
import { startClock } from "./clock.ts";
import { createDeadline } from "./deadline.ts";
import { createFetch } from "./fetch.ts";
import { openListener } from "./listener.ts";
import type { OpenListener } from "./listener.ts";
import { openKeyHost } from "./key-host.ts";
import type { ContextOptions } from "./run.ts";
import { createSourceProbe } from "./source.ts";
import { http1Only, spokenBy } from "./spoken.ts";
import { createTlsProbe } from "./tls.ts";
import { createWire, freshMark } from "./wire.ts";
import type { OpenWire } from "./wire.ts";

/** What an audit works from, with what must be closed after it. */
export interface OpenContext {
  context: AuditContext;
  /** Rejects when its time is up, or when it is interrupted. */
  over: Promise<never>;
  close(): Promise<void>;
}

const maxCloseMs = 3000;

const tlsProbeOf = ({ timeoutMs = 5000 }: ContextOptions): TlsProbe =>
  createTlsProbe(Math.min(timeoutMs, 5000));

/** Connects everything that checks need. Asks the target once whether it is there at all. */
export async function openContext(options: ContextOptions): Promise<OpenContext> {
  const { contract, target, release, plan = {}, root, now = Date.now, budgetMs = 240_000 } = options;
  const clock = startClock(budgetMs, options.signal);
  const wire = createWire({
    target,
    ca: options.ca,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  const browser = lazyBrowser(options);
  const commands = commandsFor(options);
  const ended = new AbortController();
  const deadline = createDeadline(
    budgetMs,
    now,
    AbortSignal.any([ended.signal, ...(options.signal === undefined ? [] : [options.signal])]),
  );
  const bounded = deadline.wire(wire);
  const gate = createGate();
  const tls = tlsProbeOf(options);
  const gated = gate.wire(bounded);
  // What still waits when everything ends keeps no process alive.
  const nap = async (milliseconds: number): Promise<void> =>
    sleep(milliseconds, undefined, { signal: ended.signal });
  const unreachable =
    options.isSilent === true ? undefined : await greet(wire, options, commands, clock.over);
  const protocols =
    options.isSilent === true || unreachable !== undefined
      ? http1Only
      : await spokenBy(target, options.ca, options.timeoutMs);
  const tokens = createTokens({
    identities: plan.identities ?? {},
    issuer: contract.identity,
    now,
    sleep: nap,
    useWhileValid: (name, token) => takenOnce(context, name, token),
  });
  const hopAuthorities = async (caFile: string | undefined): Promise<string | undefined> =>
    caFile === undefined ? undefined : readAuthority(root, caFile, commands);
  const callerOver = (over: Wire): Caller =>
    createCaller({
      contract,
      wire: over,
      protocols,
      tokens,
      signatures: plan.signatures,
      now,
      sleep: (milliseconds, limitOf) => {
        if (limitOf !== undefined) options.onWait?.({ limitOf, milliseconds });
        return nap(milliseconds);
      },
      remainingMs: deadline.remainingMs,
    });
  const upstreamWires = new Set<OpenWire>();
  let keys: Promise<readonly JWK[]> | undefined;
  let served: Promise<ServedRelease> | undefined;
  const { searchOutput } = options;
  let searched: Promise<OutputSearch> | undefined;
  let listener: Promise<OpenListener> | undefined;
  const context: AuditContext = {
    contract,
    declaredRoutes: contract.routes,
    plan,
    target,
    isLoopback: isLoopbackHost(target.hostname),
    unreachable,
    ca: options.ca,
    release,
    servedRelease: () =>
      (served ??=
        release === undefined
          ? Promise.reject(new CurtainwallError("AUDIT_PLAN_INVALID", "there is no release to compare with"))
          : compareServed(context, release)),
    searchOutput: searchOutput === undefined ? undefined : () => (searched ??= searchOutput()),
    releaseTrial: options.releaseTrial,
    commands,
    caller: callerOver(gated),
    alone: (work) => gate.alone(() => work(callerOver(bounded), tls)),
    tokens,
    wire: patientWire(gated, { sleep: nap, remainingMs: deadline.remainingMs }),
    protocols,
    tls: gate.tls(tls),
    source: createSourceProbe(root),
    browser: async () => deadline.browser(await browser.get()),
    listener: () => (listener ??= openListener()),
    issuerKeys: () => (keys ??= fetchKeys(contract, hopAuthorities)),
    openKeyHost,
    upstreamWire: async ({ url, caFile }) => {
      const open = createWire({ target: url, ca: await hopAuthorities(caFile) });
      upstreamWires.add(open);
      return gate.wire(deadline.wire(open));
    },
    hopAuthorities,
    secrets: options.secrets,
    machine: options.machine,
    ledger: options.ledger,
    lookUpLedger: options.lookUpLedger,
    maxSlowMs: options.maxSlowMs ?? 45_000,
    now,
    sleep: nap,
    mark: freshMark,
  };
  return {
    context,
    over: clock.over,
    close: async () => {
      clock.stop();
      ended.abort();
      for (const open of [wire, ...upstreamWires]) open.close();
      await browser.close();
      await listener?.then((open) => open.close()).catch(() => undefined);
    },
  };
}

/** Commands to be pasted where the audit was started. */
function commandsFor({ root, target, contract, plan, environment = [] }: ContextOptions): Commands {
  const folder = relative(process.cwd(), root);
  return createCommands({
    folder: folder === "" ? "." : folder.split(sep)[0] === ".." ? root : folder,
    address: target.origin === contract.origin ? undefined : target.origin,
    environment,
    start: plan?.start,
  });
}

async function readAuthority(root: string, caFile: string, { start }: Commands): Promise<string> {
  try {
    return await readFile(resolve(root, caFile), "utf8");
  } catch (cause) {
    throw new CurtainwallError(
      "AUDIT_TARGET_UNREACHABLE",
      `the authority's certificate ${caFile} can't be read; a development authority is made by  ${start}`,
      { cause },
    );
  }
}

/** What a connection fails with where nobody takes it. */
const silence = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
]);

/** What a handshake fails with where it is the certificate that is not believed. */
const unverified = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

const withoutTwice = (reason: string): string => reason.replace(/^no answer: /, "");

/** Says why the target does not answer, if it does not, so that no check waits for it again. */
async function greet(
  wire: OpenWire,
  { target, contract, ca, caFile }: ContextOptions,
  { start }: Commands,
  over: Promise<never>,
): Promise<AuditContext["unreachable"]> {
  let failure: unknown;
  for (let tries = 0; tries < 2; tries++) {
    try {
      await Promise.race([wire.send({ method: "GET", path: "/" }), over]);
      return undefined;
    } catch (error) {
      failure = error;
    }
  }
  const { code = "" } = (isCurtainwallError(failure) ? (failure.cause ?? {}) : {}) as { code?: string };
  if (unverified.has(code)) {
    const by =
      ca === undefined ? "an authority that this machine trusts" : `the authority in ${caFile ?? "its ca"}`;
    return {
      reason: `${target.origin} answered with a certificate that does not verify (${code}); expected was one by ${by}`,
      isSilent: false,
    };
  }
  if (!silence.has(code))
    return { reason: `the target gives no answer: ${withoutTwice(reasonOf(failure))}`, isSilent: false };
  const isOwn = target.origin === contract.origin;
  const isHere = isLoopbackHost(new URL(contract.origin).hostname);
  const help = isOwn
    ? isHere
      ? `; start it with  ${start}`
      : ""
    : `; the contract's own address is ${contract.origin}${isHere ? `, which is started with  ${start}` : ""}`;
  return { reason: `nothing answers at ${target.origin} (${code})${help}`, isSilent: true };
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

/** Where the contract and the plan say that visitors go. Where the gateway alone goes, as to its upstreams, no page has any business. */
const originsOf = ({ contract, plan }: ContextOptions): string[] => [
  contract.origin,
  ...contract.corsOrigins,
  ...(contract.identity === undefined ? [] : [contract.identity.issuer]),
  ...(plan?.otherAddresses ?? []),
];

function lazyBrowser(options: ContextOptions): {
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
    return openBrowser({
      executablePath: browser.executablePath,
      target,
      spkiSha256: facts.spkiSha256,
      origins: originsOf(options),
    });
  };
  return {
    get: () => (opened ??= open()),
    close: async () => {
      const closing = opened?.then((running) => running.close()).catch(() => undefined);
      // One that is only being started is closed once it has.
      await Promise.race([closing, sleep(maxCloseMs, undefined, { ref: false })]);
    },
  };
}
