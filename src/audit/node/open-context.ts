import { readFile } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JWK } from "jose";
import { CurtainwallError, isCurtainwallError } from "../../shared/index.ts";
import type { Contract } from "../../contract/index.ts";
import { createCaller } from "../caller.ts";
import { reasonOf } from "../check.ts";
import { createCommands } from "../commands.ts";
import type { Commands } from "../commands.ts";
import type { AuditContext } from "../context.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import type { OutputSearch, TlsProbe } from "../probe.ts";
import { compareServed } from "../served-release.ts";
import type { ServedRelease } from "../served-release.ts";
import { createTokens } from "../tokens.ts";
import { openBrowser } from "./browser.ts";
import type { OpenBrowser } from "./browser.ts";
import { createDeadline } from "./deadline.ts";
import { createFetch } from "./fetch.ts";
import type { AuditOptions } from "./run.ts";
import { createSourceProbe } from "./source.ts";
import { createTlsProbe } from "./tls.ts";
import { createWire, freshMark } from "./wire.ts";
import type { OpenWire } from "./wire.ts";

/** What an audit works from, with what must be closed after it. */
export interface OpenContext {
  context: AuditContext;
  close(): Promise<void>;
}

const tlsProbeOf = ({ timeoutMs = 5000 }: AuditOptions): TlsProbe =>
  createTlsProbe(Math.min(timeoutMs, 5000));

/** Connects everything that checks need. Asks the target once whether it is there at all. */
export async function openContext(options: AuditOptions): Promise<OpenContext> {
  const { contract, target, release, plan = {}, root, now = Date.now, budgetMs = 240_000 } = options;
  const wire = createWire({
    target,
    ca: options.ca,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  const browser = lazyBrowser(options);
  const commands = commandsFor(options);
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
    caFile === undefined ? undefined : readAuthority(root, caFile, commands);
  let keys: Promise<readonly JWK[]> | undefined;
  let served: Promise<ServedRelease> | undefined;
  const { searchOutput } = options;
  let searched: Promise<OutputSearch> | undefined;
  const context: AuditContext = {
    contract,
    plan,
    target,
    isLoopback: isLoopbackHost(target.hostname),
    unreachable: await greet(wire, target, commands),
    ca: options.ca,
    release,
    servedRelease: () =>
      (served ??=
        release === undefined
          ? Promise.reject(new CurtainwallError("AUDIT_PLAN_INVALID", "there is no release to compare with"))
          : compareServed(context, release)),
    searchOutput: searchOutput === undefined ? undefined : () => (searched ??= searchOutput()),
    commands,
    caller: createCaller({ contract, wire: bounded, tokens, sleep: nap, remainingMs: deadline.remainingMs }),
    tokens,
    wire: bounded,
    tls: tlsProbeOf(options),
    source: createSourceProbe(root),
    browser: async () => deadline.browser(await browser.get()),
    issuerKeys: () => (keys ??= fetchKeys(contract, hopAuthorities)),
    hopAuthorities,
    lookUpLedger: options.lookUpLedger,
    maxSlowMs: options.maxSlowMs ?? 45_000,
    now,
    sleep: nap,
    mark: freshMark,
  };
  return {
    context,
    close: async () => {
      wire.close();
      await browser.close();
    },
  };
}

/** Commands to be pasted where the audit was started. */
function commandsFor({ root, target, contract, plan, environment = [] }: AuditOptions): Commands {
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

/** Says why the target does not answer, if it does not, so that no check waits for it again. */
async function greet(wire: OpenWire, target: URL, { start }: Commands): Promise<AuditContext["unreachable"]> {
  let failure: unknown;
  for (let tries = 0; tries < 2; tries++) {
    try {
      await wire.send({ method: "GET", path: "/" });
      return undefined;
    } catch (error) {
      failure = error;
    }
  }
  const { code = "" } = (isCurtainwallError(failure) ? (failure.cause ?? {}) : {}) as { code?: string };
  if (!silence.has(code))
    return { reason: `the target gives no answer: ${reasonOf(failure)}`, isSilent: false };
  const help = isLoopbackHost(target.hostname) ? `; start it with  ${start}` : "";
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
