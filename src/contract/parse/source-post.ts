import type { ContractSource } from "../contract/site.ts";
import { looksSecretName } from "../environment.ts";
import type { JsonValue } from "../source.ts";
import type { Problems } from "./problems.ts";
import { isMembers, quote, section, text } from "./values.ts";
import type { Members } from "./values.ts";

/** Reads what a source is sent by `POST`. */
export function parsePost(
  problems: Problems,
  where: string,
  { post, graphql }: Members,
): Pick<ContractSource, "post" | "isGraphql"> {
  if (post !== undefined && graphql !== undefined)
    problems.add("CONTRACT_OPTION_INVALID", `${where} can have post or graphql, not both.`);
  const query = section(problems, `${where}.graphql`, graphql, ["query", "variables"]);
  if (query !== undefined) {
    const { variables = {} } = query;
    return {
      isGraphql: true,
      post: {
        query: text(problems, `${where}.graphql.query`, query.query),
        variables: fields(problems, `${where}.graphql.variables`, variables),
      },
    };
  }
  return { isGraphql: false, post: post === undefined ? undefined : fields(problems, `${where}.post`, post) };
}

function fields(problems: Problems, where: string, value: unknown): { readonly [name: string]: JsonValue } {
  if (isMembers(value) && isJson(value)) {
    const secret = secretName(value);
    if (secret !== undefined)
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where} has the field ${quote(secret)}, which looks like a secret.`,
        'Declare it in privateEnv, and send it as a header:  token: "CMS_TOKEN"',
      );
    return value;
  }
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where} must be an object that JSON can write, not ${quote(value)}.`,
  );
  return {};
}

function isJson(value: unknown): value is { readonly [name: string]: JsonValue } {
  try {
    const same: unknown = JSON.parse(JSON.stringify(value));
    return JSON.stringify(same) === JSON.stringify(value) && countOf(value) === countOf(same);
  } catch {
    return false;
  }
}

function secretName(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const found = typeof member === "string" && looksSecretName(name) ? name : secretName(member);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What JSON would leave out, functions and `undefined`, must not be left out in silence. */
function countOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, member) => sum + countOf(member), 1);
}
