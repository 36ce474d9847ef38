import type { ContractApiKeys } from "../contract/callers.ts";
import type { Problems } from "./problems.ts";
import { quote, section, text } from "./values.ts";

/** Reads where the API keys are, and how they come. */
export function parseApiKeys(problems: Problems, value: unknown): ContractApiKeys | undefined {
  const options = section(problems, "apiKeys", value, ["file", "header"]);
  if (options === undefined) return undefined;
  const { header = "authorization" } = options;
  if (header !== "authorization" && header !== "x-api-key")
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `apiKeys.header must be "authorization" or "x-api-key", not ${quote(header)}.`,
    );
  return {
    file: text(problems, "apiKeys.file", options.file),
    header: header === "x-api-key" ? header : "authorization",
  };
}
