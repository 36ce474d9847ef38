import type { AuditRow } from "../report.ts";
import { astro } from "./astro.ts";
import { caddy } from "./caddy.ts";
import { express } from "./express.ts";
import { fastify } from "./fastify.ts";
import { faultOf, faultTexts } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { hono } from "./hono.ts";
import { nest } from "./nest.ts";
import { next } from "./next.ts";
import { nginx } from "./nginx.ts";
import { node } from "./node.ts";
import type { Framework, RecognisedFramework } from "./recognise.ts";
import type { MendSettings } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

/** Code that would mend what some checks found, for the framework that the target was recognised as. */
export interface AuditMend {
  /** Checks that found it. */
  checks: { row: string; name: string }[];
  /** What has to hold, in a sentence. */
  says: string;
  framework: Framework;
  /** What the framework was recognised by. */
  because: string;
  /** Where the code goes. */
  where: string;
  language: Snippet["language"];
  /** Its values are the contract's. */
  code: string;
}

const snippetsOf: Readonly<Record<Framework, Snippets>> = {
  "Next.js": next,
  NestJS: nest,
  Astro: astro,
  Fastify: fastify,
  Hono: hono,
  Express: express,
  nginx,
  Caddy: caddy,
  "Node.js": node,
};

/** The mend for each fault that an audit found, in the report's order; none for what no code of that framework mends. */
export function findMends(
  rows: readonly AuditRow[],
  frameworks: readonly RecognisedFramework[],
  settings: MendSettings,
): AuditMend[] {
  const found = rows.flatMap(({ id, checks }) =>
    checks.flatMap(({ name, state }) => {
      const fault = state === "failed" ? faultOf(id, name) : undefined;
      return fault === undefined ? [] : [{ fault, row: id, name }];
    }),
  );
  return [...Map.groupBy(found, ({ fault }) => fault)].flatMap(([fault, of]) => {
    const mend = mendFor(fault, frameworks, settings);
    return mend === undefined ? [] : [{ checks: of.map(({ row, name }) => ({ row, name })), ...mend }];
  });
}

/** From the first of the recognised frameworks that has one. */
function mendFor(
  fault: Fault,
  frameworks: readonly RecognisedFramework[],
  settings: MendSettings,
): Omit<AuditMend, "checks"> | undefined {
  for (const { name, because } of frameworks) {
    const snippet = snippetsOf[name][fault]?.(settings);
    if (snippet !== undefined) return { says: faultTexts[fault], framework: name, because, ...snippet };
  }
  return undefined;
}
