import type { Schema } from "../define/schema.ts";
import { publicPrefixes } from "../environment.ts";
import type { ContractEnvironment } from "../environment.ts";
import { memberSchemas } from "../schema.ts";
import type { Problems } from "./problems.ts";
import { isSchema, quote } from "./values.ts";

/** Reads which environment variables there are. */
export function parseEnvironment(
  problems: Problems,
  publicEnv: unknown,
  privateEnv: unknown,
): ContractEnvironment {
  const environment = {
    public: parseVariables(problems, "publicEnv", publicEnv),
    private: parseVariables(problems, "privateEnv", privateEnv),
  };
  for (const name of environment.private.keys()) {
    if (environment.public.has(name))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${name} is in publicEnv and in privateEnv.`,
        "What visitors may know is public; everything else is private. Take it out of one of them",
      );
    const prefix = publicPrefixes.find((one) => name.startsWith(one));
    if (prefix !== undefined)
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `privateEnv.${name}: bundlers publish every variable that begins with ${prefix}.`,
        `Call it ${name.slice(prefix.length) || "something else"}`,
      );
  }
  return environment;
}

function parseVariables(problems: Problems, where: string, value: unknown): Map<string, Schema> {
  if (value === undefined) return new Map();
  const members = isSchema(value) ? memberSchemas(value) : undefined;
  if (members === undefined) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must be z.object({ … }), not ${quote(value)}.`,
      `${where}: z.object({ SHOP_NAME: z.string() }),`,
    );
    return new Map();
  }
  for (const name of members.keys())
    if (!/^[A-Za-z_]\w*$/.test(name))
      problems.add("CONTRACT_OPTION_INVALID", `${where}: ${quote(name)} can't be the name of a variable.`);
  return members;
}
