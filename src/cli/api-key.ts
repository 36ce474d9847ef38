import { accessParts, keyAccess } from "../contract/index.ts";
import type { Contract } from "../contract/index.ts";
import { openApiKeyFile } from "../gateway/node.ts";
import type { ApiKeyFile } from "../gateway/node.ts";
import { CurtainwallError } from "../shared/index.ts";
import { apiKeysFileOf, loadContract, recordedAction } from "../stack/index.ts";
import { folderArgument } from "../stack/node.ts";
import { actionError, usageError } from "./command.ts";
import type { Command, CommandInput } from "./command.ts";
import { exitCodes, print, printJson, say, styled } from "./voice.ts";

export const apiKeyCommand: Command = {
  name: "api-key",
  usage: "create [folder] --scope <scopes> | list [folder] | revoke <id> [folder]",
  summary: "API keys of programs that call: make one, list them, revoke one",
  options: {
    scope: { type: "string", says: 'what it opens: "orders:read orders:write"' },
    subject: { type: "string", says: "who calls with it; by default key: and its id" },
    tenant: { type: "string", says: "the tenant that it belongs to" },
    days: { type: "string", says: "for how many days it counts, 1 to 3650; by default 90" },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "create   print a new key, this once: only its digest is kept, in the file that the contract's apiKeys names",
    "list     say which keys there are, and none of them",
    "revoke   take a key out; a running stack refuses it within two seconds",
  ],
  async run(input) {
    const [action, ...rest] = input.positionals;
    if (action === "create") return create(input, rest);
    if (action === "list") return list(input, rest);
    if (action === "revoke") return revoke(input, rest);
    throw actionError(action, ["create", "list", "revoke"], apiKeyCommand);
  },
};

interface OpenedKeys {
  readonly root: string;
  readonly contract: Contract;
  readonly file: ApiKeyFile;
}

async function openFile(folder = "."): Promise<OpenedKeys> {
  const { contract, root } = await loadContract(folder);
  const file = apiKeysFileOf(contract, root);
  if (file === undefined)
    throw new CurtainwallError("CLI_USAGE_INVALID", "The contract declares no API keys.", {
      hint: 'Add  apiKeys: { file: "api-keys.json" },',
    });
  return { contract, root, file: openApiKeyFile(file) };
}

/** The scopes for which a key opens or shows something. */
function scopesAskedFor({ routes }: Contract): Set<string> {
  const conditions = routes.flatMap(({ access, visible }) => [keyAccess(access), visible?.unless]);
  return new Set(
    conditions
      .flatMap((access) => (access === undefined ? [] : accessParts(access)))
      .flatMap((part) => (part.kind === "scope" ? [part.scope] : [])),
  );
}

async function create({ values, flags }: CommandInput, [folder]: readonly string[]): Promise<number> {
  const scopes = (values.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  if (scopes.length === 0) throw usageError("Say what the key opens: --scope", apiKeyCommand);
  const days = Number(values.get("days") ?? 90);
  if (!Number.isInteger(days) || days < 1 || days > 3650)
    throw usageError("--days takes 1 to 3650", apiKeyCommand);
  const expires = new Date(Date.now() + days * 86_400_000).toISOString();
  const { contract, root, file } = await openFile(folder);
  const tenant = values.get("tenant");
  const subject = values.get("subject");
  const target = [scopes.join(" "), subject, tenant].filter((part) => part !== undefined).join(", ");
  const { key, record } = await recordedAction({ contract, root }, { action: "api-key create", target }, () =>
    file.create({ scopes, expires, subject, ...(tenant === undefined ? {} : { tenant }) }),
  );
  if (flags.has("json")) printJson({ key, id: record.id, subject: record.subject, scopes, expires });
  else print(key);
  say(
    `${styled("green", "made")} ${record.id}, until ${expires.slice(0, 10)}: shown this once, and kept nowhere.`,
  );
  const asked = scopesAskedFor(contract);
  const useless = scopes.filter((scope) => !asked.has(scope));
  if (useless.length > 0)
    say(
      `${styled("yellow", "look at")} ${useless.join(" ")}: no route asks for it; what routes ask for: ${[...asked].join(" ") || "nothing"}`,
    );
  return exitCodes.done;
}

async function list({ flags }: CommandInput, [folder]: readonly string[]): Promise<number> {
  const { file, root } = await openFile(folder);
  const keys = file.list().map(({ id, subject, scopes, tenant, created, expires }) => ({
    id,
    subject,
    scopes,
    tenant,
    created,
    expires,
  }));
  if (flags.has("json")) printJson(keys);
  else {
    if (keys.length > 0) say(styled("dim", "id\tsubject\tscopes\ttenant\tuntil"));
    for (const { id, subject, scopes, tenant, expires } of keys)
      print([id, subject, scopes.join(" "), tenant ?? "-", expires?.slice(0, 10) ?? "-"].join("\t"));
  }
  if (keys.length === 0)
    say(`There is no API key yet:  npx curtainwall api-key create${folderArgument(root)} --scope …`);
  return exitCodes.done;
}

async function revoke(_: CommandInput, [id, folder]: readonly string[]): Promise<number> {
  if (id === undefined) throw usageError("Name the key: its id, as list prints it", apiKeyCommand);
  const { contract, root, file } = await openFile(folder);
  const wasThere = await recordedAction({ contract, root }, { action: "api-key revoke", target: id }, () =>
    file.revoke(id),
  );
  say(wasThere ? `${styled("green", "revoked")} ${id}` : `There is no key ${id}.`);
  return wasThere ? exitCodes.done : exitCodes.failed;
}
