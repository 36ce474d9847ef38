import type { ContractSecret } from "../../contract/index.ts";
import { printable } from "../../shared/index.ts";
import { folderArgument } from "../../stack/node.ts";
import type { SecretInfo, VersionInfo } from "../../vault/index.ts";
import { usageError } from "../command.ts";
import type { CommandInput } from "../command.ts";
import { describeSecret } from "./describe-secret.ts";
import { declaredSecret, openSite, secretUsage, visitVault } from "./secret-input.ts";
import type { SecretsOfSite } from "./secret-input.ts";
import { usesOfSecret } from "./secret-uses.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";

const dayMs = 86_400_000;

/** `secret list`: what the contract declares, and what the vault has of it. */
export async function listSecrets(input: CommandInput, folder: readonly string[]): Promise<number> {
  const site = await openSite(input, folder);
  const { secrets } = site.loaded.contract;
  const stored = await storedSecrets(site, input);
  const rows = [...secrets.values()].map((secret) => rowOf(secret, stored.get(secret.name)));
  const forgotten = [...stored.values()].filter(
    ({ name, current }) => !secrets.has(name) && current !== undefined,
  );
  if (input.flags.has("json")) {
    printJson({
      environment: site.environment,
      secrets: rows,
      undeclared: forgotten.map(({ name, current }) => ({ name, version: current?.version })),
    });
    return exitCodes.done;
  }
  say(styled("dim", `${site.environment}; name, version, age in days, what it may be used for`));
  const where = folderArgument(site.loaded.root);
  for (const row of rows) {
    print([row.name, row.version === null ? "-" : `v${row.version}`, row.ageDays ?? "-", row.use].join("\t"));
    if (row.version === null)
      say(`  ${styled("yellow", "no value yet")}:  npx curtainwall secret set ${row.name}${where}`);
    else if (row.isDue)
      say(`  ${styled("yellow", "due")}: the contract wants a new one every ${row.rotateEveryDays} days`);
  }
  if (rows.length === 0) say("The contract declares no secrets.");
  for (const { name } of forgotten)
    say(
      `${styled("yellow", "look at")} ${name}: the contract does not declare it any more; nothing can use it:  npx curtainwall secret revoke ${name}${where} --all`,
    );
  return exitCodes.done;
}

async function storedSecrets(
  site: SecretsOfSite,
  input: CommandInput,
): Promise<ReadonlyMap<string, SecretInfo>> {
  if (!site.hasStore) return new Map();
  const secrets = await visitVault(site, input, (vault) => vault.list());
  return new Map(secrets.map((secret) => [secret.name, secret]));
}

function rowOf(secret: ContractSecret, stored: SecretInfo | undefined) {
  const { name, purpose, by, rotateEveryDays } = secret;
  const current = stored?.current;
  const ageDays = current === undefined ? null : ageInDays(current.createdMs);
  return {
    name,
    purpose,
    use: describeSecret(secret),
    by,
    version: current?.version ?? null,
    created: current === undefined ? null : new Date(current.createdMs).toISOString(),
    ageDays,
    rotateEveryDays: rotateEveryDays ?? null,
    isDue: ageDays !== null && rotateEveryDays !== undefined && ageDays >= rotateEveryDays,
  };
}

/** A value that was set under a clock that was ahead is new. */
const ageInDays = (createdMs: number): number => Math.max(0, Math.floor((Date.now() - createdMs) / dayMs));

/** `secret history NAME`: also of one that the contract does not declare any more. */
export async function showHistory(
  input: CommandInput,
  [name, ...folder]: readonly string[],
): Promise<number> {
  const site = await openSite(input, folder);
  if (name === undefined) throw usageError("Name the secret", secretUsage);
  if (!site.hasStore) declaredSecret(site.loaded, name);
  const versions = site.hasStore ? await visitVault(site, input, (vault) => vault.history(name)) : [];
  if (versions.length === 0) declaredSecret(site.loaded, name);
  if (input.flags.has("json")) {
    printJson({ name, environment: site.environment, versions: versions.map(versionRow) });
    return exitCodes.done;
  }
  if (versions.length > 0)
    say(
      styled(
        "dim",
        `${site.environment}; version, state, set when, by whom, and if it is, revoked when, by whom`,
      ),
    );
  for (const version of versions) print(Object.values(versionRow(version)).join("\t"));
  if (versions.length === 0)
    say(`${name} has no value yet:  npx curtainwall secret set ${name}${folderArgument(site.loaded.root)}`);
  return exitCodes.done;
}

const versionRow = ({ version, state, createdMs, by, changedMs, changedBy }: VersionInfo) => ({
  version,
  state,
  created: new Date(createdMs).toISOString(),
  by: printable(by, 80),
  ...(state === "revoked"
    ? { revoked: new Date(changedMs).toISOString(), revokedBy: printable(changedBy, 80) }
    : {}),
});

/** `secret who NAME`: what the contract permits beside what the ledger saw. */
export async function showUsers(input: CommandInput, [name, ...folder]: readonly string[]): Promise<number> {
  const site = await openSite(input, folder);
  const secret = declaredSecret(site.loaded, name);
  const { grants, undeclared } = await usesOfSecret(site.loaded.contract, secret, site.folders.logFile);
  if (input.flags.has("json")) {
    printJson({
      name: secret.name,
      purpose: secret.purpose,
      use: describeSecret(secret),
      grants,
      undeclared,
    });
    return exitCodes.done;
  }
  say(styled("dim", `${describeSecret(secret)}; who may cause it, how often it was, last`));
  for (const { user, count, last } of grants)
    print([user, count, last ?? styled("yellow", "never: does it need it?")].join("\t"));
  for (const { user, count, last } of undeclared)
    print([`${user} (not in the contract any more)`, count, last].join("\t"));
  if (grants.length === 0) say("Nothing in the contract uses it: it can be taken out.");
  return exitCodes.done;
}
