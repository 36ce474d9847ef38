import { readFile } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JWK } from "jose";
import { CurtainwallError } from "../../shared/index.ts";
import { createCaller } from "../requests/caller.ts";
import type { Caller } from "../requests/caller.ts";
import { createCommands } from "../commands.ts";
import type { Commands } from "../commands.ts";
import type { AuditContext } from "../context.ts";
import { useExpiring } from "../requests/expiring.ts";
import { createGate } from "../requests/gate.ts";
import { patientWire } from "../requests/patient-wire.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import type { OutputSearch, Wire } from "../probes/probe.ts";
import { compareServed } from "../answers/served-release.ts";
import type { ServedRelease } from "../answers/served-release.ts";
import { createTokens } from "../requests/tokens.ts";
import { startClock, withTimeout } from "./clock.ts";
import { createDeadline } from "./deadline.ts";
import type { TimePlan } from "./ending.ts";
import { greet } from "./greet.ts";
import { fetchIssuerKeys } from "./issuer-keys.ts";
import { lazyBrowser } from "./lazy-browser.ts";
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

/**
 * Connects everything that checks need. Asks the target once whether it is there at all.
 *
 * @param time how long closing it waits for what ends
 */
export async function openContext(
  options: ContextOptions,
  { closeMs }: Pick<TimePlan, "closeMs"> = { closeMs: 3000 },
): Promise<OpenContext> {
  const { contract, target, release, plan = {}, root, now = Date.now, budgetMs = 240_000 } = options;
  const clock = startClock(budgetMs, options.signal);
  const wire = createWire({
    target,
    ca: options.ca,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  const commands = commandsFor(options);
  const ended = new AbortController();
  const deadline = createDeadline(
    budgetMs,
    now,
    AbortSignal.any([ended.signal, ...(options.signal === undefined ? [] : [options.signal])]),
  );
  const bounded = deadline.wire(wire);
  const gate = createGate();
  const tls = createTlsProbe(Math.min(options.timeoutMs ?? 5000, 5000));
  const browser = lazyBrowser(options, tls);
  const gated = gate.wire(bounded);
  // What still waits when everything ends keeps no process alive.
  const nap = async (milliseconds: number): Promise<void> =>
    sleep(milliseconds, undefined, { signal: ended.signal });
  const unreachable =
    options.isSilent === true ? undefined : await greet(wire, options, commands, clock.over);
  const protocols =
    options.isSilent === true || unreachable !== undefined
      ? http1Only
      : await spokenBy(
          target,
          options.ca,
          Math.min(options.timeoutMs ?? 5000, Math.max(1, deadline.remainingMs())),
        );
  const tokens = createTokens({
    identities: plan.identities ?? {},
    issuer: contract.identity,
    now,
    sleep: nap,
    useWhileValid: (name, token) => useExpiring(context, name, token),
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
    issuerKeys: () => (keys ??= fetchIssuerKeys(contract, hopAuthorities)),
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
      const ending = Promise.allSettled([browser.close(), listener?.then((open) => open.close())]);
      await withTimeout(ending, closeMs).catch(() => undefined);
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
