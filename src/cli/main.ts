#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { CurtainwallError, printable } from "../shared/index.ts";
import type { Command } from "./command.ts";
import { commandHelp } from "./command-help.ts";
import { readInput } from "./command.ts";
import { exitCodes, print, sayError } from "./voice.ts";

/** Commands by name. Loaded when used: what starts often starts fast. */
const commands: Readonly<
  Record<string, { load: () => Promise<Command>; maxPositionals: number; summary: string }>
> = {
  build: {
    load: async () => (await import("./build-command.ts")).buildCommand,
    maxPositionals: 1,
    summary: "build the site into a release",
  },
  start: {
    load: async () => (await import("./start.ts")).startCommand,
    maxPositionals: 1,
    summary: "serve it: pages, and the API through the gateway",
  },
  harden: {
    load: async () => (await import("./harden.ts")).hardenCommand,
    maxPositionals: 1,
    summary: "give any generator's output strict policies",
  },
  jail: {
    load: async () => (await import("./jail.ts")).jailCommand,
    maxPositionals: 1,
    summary: "run a site's build without network and secrets",
  },
  plan: {
    load: async () => (await import("./plan.ts")).planCommand,
    maxPositionals: 500,
    summary: "show scripts that nobody has approved, approve them",
  },
  csp: {
    load: async () => (await import("./csp.ts")).cspCommand,
    maxPositionals: 2,
    summary: "run a site in Chromium, and learn what its policies must allow",
  },
  audit: {
    load: async () => (await import("./audit.ts")).auditCommand,
    maxPositionals: 2,
    summary: "check a running stack against the 24 items",
  },
  leaks: {
    load: async () => (await import("./leaks.ts")).leaksCommand,
    maxPositionals: 1,
    summary: "look for secrets in what would be published",
  },
  key: {
    load: async () => (await import("./key.ts")).keyCommand,
    maxPositionals: 3,
    summary: "make and show the two keys, sign what may run",
  },
  "api-key": {
    load: async () => (await import("./api-key.ts")).apiKeyCommand,
    maxPositionals: 3,
    summary: "make, list and revoke keys of programs that call the API",
  },
  revoke: {
    load: async () => (await import("./revoke.ts")).revokeCommand,
    maxPositionals: 2,
    summary: "end a subject's access tokens, or everybody's",
  },
  release: {
    load: async () => (await import("./release.ts")).releaseCommand,
    maxPositionals: 4,
    summary: "list releases, promote one, go back to one",
  },
  emit: {
    load: async () => (await import("./emit.ts")).emitCommand,
    maxPositionals: 1,
    summary: "write the release for nginx, Caddy, Cloudflare, Netlify or Vercel",
  },
  verify: {
    load: async () => (await import("./verify.ts")).verifyCommand,
    maxPositionals: 2,
    summary: "compare what a host serves with what was released",
  },
  explain: {
    load: async () => (await import("./explain.ts")).explainCommand,
    maxPositionals: 2,
    summary: "say what a route's requests pass",
  },
  contract: {
    load: async () => (await import("./contract.ts")).contractCommand,
    maxPositionals: 3,
    summary: "bring an API that exists under contract: import, observed",
  },
  openapi: {
    load: async () => (await import("./openapi.ts")).openApiCommand,
    maxPositionals: 1,
    summary: "print the API's description",
  },
};

const help = `Usage: curtainwall <command> [folder] [options]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`)
  .join("\n")}

  --help      this; or, after a command, its own
  --version   the version

The folder is the one that holds curtainwall.config.ts; by default, this one.
Exit codes: 0 done, 1 failed, 2 misused.`;

/** The contract is TypeScript, which Node reads by itself since this version. */
const [oldestMajor, oldestMinor] = [24, 12];

function assertNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new CurtainwallError(
    "CLI_PART_MISSING",
    `Node ${process.versions.node} is too old: Curtainwall needs ${oldestMajor}.${oldestMinor} or newer.`,
    { hint: "Inside this repository use  npx curtainwall …  which runs the Node that it brings along" },
  );
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    print(help);
    return name === undefined ? exitCodes.usage : exitCodes.done;
  }
  if (name === "--version" || name === "-v") {
    print(version());
    return exitCodes.done;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    const { nearest } = await import("../contract/index.ts");
    const meant = nearest(name, Object.keys(commands));
    throw new CurtainwallError("CLI_USAGE_INVALID", `There is no command "${printable(name, 60)}".`, {
      hint: `${meant === undefined ? "" : `Did you mean  curtainwall ${meant}?  `}All commands:  curtainwall --help`,
    });
  }
  assertNode();
  const command = await entry.load();
  if (args.includes("--help") || args.includes("-h")) {
    print(commandHelp(command, Math.min(process.stdout.columns ?? 80, 120)));
    return exitCodes.done;
  }
  return command.run(readInput(command, args, entry.maxPositionals));
}

function version(): string {
  return (
    JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
  ).version;
}

// Whoever reads the output may have read enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  sayError(error);
  process.exitCode =
    (error as { code?: string }).code === "CLI_USAGE_INVALID" ? exitCodes.usage : exitCodes.failed;
}
