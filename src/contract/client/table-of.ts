import type { ContractRoute } from "../contract/route.ts";
import type { RouteTable } from "./route-table.ts";
import type { Shape } from "./shape.ts";
import { shapeOf } from "./shape-of.ts";

/** Writes down what some routes of a contract answer, for a page's scripts: nothing of other routes, no limits, no upstreams. */
export function routeTableOf(routes: readonly ContractRoute[]): RouteTable {
  const named: Shape[] = [];
  const entries = routes.map(({ key, response }): [string, Shape | null] => {
    if (response === undefined) return [key, null];
    const shapes = shapeOf(response);
    const shift = named.length;
    named.push(...shapes.named.map((shape) => renumber(shape, shift)));
    return [key, renumber(shapes.shape, shift)];
  });
  return { routes: Object.fromEntries(entries), named };
}

/** Shapes are JSON, and a list that begins with "named" is a reference: nothing else in a shape is written so. */
function renumber(shape: Shape, shift: number): Shape {
  if (typeof shape === "string" || shift === 0) return shape;
  switch (shape[0]) {
    case "named":
      return ["named", shape[1] + shift];
    case "list":
      return ["list", renumber(shape[1], shift), shape[2], shape[3]];
    case "tuple":
      return [
        "tuple",
        shape[1].map((item) => renumber(item, shift)),
        shape[2] === null ? null : renumber(shape[2], shift),
      ];
    case "object":
      return ["object", renumberMembers(shape[1], shift), renumberMembers(shape[2], shift)];
    case "record":
      return ["record", renumber(shape[1], shift), renumber(shape[2], shift)];
    case "both":
      return ["both", renumber(shape[1], shift), renumber(shape[2], shift)];
    case "either":
      return ["either", shape[1].map((option) => renumber(option, shift))];
    default:
      return shape;
  }
}

function renumberMembers(members: Readonly<Record<string, Shape>>, shift: number): Record<string, Shape> {
  return Object.fromEntries(Object.entries(members).map(([name, shape]) => [name, renumber(shape, shift)]));
}
