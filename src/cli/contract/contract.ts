import { actionError } from "../command.ts";
import type { Command } from "../command.ts";
import { importContract } from "./contract-import.ts";
import { showObserved } from "./contract-observed.ts";

export const contractCommand: Command = {
  name: "contract",
  usage: "import <openapi file or address on this machine> [options] | observed [folder] [--json]",
  summary: "Bring an API that exists under contract",
  options: {
    out: { type: "string", says: "the file to write; by default curtainwall.config.ts" },
    force: { type: "boolean", says: "write over a file that is there" },
    origin: { type: "string", says: "where visitors will find the site; by default https://localhost:8443" },
    upstream: { type: "string", says: "where the API is, if not where the description says" },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "import    write a contract from OpenAPI 3.0, 3.1 or Swagger 2, in JSON or YAML",
    "observed  say what routes with insecureObserve let pass, and the line for each",
    "Routes for which a description asks for no credentials are open to nobody until you decide. docs/bring-an-api.md goes through all of it.",
  ],
  async run(input) {
    const [action, ...rest] = input.positionals;
    if (action === "import") return importContract(input, rest, contractCommand);
    if (action === "observed") return showObserved(input, rest);
    throw actionError(action, ["import", "observed"], contractCommand);
  },
};
