import type { Contract } from "../contract.ts";
import type { ContractLimitStore } from "../contract/limits.ts";
import type {
  ContractEgressOrigin,
  ContractFunction,
  ContractSecret,
  ContractUse,
} from "../contract/secret.ts";
import { textOfPath } from "../use-pattern.ts";
import { otherOptions } from "./other-options.ts";
import type { Guards, Permission } from "./permission.ts";
import { nodeOfSchema } from "./schema-node.ts";
import { toJson } from "./to-json.ts";
import {
  egressOriginTreatments,
  functionTreatments,
  ledgerTreatments,
  limitStoreTreatments,
  secretTreatments,
  vaultTreatments,
} from "./treatment.ts";
import { addressOf, authority, entry, optional } from "./upstream-permissions.ts";

/** What other services are asked for, by whom, and with which credentials; what code of the site's own runs, and what watches over what it keeps. */
export function servicePermissions(contract: Contract): Permission[] {
  const { functions, secrets, egressOrigins, vault, limitStore, ledger } = contract;
  return [
    ...[...functions.values()].flatMap(functionPermissions),
    ...sharedProcesses([...functions.values()], [...secrets.values()]),
    ...[...secrets.values()].flatMap(secretPermissions),
    ...[...egressOrigins.values()].flatMap(originPermissions),
    ...(limitStore === undefined ? [] : limitStorePermissions(limitStore)),
    // Without secrets nobody opens it.
    ...(secrets.size === 0 && vault.key === undefined ? [] : vaultPermissions(vault)),
    ...witnessed("ledger", ledger),
    ...otherOptions("ledger", ledger, ledgerTreatments),
  ];
}

function functionPermissions(declared: ContractFunction): Permission[] {
  const { name, runner, reaches, everyMs, maxResponseBytes } = declared;
  const at = `function ${name}`;
  return [
    entry(at, "runs"),
    // All of Node can do more than a worker.
    ...(runner === "node" ? [entry(`${at} runner`, "node")] : []),
    ...reaches.map((use) => usePermission(`${at} reaches`, use)),
    entry(`${at} maxResponseBytes`, { atMost: maxResponseBytes }),
    ...(everyMs === undefined ? [] : [entry(`${at} every, ms`, { atLeast: everyMs })]),
    ...otherOptions(at, declared, functionTreatments),
  ];
}

/** Where one of them uses secrets, the others of its process may as well, once their isolate doesn't hold. */
function sharedProcesses(
  functions: readonly ContractFunction[],
  secrets: readonly ContractSecret[],
): Permission[] {
  const users = new Set(secrets.flatMap(({ by }) => by));
  const groups = Map.groupBy(functions, ({ group }) => group);
  return [...groups].flatMap(([group, members]) =>
    members.length > 1 && members.some(({ name }) => users.has(`fn:${name}`))
      ? members.map(({ name }) => entry(`process ${group}`, name))
      : [],
  );
}

function secretPermissions(secret: ContractSecret): Permission[] {
  const { name, purpose, uses, by, inject, rotateEveryDays } = secret;
  const at = `secret ${name}`;
  return [
    entry(at, purpose),
    ...by.flatMap((user) => uses.map((use) => usePermission(`${at} by ${user}`, use))),
    ...(inject === undefined ? [] : [entry(`${at} inject`, { option: toJson(inject) })]),
    ...guarded(at, rotateEveryDays === undefined ? {} : { rotateEveryDays }),
    ...otherOptions(at, secret, secretTreatments),
  ];
}

/** An entry for each method and origin; what is narrower in it is compared. */
const usePermission = (at: string, { method, origin, path, query, body }: ContractUse): Permission =>
  entry(`${at} ${method} ${shown(origin)}`, {
    use: {
      path: textOfPath(path),
      ...(query === undefined ? {} : { query: nodeOfSchema(query, `${at} query`) }),
      ...(body === undefined ? {} : { body: nodeOfSchema(body, `${at} body`) }),
    },
  });

/** As it is written, but for those of this machine. */
const shown = (origin: string): string => addressOf(origin).replace(/\/$/, "");

function originPermissions(reached: ContractEgressOrigin): Permission[] {
  const { origin, network, caFile, maxRequestBytes, maxResponseBytes, concurrency, rate } = reached;
  const at = `egress ${shown(origin)}`;
  return [
    entry(at, network),
    ...authority(at, caFile),
    entry(`${at} maxRequestBytes`, { atMost: maxRequestBytes }),
    entry(`${at} maxResponseBytes`, { atMost: maxResponseBytes }),
    entry(`${at} concurrency`, { atMost: concurrency }),
    entry(`${at} rate`, { limits: rate === undefined ? [] : [`${rate.text} per route`] }),
    ...otherOptions(at, reached, egressOriginTreatments),
  ];
}

/** Where a password goes is a use of it. */
function limitStorePermissions(store: ContractLimitStore): Permission[] {
  const { url, username, secret, caFile, instances } = store;
  const at = "limits store";
  return [
    entry(at, addressOf(url)),
    ...authority(at, caFile),
    ...optional(`${at} username`, username),
    ...(secret === undefined ? [] : [entry(`secret ${secret} opens`, `${at} ${addressOf(url)}`)]),
    ...guarded("limits", { instances }),
    ...otherOptions(at, store, limitStoreTreatments),
  ];
}

function vaultPermissions(vault: Contract["vault"]): Permission[] {
  return [
    entry("vault key", vault.key?.kind ?? "as its environment has it"),
    ...witnessed("vault", vault),
    ...otherOptions("vault", vault, vaultTreatments),
  ];
}

/** Without a witness, an older copy that somebody lays back is not noticed. */
const witnessed = (
  at: string,
  { witnessFile }: { readonly witnessFile?: string | undefined },
): Permission[] => guarded(at, witnessFile === undefined ? {} : { witness: true });

const guarded = (at: string, guards: Guards): Permission[] =>
  Object.keys(guards).length === 0 ? [] : [entry(`${at} guards`, { guards })];
