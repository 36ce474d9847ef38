import type { Shape } from "./shape.ts";

/** The routes that a page's scripts may call, with what they answer. */
export interface RouteTable {
  /** By route key; null for a route that answers without a body. */
  readonly routes: Readonly<Record<string, Shape | null>>;
  readonly named: readonly Shape[];
}

/** Empty: the build puts the routes that an island calls in this module's place. */
export const routeTable: RouteTable = { routes: {}, named: [] };
