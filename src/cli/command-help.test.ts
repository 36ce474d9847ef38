import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { auditCommand } from "./audit/audit.ts";
import type { Command } from "./command.ts";
import { commandHelp } from "./command-help.ts";
import { logCommand } from "./log/log.ts";
import { proveCommand } from "./audit/prove.ts";

const words = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

test("every command's help fits a terminal of 80 columns, long names aside, and loses no word", async () => {
  const folder = new URL("./", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => /^([a-z]+\/)?[a-z-]+\.ts$/.test(name) && name !== "main.ts",
  );
  let seen = 0;
  for (const file of files) {
    const module = (await import(new URL(file, folder).href)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) {
      if (!name.endsWith("Command") || typeof value !== "object") continue;
      const command = value as Command;
      seen++;
      const help = commandHelp(command);
      assert.ok(words(help).includes(words(`Usage: curtainwall ${command.name} ${command.usage}`)));
      for (const line of help.split("\n"))
        assert.ok(
          line.length <= 80 || /^\S+ {2,}|^ {2,}\S*$|^ {10,}/.test(line) || !line.slice(0, 80).includes(" "),
          `${command.name}: ${line}`,
        );
      for (const { says } of Object.values(command.options))
        assert.ok(words(help).includes(words(says)), says);
      for (const note of command.notes ?? []) assert.ok(words(help).includes(words(note)), note);
    }
  }
  assert.ok(seen >= 10, `${seen} commands`);
});

test("the usage line of audit and of prove names every option that they take", () => {
  for (const { name, usage, options } of [auditCommand, proveCommand])
    for (const option of Object.keys(options))
      assert.match(usage, new RegExp(`--${option}(?![\\w-])`), `${name}: --${option}`);
});

test("in the usage line an option is not torn from its value, nor what stands in brackets apart", () => {
  for (const { usage, options } of [auditCommand, ...Object.values(logCommand.actions ?? {})])
    for (const width of [60, 80, 100]) {
      const help = commandHelp({ ...logCommand, usage, options }, width);
      for (const [part] of usage.matchAll(/\[[^[\]]+\]/g))
        assert.ok(help.includes(part), `${part} at ${width}`);
    }
});

test("a command that a sentence announces stands in it; a table's rows stand alone", () => {
  const help = commandHelp({
    name: "sieve",
    summary: "Sieve flour",
    usage: "[folder]",
    options: {},
    notes: ["Flour is sieved before it is", "weighed:  curtainwall weigh", "", "rye    dark", "spelt  old"],
    run: () => 0,
  } as unknown as Command);
  assert.match(help, /^Flour is sieved before it is weighed: {2}curtainwall weigh$/m);
  assert.match(help, /^rye {4}dark$/m);
});
