import type { Contract, ContractFunction } from "../../contract/index.ts";

/** Functions that share a process. */
export interface FunctionGroup {
  readonly name: string;
  /** Its place among the site's groups, which decides its user. */
  readonly index: number;
  readonly runner: ContractFunction["runner"];
  /** The most that one of its functions may use. */
  readonly memoryMb: number;
  readonly functions: readonly ContractFunction[];
  /** Whether one of its functions may cause requests that carry a secret. */
  readonly hasSecrets: boolean;
}

/** The groups of a contract, in the order in which it first names them. */
export function functionGroups({
  functions,
  secrets,
}: Pick<Contract, "functions" | "secrets">): FunctionGroup[] {
  const byName = Map.groupBy(functions.values(), ({ group }) => group);
  const users = new Set([...secrets.values()].flatMap(({ by }) => by));
  return [...byName].map(([name, members], index) => ({
    name,
    index,
    runner: members.some(({ runner }) => runner === "node") ? "node" : "workerd",
    memoryMb: Math.max(...members.map(({ memoryMb }) => memoryMb)),
    functions: members,
    hasSecrets: members.some((member) => users.has(`fn:${member.name}`)),
  }));
}
