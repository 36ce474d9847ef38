import { parseRouteKey } from "../../contract/index.ts";
import { remark } from "./code.ts";

/** A path of the description as the contract writes it, or why it can't. */
export type ImportedPath =
  | {
      readonly path: string;
      /** The contract's name of each parameter, by the description's. */ readonly names: ReadonlyMap<
        string,
        string
      >;
    }
  | { readonly leftOut: string };

/**
 * Writes `/pets/{pet-id}` as `/pets/:pet_id`.
 *
 * @param base the path of the server's address, which clients see too
 */
export function convertPath(template: string, base: string): ImportedPath {
  const whole = `${base.replace(/\/+$/, "")}${template}`;
  if (!template.startsWith("/")) return { leftOut: "its path does not begin with /" };
  if (/[?#]/.test(whole)) return { leftOut: "its path has a query or a fragment in it" };
  if (whole.length > 1 && whole.endsWith("/")) return { leftOut: "its path ends with /" };
  const names = new Map<string, string>();
  const segments: string[] = [];
  for (const segment of whole.slice(1).split("/")) {
    const param = /^\{([^{}]+)\}$/.exec(segment)?.[1];
    if (param !== undefined) segments.push(`:${nameFor(param, names)}`);
    else if (/[{}]/.test(segment)) return { leftOut: `${remark(segment)} is more than a parameter` };
    else if (segment.startsWith(":")) return { leftOut: `${remark(segment)} would be a parameter` };
    else segments.push(segment);
  }
  const path = `/${segments.join("/")}`;
  const parts = parseRouteKey(`GET ${path}`);
  return typeof parts === "string" ? { leftOut: remark(parts) } : { path, names };
}

function nameFor(param: string, names: Map<string, string>): string {
  const plain =
    param
      .replaceAll(/\W+/g, "_")
      .replace(/^(?=\d)/, "_")
      .slice(0, 60) || "_";
  // No member of an object may be called so: it would be its prototype.
  const taken = new Set([...names.values(), "__proto__"]);
  let name = plain;
  for (let count = 2; taken.has(name); count++) name = `${plain}${count}`;
  names.set(param, name);
  return name;
}
