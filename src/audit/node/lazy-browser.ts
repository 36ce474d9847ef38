import { CurtainwallError } from "../../shared/index.ts";
import type { AuditContext } from "../context.ts";
import type { TlsProbe } from "../probes/probe.ts";
import { openBrowser } from "./browser.ts";
import type { OpenBrowser } from "./browser.ts";
import type { ContextOptions } from "./run.ts";

/** Where the contract and the plan say that visitors go. Where the gateway alone goes, as to its upstreams, no page has any business. */
const originsOf = ({ contract, plan }: ContextOptions): string[] => [
  contract.origin,
  ...contract.corsOrigins,
  ...(contract.identity === undefined ? [] : [contract.identity.issuer]),
  ...(plan?.otherAddresses ?? []),
];

/** A browser that is started once somebody needs it, and only on a target whose certificate verifies. */
export function lazyBrowser(
  options: ContextOptions,
  tls: TlsProbe,
): {
  get: AuditContext["browser"];
  /** One that is only being started is closed once it has. */
  close: () => Promise<unknown>;
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
    const facts = await tls.connect({
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
    close: async () => opened?.then((running) => running.close()),
  };
}
