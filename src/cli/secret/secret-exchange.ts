import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CurtainwallError, Secret, counted } from "../../shared/index.ts";
import { recordedAction, withVault } from "../../stack/index.ts";
import type { ImportView, VaultVisit } from "../../stack/index.ts";
import { usageError } from "../command.ts";
import type { CommandInput } from "../command.ts";
import { openSite, secretUsage, visitVault } from "./secret-input.ts";
import type { SecretsOfSite } from "./secret-input.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";

/** `secret export`: an age file for named people. */
export async function exportSecrets(input: CommandInput, folder: readonly string[]): Promise<number> {
  const site = await openSite(input, folder);
  const recipients = recipientsOf(input);
  const [bytes, count] = await visitVault(
    site,
    input,
    async (vault) =>
      [await vault.export(recipients), (await vault.list()).filter(({ current }) => current).length] as const,
    { exchange: true },
  );
  const armored = Buffer.from(bytes).toString();
  if (input.flags.has("json")) printJson({ environment: site.environment, recipients, age: armored });
  else print(armored);
  say(
    `${styled("green", "exported")} ${counted(count, "value")} (${site.environment}) for ${counted(recipients.length, "recipient")}: whoever has one of their identities reads them all.`,
  );
  return exitCodes.done;
}

function recipientsOf({ values }: CommandInput): string[] {
  const given = (values.get("recipient") ?? "").split(/\s+/);
  const file = values.get("recipients");
  const listed = file === undefined ? [] : linesOf(readText(file, "of --recipients"));
  const recipients = [...new Set([...given, ...listed])].filter((recipient) => recipient !== "");
  if (recipients.length === 0)
    throw usageError("Say who may open it, by --recipient age1… or --recipients file", secretUsage);
  return recipients;
}

/** `secret import FILE`. */
export async function importSecrets(
  input: CommandInput,
  [file, ...folder]: readonly string[],
): Promise<number> {
  if (file === undefined) throw usageError("Name the file, or - for stdin", secretUsage);
  const site = await openSite(input, folder);
  const identity = identityOf(input);
  const bytes = readFileOrStdin(file, "to import");
  const apply = input.flags.has("apply");
  const visit = async (vault: VaultVisit): Promise<ImportView> => {
    const planned = await vault.import(bytes, identity, input.values.get("allow-other"));
    const names = planned.changes.map(({ name }) => name).join(" ");
    const target = `${names} (${site.environment})`;
    if (apply)
      await recordedAction(site.loaded, { action: "secret import", target }, () => vault.applyImport());
    return planned;
  };
  const makesStore = !site.hasStore && !apply;
  const view = makesStore
    ? await withEmptyVault(site, visit)
    : await visitVault(site, input, visit, { exchange: true, create: apply, stdinIsTaken: file === "-" });
  const undeclared = view.changes.filter(({ name }) => !site.loaded.contract.secrets.has(name));
  if (input.flags.has("json"))
    printJson({
      ...view,
      environment: site.environment,
      applied: apply,
      makesStore: !site.hasStore,
      undeclared: undeclared.map(({ name }) => name),
    });
  else describeImport(view);
  for (const { name } of undeclared)
    say(`${styled("yellow", "look at")} ${name}: the contract does not declare it, so nothing can use it`);
  if (makesStore) say(`There is no store of ${site.environment} secrets yet:  --apply  makes it`);
  if (apply) say(`${styled("green", "imported")} what is new or changed (${site.environment})`);
  else say("Nothing was changed yet. To do it, say it again with  --apply");
  return exitCodes.done;
}

/** A vault like the site's first one, which nothing is put into: what an import would change where there is no store is said by the one code that knows. */
async function withEmptyVault<Result>(
  { loaded, environment }: SecretsOfSite,
  visit: (vault: VaultVisit) => Promise<Result>,
): Promise<Result> {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-import-"));
  try {
    const file = join(root, "vault.key");
    writeFileSync(file, randomBytes(32), { mode: 0o600 });
    const vault = { ...loaded.contract.vault, key: { kind: "file" as const, file }, witnessFile: undefined };
    const { origin } = loaded.contract;
    const options = { environment, create: true, exchange: true };
    return await withVault({ contract: { origin, vault }, root }, options, visit);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function describeImport({ changes, exportedMs, project, environment }: ImportView): void {
  say(styled("dim", `exported ${new Date(exportedMs).toISOString()} from ${project}, ${environment}`));
  for (const { name, change } of changes) print(`${change}\t${name}`);
}

const identityGrammar = /^AGE-SECRET-KEY-1[A-Z0-9]{20,200}$/;

function identityOf({ values }: CommandInput): Secret {
  const file = values.get("identity");
  if (file === undefined) throw usageError("Name the file with your identity, by --identity", secretUsage);
  const found = linesOf(readText(file, "of --identity")).find((line) => identityGrammar.test(line));
  if (found === undefined)
    throw new CurtainwallError("CLI_USAGE_INVALID", "That file holds no age identity.", {
      hint: "age-keygen -o identity.txt   makes one; give its public half to whoever exports",
    });
  return new Secret(found);
}

const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

const readText = (file: string, which: string): string => readFileOrStdin(file, which).toString("utf8");

/** What was given in place of a file's name is not repeated: it may be the identity itself. */
function readFileOrStdin(file: string, which: string): Buffer {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (cause) {
    throw new CurtainwallError(
      "CLI_USAGE_INVALID",
      `${file === "-" ? "stdin" : `The file ${which}`} can't be read: ${(cause as NodeJS.ErrnoException).code}.`,
      { hint: "Check the name, and that you may read it" },
    );
  }
}
