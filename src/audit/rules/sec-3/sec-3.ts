import type { Check, Rule } from "../../check.ts";
import type { SearchedProcess, SecretsProbe } from "../../probes/secrets-probe.ts";
import { noncesDiffer } from "./nonces.ts";
import { noProbe, withoutSecrets } from "../own-machine.ts";
import { wakeFunctions } from "../wake-functions.ts";

const provider: Check = {
  name: "provider",
  kind: "source",
  notApplicable: withoutSecrets,
  run: async ({ secrets }, tally) => {
    if (secrets === undefined) return tally.miss(noProbe);
    judgeKey(secrets, tally);
    const plain = secrets.plainSecrets();
    for (const { name, where } of plain)
      tally.fail({
        kind: "measurement",
        about: `the value of ${name} lies outside of the vault`,
        value: where,
      });
    if (plain.length === 0)
      tally.pass({
        kind: "measurement",
        about: "values of declared secrets in the environment and in .env files",
        value: 0,
      });
  },
};

/** In development a key that lies beside the store will do: what it opens is for tests. */
function judgeKey({ environment, keySource }: SecretsProbe, tally: Parameters<Check["run"]>[1]): void {
  const about = `the vault of ${environment} opens with`;
  if (keySource !== undefined) tally.pass({ kind: "measurement", about, value: keySource });
  else if (environment === "production")
    tally.fail({ kind: "contract", about: `${about} nothing that is declared`, at: "vault.key" });
  else tally.pass({ kind: "measurement", about, value: "a key of its own, beside the store" });
}

/** Processes that may hold values: the vault, and egress while they are in use. */
const holders = new Set(["vault", "egress"]);

const absent: Check = {
  name: "canary absent from every process's environment and memory",
  kind: "live",
  isActive: true,
  notApplicable: withoutSecrets,
  run: async (context, tally) => {
    const { secrets, contract } = context;
    if (secrets === undefined) return tally.miss(noProbe);
    await wakeFunctions(context);
    const search = await secrets.searchProcesses();
    if ("missing" in search) return tally.miss(search.missing);
    if (!search.foundPlanted) return tally.miss("a value that was planted was not found either");
    for (const { name, reason } of search.unsearched) tally.miss(`${name} was not looked for: ${reason}`);
    for (const reason of search.unread) tally.miss(reason);
    if (contract.functions.size > 0 && !search.processes.some(({ isGroup }) => isGroup))
      tally.miss("no function was running: call one, then audit");
    if (search.searched.length === 0) return;
    // Those that run the site's functions first: they are what a value is kept from.
    const sorted = search.processes.toSorted((left, right) => Number(right.isGroup) - Number(left.isGroup));
    for (const process of sorted) judgeProcess(process, search.searched, tally);
  },
};

function judgeProcess(
  { pid, domain, inEnvironment, inMemory, environmentBytes, memoryBytes }: SearchedProcess,
  searched: readonly string[],
  tally: Parameters<Check["run"]>[1],
): void {
  const where = `${domain} (process ${pid})`;
  const mayHold = holders.has(domain);
  for (const name of inEnvironment)
    tally.fail({ kind: "measurement", about: `the environment of ${where} holds`, value: name });
  for (const name of mayHold ? [] : inMemory)
    tally.fail({ kind: "measurement", about: `the memory of ${where} holds`, value: name });
  if (inEnvironment.length > 0 || (!mayHold && inMemory.length > 0)) return;
  const memory = mayHold ? "" : ` and the memory (${Math.round(memoryBytes / 1e6)} MB)`;
  tally.pass({
    kind: "measurement",
    about: `values of ${searched.join(", ")} in the environment (${environmentBytes} bytes)${memory} of ${where}`,
    value: 0,
  });
}

const logged: Check = {
  name: "access shows in the vault's log",
  kind: "live",
  isActive: true,
  notApplicable: withoutSecrets,
  run: async (context, tally) => {
    const { secrets } = context;
    if (secrets === undefined) return tally.miss(noProbe);
    await wakeFunctions(context);
    const reads = await secrets.vaultReads();
    if ("missing" in reads) return tally.miss(reads.missing);
    const { read, used } = reads;
    if (used.size === 0)
      return tally.miss(
        "no secret was used since the stack was started: make a request that needs one, then audit",
      );
    for (const name of used.keys())
      tally.expect((read.get(name) ?? 0) > 0, {
        kind: "measurement",
        about: `${name} was used, and the vault says when it gave it out`,
        value: read.get(name) ?? 0,
        unit: "times",
      });
  },
};

/** SEC-3: a secrets manager in production. */
export const sec3: Rule = { id: "SEC-3", checks: [provider, absent, logged, noncesDiffer] };
