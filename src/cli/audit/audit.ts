import { auditReportSchema, isNotYet } from "../../audit/index.ts";
import type { AuditPlan, AuditReport } from "../../audit/index.ts";
import { CurtainwallError, nearest } from "../../shared/index.ts";
import { loadContract } from "../../stack/index.ts";
import { auditFolder, readArguments } from "./audit-folder.ts";
import { reportFiles, writeReports } from "./audit-files.ts";
import { loadPlan } from "./audit-inputs.ts";
import { renderReport } from "./audit-report.ts";
import { planHelp } from "./plan-help.ts";
import { usageError } from "../command.ts";
import type { Command } from "../command.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";

export const auditCommand: Command = {
  name: "audit",
  isOverWhenRun: true,
  usage:
    "[folder] [https://address] [--only API-1,API-5] [--budget 240s] [--verbose] [--json] [--html file] [--sarif file] [--junit file] [--browser path] | --schema | [folder] --token identity",
  summary: "Check a running stack against the 24 items, with evidence for each verdict",
  options: {
    only: { type: "string", isList: true, says: "rows to check, separated by commas" },
    budget: {
      type: "string",
      says: "how long it may take: 30s, 20m, or a number of seconds (default 240s); what is left then is not checked, and told",
    },
    verbose: { type: "boolean", says: "show every check with its evidence and its command" },
    json: { type: "boolean", says: "print the report as JSON" },
    html: { type: "string", says: "write the report to this file, as one page that loads and runs nothing" },
    sarif: { type: "string", says: "write its findings to this file as SARIF 2.1.0, for code scanning" },
    junit: { type: "string", says: "write its checks to this file as JUnit's XML, for CI" },
    schema: { type: "boolean", says: "print the JSON Schema of what --json prints, and do nothing else" },
    browser: { type: "string", says: "path of Chromium; by default it is looked for in the usual places" },
    token: { type: "string", says: "print a token of one of the plan's identities, and do nothing else" },
  },
  notes: [
    "The address is the contract's origin unless you name one. Requests that write are sent only to this machine.",
    "Exit code 1 when a row failed, or nothing answered; 130, 143 or 129 when SIGINT, SIGTERM or SIGHUP stopped it. A row that",
    "could not be checked in full, or that has nothing to check, is unknown, which is never a pass.",
    "What it uses up of limits comes back at their pace: leave a minute between it and an attack.",
    "",
    ...planHelp,
  ],
  async run(input) {
    const { flags, values } = input;
    if (flags.has("schema")) {
      printJson(auditReportSchema());
      return exitCodes.done;
    }
    const { folder, target } = readArguments(input.positionals, auditCommand);
    const identity = values.get("token");
    const loaded = await loadContract(folder);
    if (identity !== undefined) return printToken(await loadPlan(loaded.root), identity);
    const files = reportFiles(values, auditCommand);
    const { result: report, stopped } = await auditFolder({ loaded, folder, target, values }, auditCommand);
    await writeReports(report, files);
    if (flags.has("json")) printJson(report);
    else
      print(
        renderReport(report, {
          colour: process.stdout.isTTY && process.env.NO_COLOR === undefined,
          width: process.stdout.columns ?? 100,
          verbose: flags.has("verbose"),
        }),
      );
    for (const { file } of files) say(`${styled("green", "written")} ${file}`);
    if (stopped !== undefined) say(styled("yellow", "Stopped: what was not looked at by then is missing."));
    return stopped ?? conclude(report);
  },
};

/** Prints the token or API key that the report's commands ask for. */
async function printToken(plan: AuditPlan | undefined, name: string): Promise<number> {
  const identities = plan?.identities ?? {};
  if (!Object.hasOwn(identities, name))
    throw usageError(
      `The plan has no identity "${name}"; it has ${Object.keys(identities).join(", ") || "none"}`,
      auditCommand,
      nearest(name, Object.keys(identities)),
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
    const reason = live.find((check) => !isNotYet(check))?.reason;
    say(styled("red", `Nothing live could be checked: ${reason ?? "no check of these rows exists yet"}.`));
  }
  return isDeaf || summary.failed > 0 ? exitCodes.failed : exitCodes.done;
}
