import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runAudit } from "../audit/index.ts";
import type { AuditPlan } from "../audit/index.ts";
import { findRecord } from "../ledger/node.ts";
import { CurtainwallError } from "../shared/index.ts";
import { loadContract, readCurrentRelease, stackFolders } from "../stack/index.ts";
import type { StackFolders } from "../stack/index.ts";
import { renderReport } from "./audit-report.ts";
import { usageError } from "./command.ts";
import type { Command } from "./command.ts";
import { exitCodes, print, printJson, say, showProgress, styled } from "./voice.ts";

export const auditCommand: Command = {
  name: "audit",
  usage: "[folder] [https://address] [--only API-1,API-5] [--json]",
  summary: "Check a running stack against the 24 items, with evidence for each verdict",
  options: {
    json: { type: "boolean", says: "print the report as JSON" },
    only: { type: "string", says: "rows to check, separated by commas" },
    browser: { type: "string", says: "path of Chromium; by default it is looked for in the usual places" },
  },
  notes: [
    "The address is the contract's origin unless you name one. Requests that write are sent only to this machine.",
    "curtainwall.audit.ts beside the contract says who to be and what to ask for.",
    "Exit code 1 when a row failed. A row that could not be checked in full is unknown, which is never a pass.",
  ],
  async run({ positionals, flags, values }) {
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
    const { contract, root } = await loadContract(folder);
    const folders = stackFolders(root);
    const browser = values.get("browser") ?? findBrowser();
    const line = showProgress();
    const report = await runAudit({
      contract,
      root,
      target: target ?? new URL(contract.origin),
      plan: await loadPlan(root),
      release: await readCurrentRelease(folders),
      ca: readIfThere(join(folders.authority, "ca.crt")),
      browser: browser === undefined ? undefined : { executablePath: browser },
      only: values.get("only")?.split(","),
      onProgress: ({ row, what, done, of }) => line.update(`${done}/${of}  ${row}  ${what}`),
      ...(canRead(folders.logFile) ? { lookUpLedger: (id: string) => findRecord(folders.logFile, id) } : {}),
    }).finally(() => line.done());
    if (flags.has("json")) printJson(report);
    else
      print(
        renderReport(report, {
          colour: process.stdout.isTTY && process.env.NO_COLOR === undefined,
          width: process.stdout.columns ?? 100,
        }),
      );
    if (report.summary.failed > 0)
      say(styled("red", `${report.summary.failed} of ${report.rows.length} rows failed.`));
    const live = report.rows.flatMap(({ checks }) => checks).filter(({ kind }) => kind === "live");
    const isDeaf =
      live.length > 0 && live.every(({ verdict }) => verdict === "missing") && report.summary.proved === 0;
    if (isDeaf) say(styled("red", `Nothing live could be checked at ${report.target}: does it run?`));
    return isDeaf || report.summary.failed > 0 ? exitCodes.failed : exitCodes.done;
  },
};

async function loadPlan(root: string): Promise<AuditPlan | undefined> {
  const file = ["curtainwall.audit.ts", "curtainwall.audit.js"]
    .map((name) => join(root, name))
    .find((path) => existsSync(path));
  if (file === undefined) return undefined;
  try {
    return ((await import(pathToFileURL(file).href)) as { default?: AuditPlan }).default;
  } catch (cause) {
    if (cause instanceof CurtainwallError) throw cause;
    throw new CurtainwallError(
      "STACK_CONFIG_FAILED",
      `${file} can't be loaded: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** The release that was built here, if one was and it is whole. */
/** The log belongs to the ledger's user; who may not read it audits without. */
function canRead(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

const readIfThere = (file: string): string | undefined =>
  existsSync(file) ? readFileSync(file, "utf8") : undefined;

const browserPlaces = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

function findBrowser(): string | undefined {
  return browserPlaces.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
