import { defineFunction, fail } from "curtainwall/functions";
import type { FunctionDefinition } from "curtainwall/functions";
import type contract from "../curtainwall.config.ts";
import { excesses } from "./excesses.ts";

/** A function that uses up what others need, in the way that it is told. There are several, since one is soon refused. */
export const waster: FunctionDefinition = defineFunction<typeof contract, "POST /api/workerd/waster-1">(
  async ({ body, settings }) => {
    const excess = excesses[body.name];
    if (excess === undefined) return fail(422);
    return { found: JSON.stringify(await excess.run(settings["allowed"] ?? "")) ?? "nothing" };
  },
);
