import { accessParts } from "../access.ts";
import type { ContractRoute, ContractVisibility } from "../contract/route.ts";
import { parseCallerCondition } from "./access.ts";
import type { AccessSurroundings } from "./access.ts";
import type { Problems } from "./problems.ts";
import { quote, section } from "./values.ts";

const fieldPath = /^[\w-]+(\.[\w-]+)*$/;

/** Reads which objects of a route's answers exist for whom. */
export function parseVisibility(
  problems: Problems,
  where: string,
  value: unknown,
  surroundings: AccessSurroundings,
): ContractVisibility | undefined {
  const options = section(problems, `${where}, visible`, value, ["field", "is", "unless", "in"]);
  if (options === undefined) return undefined;
  const refuse = (message: string): void =>
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}, visible: ${message}.`,
      'Write  visible: { field: "status", is: ["published"], unless: role("editor") },',
    );
  const path = (name: "field" | "in"): readonly string[] => {
    const given = options[name];
    if (typeof given === "string" && fieldPath.test(given)) return given.split(".");
    refuse(`${name} must name a field, not ${quote(given)}`);
    return [];
  };
  const { is } = options;
  const values = Array.isArray(is) ? is : [];
  if (values.length === 0 || !values.every((entry) => ["string", "number", "boolean"].includes(typeof entry)))
    refuse(`is must list texts, numbers or booleans, not ${quote(is)}`);
  return {
    field: path("field"),
    is: new Set(values as (string | number | boolean)[]),
    unless:
      options.unless === undefined
        ? undefined
        : parseCallerCondition(problems, `${where}, visible.unless`, options.unless, surroundings),
    in: options.in === undefined ? undefined : path("in"),
  };
}

/** Refuses what would tell hidden from missing after all. */
export function checkVisibility(problems: Problems, where: string, route: ContractRoute): void {
  const { visible, hide, access, method, response, errors } = route;
  const refuse = (message: string, hint?: string): void =>
    problems.add("CONTRACT_OPTION_INVALID", `${where}: ${message}.`, hint);
  if (visible !== undefined && (method !== "GET" || response === undefined))
    refuse("visible reads the JSON that GET answers with, and there is none");
  if (hide && access.kind === "everyone")
    refuse("hide needs somebody whom access refuses, and it is everyone");
  const hidesObjects =
    visible !== undefined || hide || accessParts(access).some(({ kind }) => kind === "ownerField");
  const told = [404, 410].find((status) => errors.has(status));
  if (hidesObjects && told !== undefined)
    refuse(
      `errors.${told} gives what is missing another answer than what is hidden`,
      `Leave out  errors: { ${told}: … },   the gateway answers 404 by itself`,
    );
}
