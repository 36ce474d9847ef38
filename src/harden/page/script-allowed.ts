import { scriptAddressProblem } from "../../contract/index.ts";
import { CurtainwallError, printable } from "../../shared/index.ts";
import { admitAdded } from "./admit-script.ts";
import type { PageDraft } from "./draft.ts";
import type { HardenErrorCode } from "../errors.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";
import { exactSource } from "../site/site-view.ts";

/** A script of another site that scripts of the site's pages may add, though no page holds it. */
export interface AllowedScript {
  /** Absolute, `https:`, without a query. One that ends in `/` stands for all below it. */
  readonly address: string;
  /** Why, in the words of whoever allows it. */
  readonly reason: string;
}

/**
 * Checks what is allowed before any page is read.
 *
 * @throws {CurtainwallError} `HARDEN_OPTION_INVALID` for an address that a policy would read as another, or without a reason
 */
export function assertAllowedScripts(scripts: readonly AllowedScript[]): void {
  for (const { address, reason } of scripts) {
    const problem = scriptAddressProblem(address, address.endsWith("/"));
    const shown = printable(JSON.stringify(address), 120);
    if (problem !== undefined) throw invalid(`${shown} ${problem}.`);
    if (reason.trim().length < 3) throw invalid(`${shown} is allowed only with a reason.`);
  }
}

function invalid(message: string): CurtainwallError<HardenErrorCode> {
  return new CurtainwallError("HARDEN_OPTION_INVALID", message, {
    hint: 'Write it like  --allow-script https://tags.example/tags.js "the shop\'s tag manager"',
  });
}

/**
 * Allows a page what its scripts may add: where one of them names the script's host, and where scripts run that nobody reads here (another
 * site's, or those of an opened folder), since they may be the ones that add it.
 */
export function allowAddedScripts(page: PageDraft, scripts: readonly ScriptFacts[]): void {
  const allowed = page.settings.allowScripts ?? [];
  if (allowed.length === 0) return;
  const hosts = new Set(scripts.flatMap((script) => script.hosts));
  const named = allowed.filter(({ address }) => hosts.has(new URL(address).host));
  const runsUnread =
    named.length > 0 ||
    page.opened.size > 0 ||
    [...page.foreign.values()].some(({ kind }) => kind === "script");
  for (const script of runsUnread ? allowed : named) admitAdded(page, script);
}

/** Allowed scripts as options of a further command, after a space. */
export function allowedWords(scripts: readonly AllowedScript[]): string {
  return scripts
    .map(
      ({ address, reason }) =>
        ` --${address.endsWith("/") ? "insecure-allow-scripts" : "allow-script"} ${word(address)} ${quoted(reason)}`,
    )
    .join("");
}

/** Addresses may hold `;` and `$(…)`, and what is shown here is meant to be copied. */
const word = (text: string): string => (/^[\w:/.@%+~-]+$/.test(text) ? text : quoted(text));

/** For a shell: in single quotes, where nothing but a single quote means anything. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Tells whether an address, its query aside, is one of those or lies below one. */
export function isAllowedAddress(
  allowed: readonly Pick<AllowedScript, "address">[],
  address: string,
): boolean {
  const url = URL.parse(address);
  const source = url === null ? undefined : exactSource(url);
  if (source === undefined) return false;
  return allowed.some((script) => {
    const named = exactSource(new URL(script.address));
    return named === source || (named?.endsWith("/") === true && source.startsWith(named));
  });
}
