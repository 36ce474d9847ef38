import { defineFunction, fail } from "curtainwall/functions";
import type { FunctionDefinition } from "curtainwall/functions";
import type contract from "../curtainwall.config.ts";
import { attemptsInNode } from "./attempts-in-node.ts";
import { attempts } from "./attempts.ts";

/** Tries what it is told to, and tells whatever came of it. */
export const thief: FunctionDefinition = defineFunction<
  typeof contract,
  "POST /api/workerd/attempts" | "POST /api/node/attempts"
>(async ({ body, settings }) => {
  const attempt = { ...attempts, ...attemptsInNode }[body.name];
  if (attempt === undefined) return fail(422);
  const { allowed = "", courier = "", bystander = "" } = settings;
  try {
    return { found: JSON.stringify(await attempt.run({ allowed, courier, bystander })) ?? "nothing" };
  } catch (error) {
    return { threw: String(error) };
  }
});
