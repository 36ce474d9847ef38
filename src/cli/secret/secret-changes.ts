import { resolve } from "node:path";
import { CurtainwallError, counted, revealSecret } from "../../shared/index.ts";
import { recordedAction } from "../../stack/index.ts";
import type { VaultKey } from "../../stack/index.ts";
import { folderArgument } from "../../stack/node.ts";
import { usageError } from "../command.ts";
import type { CommandInput } from "../command.ts";
import { askPassphrase } from "./passphrase.ts";
import { declaredSecret, openSite, secretUsage, visitVault } from "./secret-input.ts";
import { judgeSecret } from "./secret-judgement.ts";
import { readSecretValue } from "./secret-value.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";

/** `secret set NAME`: the one way for a value into the vault. */
export async function setSecret(input: CommandInput, [name, ...folder]: readonly string[]): Promise<number> {
  const site = await openSite(input, folder);
  const secret = declaredSecret(site.loaded, name);
  const stdinIsTaken = !process.stdin.isTTY;
  const value = await readSecretValue(secret.name);
  try {
    const risks = await judgeSecret(site.loaded, secret, value);
    const { environment } = site;
    const { version, createdMs } = await recordedAction(
      site.loaded,
      { action: "secret set", target: `${secret.name} (${environment})` },
      () => visitVault(site, input, (vault) => vault.set(secret.name, value), { create: true, stdinIsTaken }),
    );
    if (input.flags.has("json"))
      printJson({
        name: secret.name,
        environment,
        version,
        created: new Date(createdMs).toISOString(),
        risks,
      });
    say(`${styled("green", "set")} ${secret.name}, version ${version} (${environment})`);
    for (const risk of risks) say(`${styled("yellow", "look at")} the value: it ${risk}`);
    return exitCodes.done;
  } finally {
    value.fill(0);
  }
}

/** `secret revoke NAME`: also of one that the contract does not declare any more. */
export async function revokeSecret(
  input: CommandInput,
  [name, ...folder]: readonly string[],
): Promise<number> {
  const site = await openSite(input, folder);
  const version = versionOf(input);
  if (name === undefined) throw usageError("Name the secret", secretUsage);
  if (!site.hasStore) declaredSecret(site.loaded, name);
  const target = `${name}, version ${version} (${site.environment})`;
  const [ended, current] = await visitVault(site, input, async (vault) => {
    const known = (await vault.list()).find((secret) => secret.name === name);
    if (known === undefined) declaredSecret(site.loaded, name);
    const revoked = await recordedAction(site.loaded, { action: "secret revoke", target }, () =>
      vault.revoke(name, version),
    );
    return [revoked, known?.current?.version];
  });
  const versions = ended.map((info) => info.version);
  if (input.flags.has("json")) printJson({ name, environment: site.environment, revoked: versions });
  if (versions.length === 0) say(`${name} has no version that counts.`);
  else {
    say(
      `${styled("green", "revoked")} ${name}, version ${versions.join(", ")}: nothing uses it from now on, and what was sealed is erased.`,
    );
    if (current !== undefined && versions.includes(current) && site.loaded.contract.secrets.has(name))
      say(
        `${styled("yellow", "look at")} ${name}: that was the current version, so what needs it fails from now on, until there is a new one:  npx curtainwall secret set ${name}${folderArgument(site.loaded.root)}`,
      );
    say("Whoever issued it still takes it: end it there too.");
  }
  return exitCodes.done;
}

function versionOf({ values, flags }: CommandInput): number | "all" {
  const given = values.get("version");
  if (flags.has("all") === (given !== undefined))
    throw usageError("Say which version, by --version, or --all", secretUsage);
  if (given === undefined) return "all";
  if (!/^[1-9]\d{0,8}$/.test(given))
    throw usageError("--version takes a number, as history says it", secretUsage);
  return Number(given);
}

/** `secret rewrap`: another key opens the vault from now on. */
export async function changeKey(input: CommandInput, folder: readonly string[]): Promise<number> {
  const site = await openSite(input, folder);
  const { root } = site.loaded;
  const next = await keyAskedFor(input, root);
  const { wrapped, taken } = await visitVault(
    site,
    input,
    (vault) =>
      recordedAction(site.loaded, { action: "secret rewrap", target: site.environment }, () =>
        vault.rewrap(),
      ),
    { rewrapWith: next.key },
  );
  if (input.flags.has("json"))
    printJson({ environment: site.environment, wrapped, taken, declare: next.declare });
  else print(next.declare);
  say(`${styled("green", "changed")} the key; ${counted(wrapped, "value is", "values are")} wrapped anew.`);
  say(
    `Say so in the contract:  vault: ${next.declare},${taken ? "   The running stack has the new key already." : ""}`,
  );
  say("Then destroy the old key: with it, an old copy of the store can still be opened.");
  return exitCodes.done;
}

interface NextKey {
  readonly key: VaultKey;
  /** As the contract says it. */
  readonly declare: string;
}

async function keyAskedFor({ values, flags }: CommandInput, root: string): Promise<NextKey> {
  const file = values.get("to-file");
  const name = values.get("to-credential");
  const isPassphrase = flags.has("to-passphrase");
  if ([file !== undefined, name !== undefined, isPassphrase].filter(Boolean).length !== 1)
    throw usageError("Say one of --to-file, --to-credential and --to-passphrase", secretUsage);
  if (file !== undefined)
    return {
      key: { kind: "file", file: resolve(file) },
      declare: `{ key: { file: ${JSON.stringify(shown(root, file))} } }`,
    };
  if (name !== undefined) {
    // Refused here: what is said of a credential names it.
    if (!/^[\w.-]{1,100}$/.test(name))
      throw usageError("--to-credential takes a name of letters, digits, '.', '_' and '-'", secretUsage);
    const directory = process.env["CREDENTIALS_DIRECTORY"];
    if (directory === undefined)
      throw new CurtainwallError("CLI_USAGE_INVALID", "systemd hands no credentials to this command.", {
        hint: `systemd-run --pipe --wait -p LoadCredentialEncrypted=${name} …  npx curtainwall secret rewrap --to-credential ${name}`,
      });
    return {
      key: { kind: "credential", name, directory },
      declare: `{ key: { credential: ${JSON.stringify(name)} } }`,
    };
  }
  const option = "new-passphrase-fd";
  const source = { fd: values.get(option), option: `--${option}` };
  const passphrase = revealSecret(await askPassphrase("New passphrase of the vault", source, true));
  return { key: { kind: "passphrase", passphrase }, declare: "{ key: { passphrase: true } }" };
}

/** A path in a contract is relative to it. */
const shown = (root: string, file: string): string => {
  const path = resolve(file);
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
};
