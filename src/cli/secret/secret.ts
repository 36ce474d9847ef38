import { actionError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import { changeKey, revokeSecret, setSecret } from "./secret-changes.ts";
import { exportSecrets, importSecrets } from "./secret-exchange.ts";
import { listSecrets, showHistory, showUsers } from "./secret-views.ts";

export const secretCommand: Command = {
  name: "secret",
  usage:
    "set <NAME> | list | history <NAME> | who <NAME> | revoke <NAME> | rewrap | export | import <file>   and [folder] after each",
  summary: "The values of the contract's secrets: only the vault holds them, and none is ever printed",
  options: {
    environment: {
      type: "string",
      says: "development, preview or production; by default development for an origin on loopback, else production",
    },
    version: { type: "string", says: "revoke: which one" },
    all: { type: "boolean", says: "revoke: each version that there is" },
    recipient: { type: "string", says: "export: age1…, who may open it; several with spaces between" },
    recipients: { type: "string", says: "export: a file with one recipient a line" },
    identity: { type: "string", says: "import: the file with your age identity, as age-keygen writes it" },
    apply: { type: "boolean", says: "import: do it; by default it only says what would change" },
    "allow-other": { type: "string", says: "import: secrets of another site or environment; why" },
    "to-file": { type: "string", says: "rewrap: a file with 32 random bytes" },
    "to-credential": { type: "string", says: "rewrap: a credential of systemd, by its name" },
    "to-passphrase": { type: "boolean", says: "rewrap: a passphrase, which is asked for" },
    "passphrase-fd": { type: "string", says: "read the vault's passphrase from this descriptor" },
    "new-passphrase-fd": { type: "string", says: "rewrap: read the new one from this descriptor" },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "set        put a value in, asked for twice or read from stdin, never from an argument; a running stack uses it at once",
    "list       say which secrets the contract declares, what each may be used for, and how old its value is",
    "history    say which versions there were, and who put them in",
    "who        say who may use it, and who did",
    "revoke     end a version, or all: what is sealed in it is erased",
    "rewrap     change the key that opens the vault; values stay as they lie",
    "export     write all values into an age file, to stdout, for the people whose recipients you name",
    "import     say what such a file would change; with --apply, do it",
    "",
    "Examples:",
    "  npx curtainwall secret set DELIVERY_KEY",
    "  pass show delivery | npx curtainwall secret set DELIVERY_KEY",
    "  npx curtainwall secret export --recipients team.txt > secrets.age",
    "",
    "Exit codes: 0 done, 1 failed, 2 misused.",
  ],
  hidesArguments: true,
  async run(input) {
    const [action, ...rest] = input.positionals;
    const run = action === undefined ? undefined : actions.get(action);
    if (run === undefined) throw actionError(action, actions.keys(), secretCommand);
    return run(input, rest);
  },
};

const actions: ReadonlyMap<string, (input: CommandInput, rest: readonly string[]) => Promise<number>> =
  new Map([
    ["set", setSecret],
    ["list", listSecrets],
    ["history", showHistory],
    ["who", showUsers],
    ["revoke", revokeSecret],
    ["rewrap", changeKey],
    ["export", exportSecrets],
    ["import", importSecrets],
  ]);
