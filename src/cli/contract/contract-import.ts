import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  isSensitiveName,
  ownStatuses,
  requestHeaderFault,
  responseHeaderFault,
} from "../../contract/index.ts";
import { CurtainwallError, counted } from "../../shared/index.ts";
import { usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import { importOpenApi } from "../import/import-openapi.ts";
import type { Imported } from "../import/import-openapi.ts";
import { readDescription } from "../import/read-document.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";

const defaultFile = "curtainwall.config.ts";
/** Where a site is while it is developed: a certificate is made for it. */
const defaultOrigin = "https://localhost:8443";
const shownRoutes = 12;

/** Writes a contract from a description of an API: `curtainwall contract import openapi.yaml`. */
export async function importContract(
  { values, flags }: CommandInput,
  [source, more]: readonly string[],
  command: Pick<Command, "name" | "usage">,
): Promise<number> {
  if (source === undefined || more !== undefined)
    throw usageError("Name one OpenAPI file, or its address on this machine", command);
  const origin = webOrigin("origin", values.get("origin") ?? defaultOrigin, command);
  const upstream = values.get("upstream");
  const { document, from, base } = await readDescription(source);
  const imported = importOpenApi(document, {
    from,
    base,
    origin: origin.origin,
    upstream: upstream === undefined ? undefined : webOrigin("upstream", upstream, command),
    requestRules: { headerFault: requestHeaderFault },
    answerRules: { headerFault: responseHeaderFault, ownStatuses },
    isSensitive: isSensitiveName,
  });
  if ("fault" in imported)
    throw new CurtainwallError("CLI_DESCRIPTION_INVALID", `${source}: ${imported.fault}`);
  const file = values.get("out") ?? defaultFile;
  write(file, imported.text, flags.has("force"));
  if (flags.has("json")) printJson({ file, ...summaryOf(imported) });
  else report(file, imported);
  return exitCodes.done;
}

function webOrigin(name: string, text: string, command: Pick<Command, "name" | "usage">): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== text.replace(/\/$/, ""))
    throw usageError(`--${name} takes scheme, host and port, like https://api.example.com`, command);
  return url;
}

/** Nothing that is there is overwritten, unless it was said. */
function write(file: string, text: string, isForced: boolean): void {
  const hint = `Write another:  --out ${join("imported", defaultFile)}   or over it:  --force`;
  try {
    writeFileSync(file, text, { flag: isForced ? "w" : "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === "EEXIST" || existsSync(file)
      ? new CurtainwallError("CLI_FILE_EXISTS", `${file} is there already.`, { hint })
      : new CurtainwallError("CLI_USAGE_INVALID", `${file} can't be written (${code ?? "unknown"}).`);
  }
}

const summaryOf = ({ routes, undecided, missing, leftOut, todos }: Imported): object => ({
  routes,
  undecided,
  missing,
  leftOut,
  todos,
});

function report(file: string, { routes, undecided, missing, leftOut, todos }: Imported): void {
  const parts = [
    counted(routes, "route"),
    ...(undecided.length > 0 ? [`${undecided.length} to decide`] : []),
    ...(leftOut.length > 0 ? [`${leftOut.length} left out`] : []),
    ...(todos > 0 ? [counted(todos, "more TODO")] : []),
  ];
  print(`${file}: ${parts.join(", ")}`);
  some(undecided, (key) => say(`  ${styled("yellow", "decide")}    ${key}: who may call it`));
  some(leftOut, ({ operation, why }) => say(`  ${styled("dim", "left out")}  ${operation}: ${why}`));
  for (const part of missing) say(`  ${styled("yellow", "fill in")}   ${part}`);
  say(
    `${styled("dim", "→")} ${undecided.length + missing.length > 0 ? "decide and fill in, then" : "read it, then"}  npx curtainwall plan`,
  );
}

function some<Entry>(entries: readonly Entry[], tell: (entry: Entry) => void): void {
  for (const entry of entries.slice(0, shownRoutes)) tell(entry);
  if (entries.length > shownRoutes)
    say(`            and ${entries.length - shownRoutes} more: --json names all`);
}
