import { existsSync } from "node:fs";
import { runAudit } from "../audit/index.ts";
import type { AuditPlan, AuditReport } from "../audit/index.ts";
import { CurtainwallError, isCurtainwallError } from "../shared/index.ts";
import { loadContract, stackFolders } from "../stack/index.ts";
import {
  assignments,
  findBrowser,
  ledgerOf,
  loadPlan,
  outputOf,
  readAuthority,
  readRelease,
} from "./audit-inputs.ts";
import { renderReport } from "./audit-report.ts";
import { usageError } from "./command.ts";
import type { Command, CommandInput } from "./command.ts";
import { exitCodes, print, printJson, say, showProgress, styled } from "./voice.ts";

export const auditCommand: Command = {
  name: "audit",
  usage:
    "[folder] [https://address] [--only API-1,API-5] [--verbose] [--json] [--browser path] [--token identity]",
  summary: "Check a running stack against the 24 items, with evidence for each verdict",
  options: {
    only: { type: "string", says: "rows to check, separated by commas" },
    verbose: { type: "boolean", says: "show every check with its evidence and its command" },
    json: { type: "boolean", says: "print the report as JSON" },
    browser: { type: "string", says: "path of Chromium; by default it is looked for in the usual places" },
    token: { type: "string", says: "print a token of one of the plan's identities, and do nothing else" },
  },
  notes: [
    "The address is the contract's origin unless you name one. Requests that write are sent only to this machine.",
    "curtainwall.audit.ts beside the contract says who to be and what to ask for.",
    "Exit code 1 when a row failed, or nothing answered. A row that could not be checked in full, or that has nothing to",
    "check, is unknown, which is never a pass.",
  ],
  async run({ positionals, flags, values }) {
    const { folder, target } = readArguments(positionals);
    const { contract, root, environment } = await loadContract(folder);
    const plan = await loadPlan(root);
    const identity = values.get("token");
    if (identity !== undefined) return printToken(plan, identity);
    const folders = stackFolders(root);
    const line = showProgress();
    const report = await runAudit({
      contract,
      root,
      target: target ?? new URL(contract.origin),
      plan,
      release: await readRelease(folders, folder),
      ca: readAuthority(folders),
      browser: findBrowser(values.get("browser")),
      environment: assignments(environment, process.env),
      only: values.get("only")?.split(","),
      onProgress: ({ row, what, done, of }) => line.update(`${done}/${of}  ${row}  ${what}`),
      ...outputOf(contract, folders),
      ...ledgerOf(folders),
    })
      .catch((error: unknown) => {
        throw isCurtainwallError(error, "AUDIT_TARGET_INVALID")
          ? usageError(error.message, auditCommand)
          : error;
      })
      .finally(() => line.done());
    if (flags.has("json")) printJson(report);
    else
      print(
        renderReport(report, {
          colour: process.stdout.isTTY && process.env.NO_COLOR === undefined,
          width: process.stdout.columns ?? 100,
          verbose: flags.has("verbose"),
        }),
      );
    return conclude(report);
  },
};

function readArguments(positionals: CommandInput["positionals"]): {
  folder: string;
  target: URL | undefined;
} {
  const address = positionals.find((argument) => /^https?:\/\//.test(argument));
  const folder = positionals.find((argument) => argument !== address) ?? ".";
  const stray =
    positionals.find((argument) => argument !== address && argument !== folder) ??
    (existsSync(folder) ? undefined : folder);
  if (stray !== undefined)
    throw usageError(
      `"${stray}" is neither a folder nor an address; an address begins with https://`,
      auditCommand,
    );
  const target = URL.parse(address ?? "") ?? undefined;
  if (address !== undefined && target === undefined)
    throw usageError(`"${address}" is no address`, auditCommand);
  return { folder, target };
}

/** Prints the token or API key that the report's commands ask for. */
async function printToken(plan: AuditPlan | undefined, name: string): Promise<number> {
  const identities = plan?.identities ?? {};
  if (!Object.hasOwn(identities, name))
    throw usageError(
      `The plan has no identity "${name}"; it has ${Object.keys(identities).join(", ") || "none"}`,
      auditCommand,
    );
  try {
    const identity = identities[name];
    const source = identity === undefined || "token" in identity ? identity?.token : identity.apiKey;
    print((await source?.()) ?? "");
  } catch (cause) {
    throw new CurtainwallError("AUDIT_TOKEN_REFUSED", `No token for ${name}: ${(cause as Error).message}`, {
      cause,
      hint:
        plan?.start === undefined
          ? "Does its issuer run?"
          : `Does its issuer run? Start it with  ${plan.start}`,
    });
  }
  return exitCodes.done;
}

/** Says what matters most, and whether this was a success: silence is none. */
function conclude({ rows, summary }: AuditReport): number {
  if (summary.failed > 0) say(styled("red", `${summary.failed} of ${rows.length} rows failed.`));
  const live = rows
    .flatMap(({ checks }) => checks)
    .filter(({ kind, state }) => kind === "live" && state !== "not applicable");
  const isDeaf = live.length > 0 && live.every(({ state }) => state === "missing") && summary.proved === 0;
  if (isDeaf) {
    const reason = live.find((check) => check.reason?.startsWith("comes with ") !== true)?.reason;
    say(styled("red", `Nothing live could be checked: ${reason ?? "no check of these rows exists yet"}.`));
  }
  return isDeaf || summary.failed > 0 ? exitCodes.failed : exitCodes.done;
}
