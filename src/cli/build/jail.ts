import { runJailed } from "../../stack/index.ts";
import { usageError } from "../command.ts";
import type { Command } from "../command.ts";
import { readDuration } from "../read-duration.ts";
import { printJson, say, styled } from "../voice.ts";

export const jailCommand: Command = {
  name: "jail",
  usage: '[folder] --run "npm run build" --output dist [--reaches https://a.example,…] [--json]',
  summary: "Run a site's build without network, secrets or other processes",
  options: {
    run: { type: "string", says: "what builds the site" },
    output: { type: "string", says: "the folder that it writes, inside the project: only that comes out" },
    reaches: {
      type: "string",
      isList: true,
      says: "origins that it may reach, with commas; by default none",
    },
    pass: {
      type: "string",
      isList: true,
      says: "names of environment variables that it gets, with commas; by default none",
    },
    "time-limit": {
      type: "string",
      says: "how long it may take: 90s, 20m, or a number of seconds; by default 600",
    },
    "insecure-private-addresses": {
      type: "string",
      says: "lets what it reaches lie in private networks; takes the reason",
    },
    "insecure-unjailed-build": {
      type: "string",
      says: "runs it without a jail where bubblewrap is missing; takes the reason",
    },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "The build works in a copy without .env files, keys, .git, .npmrc and .curtainwall; node_modules is shown read-only.",
    "Then harden what it wrote:  npx curtainwall harden <output>",
  ],
  async run({ positionals: [folder = "."], flags, values }) {
    const command = values.get("run");
    const output = values.get("output");
    if (command === undefined)
      throw usageError('Name what builds the site:  --run "npm run build"', jailCommand);
    if (output === undefined) throw usageError("Name the folder that it writes:  --output dist", jailCommand);
    const timeoutMs = readDuration("time-limit", values.get("time-limit"), jailCommand);
    const stop = new AbortController();
    const onSignal = (): void => stop.abort();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, onSignal);
    const reason = values.get("insecure-unjailed-build");
    const privately = values.get("insecure-private-addresses");
    try {
      const result = await runJailed({
        root: folder,
        command,
        output,
        reaches: listOf(values.get("reaches")),
        environment: passed(listOf(values.get("pass"))),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        signal: stop.signal,
        onLine: (line) => say(line),
        ...(reason === undefined ? {} : { insecureUnjailedBuild: reason }),
        ...(privately === undefined ? {} : { insecurePrivateAddresses: privately }),
      });
      if (flags.has("json")) printJson(result);
      else {
        if (!result.jailed)
          say(styled("yellow", `NOT JAILED: the build saw everything that you see (${reason ?? ""})`));
        for (const path of result.withheld) say(styled("dim", `withheld ${path}`));
        for (const authority of result.refused) say(styled("yellow", `not let through to ${authority}`));
        say(`${styled("green", "built")} ${output}`);
      }
      return 0;
    } finally {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
    }
  },
};

const listOf = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

function passed(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
