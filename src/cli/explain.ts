import { parseRouteKey } from "../contract/index.ts";
import { createGateway, createLimitMemory, createLimitStore } from "../gateway/index.ts";
import { CurtainwallError } from "../shared/index.ts";
import { loadContract } from "../stack/index.ts";
import { usageError } from "./command.ts";
import type { Command } from "./command.ts";
import { print, printJson } from "./voice.ts";

export const explainCommand: Command = {
  name: "explain",
  usage: '"GET /api/…" [folder] [--json]',
  summary: "Say what a route's requests pass, in order",
  options: { json: { type: "boolean", says: "print the result as JSON" } },
  async run({ positionals: [key, folder = "."], flags }) {
    if (key === undefined || typeof parseRouteKey(key) === "string")
      throw usageError("Name a route, method and path in quotes", explainCommand);
    const { contract } = await loadContract(folder);
    const nowhere = new Map([...contract.upstreams.keys()].map((name) => [name, () => undefined]));
    const gateway = createGateway({
      contract,
      destinations: nowhere,
      limits: createLimitStore(createLimitMemory()),
      tokens: { verify: () => ({ kind: "unavailable", reason: "nothing is served here" }) },
      events: () => undefined,
    });
    const explanation = gateway.explain(key);
    if (explanation === undefined) {
      throw new CurtainwallError("CLI_USAGE_INVALID", `The contract has no route ${JSON.stringify(key)}.`, {
        hint: `Routes: ${contract.routes.map((route) => route.key).join(", ") || "none"}`,
      });
    }
    if (flags.has("json")) printJson(explanation);
    else {
      const width = Math.max(...explanation.steps.map((step) => step.check.length));
      const indent = " ".repeat(width + 8);
      print(explanation.key);
      explanation.steps.forEach((step, index) =>
        print(
          `${String(index + 1).padStart(3)}  ${step.check.padEnd(width)}   ${step.passes}\n${indent}otherwise ${step.otherwise}`,
        ),
      );
    }
    return 0;
  },
};
