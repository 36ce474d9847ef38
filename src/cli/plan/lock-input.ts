import { isAbsolute, relative, resolve, sep } from "node:path";
import { allowedWords, describeReview, summarizeReview } from "../../harden/index.ts";
import type { AllowedScript, Review } from "../../harden/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { lockName, openSiteLock } from "../../stack/index.ts";
import type { SiteLock } from "../../stack/index.ts";
import type { Command } from "../command.ts";
import { print, quotedLength, say, styled } from "../voice.ts";

/** Options by which a command finds the lock. */
export const lockOptions: Command["options"] = {
  lock: { type: "string", says: `the file of approved scripts; by default ${lockName} in this folder` },
  site: { type: "string", says: "what the lock calls the site; by default its folder" },
};

/** Today, as the lock writes it. */
export const today = (): string => new Date().toISOString().slice(0, 10);

/** Opens the lock that a command was given; `words` repeats the options for the next command. */
export function lockInput(
  folder: string,
  values: ReadonlyMap<string, string>,
  allowScripts: readonly AllowedScript[] = [],
): { readonly open: SiteLock; readonly words: string } {
  const words = ["lock", "site", "origin", "follow", "learned"].flatMap((option) => {
    const value = values.get(option);
    return value === undefined ? [] : [` --${option} ${value}`];
  });
  const file = values.get("lock") ?? lockName;
  const inside = relative(resolve(folder), resolve(file));
  if (!isAbsolute(inside) && inside.split(sep)[0] !== "..")
    throw new CurtainwallError(
      "CLI_USAGE_INVALID",
      `The lock ${file} would lie inside the site, and be published with it.`,
      {
        hint: "Run this from the folder above, or name another place:  --lock ../curtainwall.lock.json",
      },
    );
  const open = openSiteLock({ file, folder, site: values.get("site") });
  return { open, words: words.join("") + allowedWords(allowScripts) };
}

/** Says after hardening what the lock knows of the site; after a first run, what should be looked at. */
export function describeLock(
  review: Review | undefined,
  { folder, file, words }: { folder: string; file: string; words: string },
): void {
  if (review === undefined) return;
  const waiting = [...review.added, ...review.unreviewed];
  if (review.firstRun && waiting.length > 0) {
    print(
      `Scripts of ${review.site}, what stands on one page only first. Content may have brought it along:`,
    );
    for (const line of describeReview(waiting, { maxLines: 5, maxScripts: 12, lineLength: quotedLength() }))
      print(line);
  }
  print(`  scripts   ${summarizeReview(review)}`);
  if (waiting.length === 0) return;
  say(
    review.firstRun
      ? `${styled("yellow", "first run")}: ${file} records these scripts; from now on others are refused. Nobody has approved them yet:`
      : `${styled("yellow", "not approved")}: the first run recorded them, and nobody has looked`,
  );
  say(`${styled("dim", "→")} npx curtainwall plan ${folder}${words}`);
}
