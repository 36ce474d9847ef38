#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { CurtainwallError, nearest, printable } from "../shared/index.ts";
import type { Command } from "./command.ts";
import { commandHelp, helpedCommand } from "./command-help.ts";
import { readInput } from "./command.ts";
import { howToGetNode, nodeTooOld } from "./node-version.ts";
import { exitCodes, print, sayError } from "./voice.ts";

/** Commands by name. Loaded when used: what starts often starts fast. */
const commands: Readonly<
  Record<string, { load: () => Promise<Command>; maxPositionals: number; summary: string }>
> = {
  build: {
    load: async () => (await import("./build/build-command.ts")).buildCommand,
    maxPositionals: 1,
    summary: "build the site into a release",
  },
  start: {
    load: async () => (await import("./start.ts")).startCommand,
    maxPositionals: 1,
    summary: "serve it: pages, and the API through the gateway",
  },
  dev: {
    load: async () => (await import("./dev/dev.ts")).devCommand,
    maxPositionals: 1,
    summary: "build and serve it, and follow every change",
  },
  harden: {
    load: async () => (await import("./build/harden.ts")).hardenCommand,
    maxPositionals: 1,
    summary: "give any generator's output strict policies",
  },
  jail: {
    load: async () => (await import("./build/jail.ts")).jailCommand,
    maxPositionals: 1,
    summary: "run a site's build without network and secrets",
  },
  plan: {
    load: async () => (await import("./plan/plan.ts")).planCommand,
    maxPositionals: 500,
    summary: "show scripts that nobody has approved, approve them",
  },
  csp: {
    load: async () => (await import("./plan/csp.ts")).cspCommand,
    maxPositionals: 2,
    summary: "run a site in Chromium, and learn what its policies must allow",
  },
  audit: {
    load: async () => (await import("./audit/audit.ts")).auditCommand,
    maxPositionals: 2,
    summary: "check a running stack against the 24 items",
  },
  attack: {
    load: async () => (await import("./audit/attack.ts")).attackCommand,
    maxPositionals: 2,
    summary: "try to break every promise of the contract",
  },
  prove: {
    load: async () => (await import("./audit/prove.ts")).proveCommand,
    maxPositionals: 2,
    summary: "audit, and sign what was found; check such a proof anywhere",
  },
  leaks: {
    load: async () => (await import("./build/leaks.ts")).leaksCommand,
    maxPositionals: 1,
    summary: "look for secrets in what would be published",
  },
  key: {
    load: async () => (await import("./release/key.ts")).keyCommand,
    maxPositionals: 3,
    summary: "make and show the two keys, sign what may run",
  },
  "api-key": {
    load: async () => (await import("./api-key.ts")).apiKeyCommand,
    maxPositionals: 3,
    summary: "make, list and revoke keys of programs that call the API",
  },
  secret: {
    load: async () => (await import("./secret/secret.ts")).secretCommand,
    // Too many are its own to refuse: one may be a secret's value, which no error repeats.
    maxPositionals: Number.POSITIVE_INFINITY,
    summary: "put values of secrets into the vault, list them, end them",
  },
  revoke: {
    load: async () => (await import("./revoke.ts")).revokeCommand,
    maxPositionals: 2,
    summary: "end a subject's access tokens, or everybody's",
  },
  log: {
    load: async () => (await import("./log/log.ts")).logCommand,
    maxPositionals: 2,
    summary: "verify, follow and search the security log",
  },
  release: {
    load: async () => (await import("./release/release.ts")).releaseCommand,
    maxPositionals: 4,
    summary: "list releases, promote one, go back to one",
  },
  emit: {
    load: async () => (await import("./build/emit.ts")).emitCommand,
    maxPositionals: 1,
    summary: "write the release for nginx, Caddy, Cloudflare, Netlify or Vercel",
  },
  verify: {
    load: async () => (await import("./release/verify.ts")).verifyCommand,
    maxPositionals: 2,
    summary: "compare what a host serves with what was released",
  },
  explain: {
    load: async () => (await import("./contract/explain.ts")).explainCommand,
    maxPositionals: 2,
    summary: "say what a route's requests pass",
  },
  contract: {
    load: async () => (await import("./contract/contract.ts")).contractCommand,
    maxPositionals: 3,
    summary: "bring an API that exists under contract: import, observed",
  },
  openapi: {
    load: async () => (await import("./contract/openapi.ts")).openApiCommand,
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

function assertNode(): void {
  const problem = nodeTooOld(process.versions.node);
  if (problem !== undefined) throw new CurtainwallError("CLI_PART_MISSING", problem, { hint: howToGetNode });
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
    const isOption = name.startsWith("-");
    const meant = nearest(name, isOption ? ["--help", "--version"] : Object.keys(commands));
    const what = `There is no ${isOption ? "option" : "command"} "${printable(name, 60)}".`;
    throw new CurtainwallError("CLI_USAGE_INVALID", what, {
      hint: `${meant === undefined ? "" : `Did you mean  curtainwall ${meant}?  `}All commands:  curtainwall --help`,
    });
  }
  assertNode();
  const command = await entry.load();
  if (args.includes("--help") || args.includes("-h")) {
    print(commandHelp(helpedCommand(command, args), Math.min(process.stdout.columns ?? 80, 100)));
    return exitCodes.done;
  }
  try {
    return await command.run(readInput(command, args, entry.maxPositionals));
  } finally {
    if (command.isOverWhenRun === true) setTimeout(() => process.exit(), leaveMs).unref();
  }
}

/** For what is about to end by itself. */
const leaveMs = 500;

/** What says that a command was called wrongly: a folder without a contract is another one than was meant. */
const misuse = new Set(["CLI_USAGE_INVALID", "STACK_CONFIG_MISSING"]);

function codeFor(code: string | undefined): number {
  if (code === "CLI_INTERRUPTED") return exitCodes.interrupted;
  return misuse.has(code ?? "") ? exitCodes.usage : exitCodes.failed;
}

function version(): string {
  return (
    JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
  ).version;
}

// Whoever reads the output may have read enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  sayError(error);
  process.exit(exitCodes.failed);
});

// Words that nobody reads any more, as after a terminal was closed, end no work that has something to clean up.
process.stderr.on("error", () => undefined);

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  sayError(error);
  process.exitCode = codeFor((error as { code?: string }).code);
}
