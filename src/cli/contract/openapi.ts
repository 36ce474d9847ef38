import { openApi } from "../../contract/index.ts";
import { loadContract } from "../../stack/node.ts";
import type { Command } from "../command.ts";
import { printJson } from "../voice.ts";

export const openApiCommand: Command = {
  name: "openapi",
  usage: "[folder] [--json]",
  summary: "Print the API's description (OpenAPI 3.1)",
  options: { json: { type: "boolean", says: "the same: it is JSON anyway" } },
  async run({ positionals: [folder = "."] }) {
    const { contract } = await loadContract(folder);
    printJson(openApi(contract));
    return 0;
  },
};
