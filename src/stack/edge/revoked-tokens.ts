import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { longestRememberedSeconds } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { writeWhole } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { withFileLock } from "../../shared/node.ts";
import type { StackErrorCode } from "../errors.ts";
import type { StackFolders } from "../folders.ts";

/** Whose tokens and sessions don't count any more: those that were issued until a second, since 1970, with it. */
export interface RevokedTokens {
  /** Of everybody; 0: nobody. */
  readonly everyone: number;
  readonly subjects: Readonly<Record<string, number>>;
}

const none: RevokedTokens = { everyone: 0, subjects: {} };
const maxSubjects = 50_000;
const maxSubjectLength = 255;

/**
 * Reads which tokens are revoked. No file: none is.
 *
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE` when it was damaged: without it revoked tokens would count again
 */
export function readRevoked({ revokedFile }: Pick<StackFolders, "revokedFile">): RevokedTokens {
  try {
    return parse(readFileSync(revokedFile, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return none;
    throw new CurtainwallError<StackErrorCode>(
      "STACK_FILE_UNREADABLE",
      `The list of revoked tokens in ${revokedFile} can't be read: ${(cause as Error).message}.`,
      { cause, hint: "Delete it, and end all that was issued:  npx curtainwall revoke --everyone" },
    );
  }
}

/** What is to be revoked. */
export interface Revocation {
  /** Undefined: everybody's. */
  readonly subject: string | undefined;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Revokes what was issued until now. It is on disk when this returns, whole, whatever ends this process, and together with what others
 * revoke at the same time. What is older than any token that is accepted is left out.
 *
 * Whose clock is ahead of ours issues tokens of our future: those count as issued until now, too.
 *
 * @returns the second until which
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE` for a damaged list; `STACK_REVOCATION_INVALID` for a name that no subject can have, or too many
 */
export function revokeTokens(
  { revokedFile }: Pick<StackFolders, "revokedFile">,
  { identity }: Pick<Contract, "identity">,
  { subject, now = Date.now }: Revocation,
): number {
  if (subject !== undefined && (subject === "" || subject.length > maxSubjectLength))
    throw refused(`A subject's name has 1 to ${maxSubjectLength} letters.`);
  const nowSeconds = Math.ceil(now() / 1000);
  const until = nowSeconds + (identity?.clockToleranceSeconds ?? 5);
  mkdirSync(dirname(revokedFile), { recursive: true, mode: 0o700 });
  withFileLock(revokedFile, () => {
    const { everyone, subjects } = readRevoked({ revokedFile });
    const all = subject === undefined ? until : everyone;
    const since = Math.max(all + 1, nowSeconds - longestRememberedSeconds);
    const kept = new Map(Object.entries(subjects).filter(([, second]) => second >= since));
    if (subject !== undefined) kept.set(subject, Math.max(until, kept.get(subject) ?? 0));
    if (kept.size > maxSubjects)
      throw refused(`More than ${maxSubjects} subjects can't be revoked one by one: revoke everybody's.`);
    const list = { version: 1, everyone: all, subjects: Object.fromEntries(kept) };
    writeWhole(revokedFile, Buffer.from(JSON.stringify(list)), 0o600);
  });
  return until;
}

const refused = (message: string): CurtainwallError =>
  new CurtainwallError<StackErrorCode>("STACK_REVOCATION_INVALID", message, {
    hint: "npx curtainwall revoke <subject>   or   npx curtainwall revoke --everyone",
  });

/** To the letter: what is not understood might have been a revocation. */
function parse(text: string): RevokedTokens {
  const list: unknown = JSON.parse(text);
  if (typeof list !== "object" || list === null) throw new Error("it is no list");
  const { version, everyone, subjects, ...others } = list as Record<string, unknown>;
  if (version !== 1 || Object.keys(others).length > 0) throw new Error("it is of another version");
  if (!isSecond(everyone) || typeof subjects !== "object" || subjects === null)
    throw new Error("it is no list of times");
  const entries = Object.entries(subjects);
  if (!entries.every(([, second]) => isSecond(second))) throw new Error("a time is none");
  return { everyone, subjects: Object.fromEntries(entries) };
}

const isSecond = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** How often the file is looked at. */
const lookEveryMs = 500;

/**
 * Calls back with the list, and what was added to it, whenever it is another than `before`, or than was told last. One that can't be read is
 * told once, and leaves what was revoked.
 *
 * @returns what stops it
 */
export function watchRevoked(
  folders: Pick<StackFolders, "revokedFile">,
  before: RevokedTokens,
  onChange: (revoked: RevokedTokens, added: RevokedTokens) => void,
  onFault: (message: string) => void,
): () => void {
  let stampBefore = "unknown";
  let told = before;
  const timer = setInterval(() => {
    const stamp = stampOf(folders.revokedFile);
    if (stamp === stampBefore) return;
    stampBefore = stamp;
    try {
      const revoked = readRevoked(folders);
      const added = addedTo(told, revoked);
      told = revoked;
      if (added.everyone > 0 || Object.keys(added.subjects).length > 0) onChange(revoked, added);
    } catch (error) {
      onFault((error as Error).message);
    }
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

function addedTo(before: RevokedTokens, { everyone, subjects }: RevokedTokens): RevokedTokens {
  const added = Object.entries(subjects).filter(([subject, until]) => before.subjects[subject] !== until);
  return { everyone: everyone === before.everyone ? 0 : everyone, subjects: Object.fromEntries(added) };
}

/** Another one for another file: each list is written into a new one. */
function stampOf(file: string): string {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "" : [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join();
}

/** Subjects in one message: a control channel takes 4 MB. */
const subjectsInOne = 5000;

/** A list in parts that a control channel can take. */
export function revocationMessages({ everyone, subjects }: RevokedTokens): RevokedTokens[] {
  const entries = Object.entries(subjects);
  const parts: RevokedTokens[] = [{ everyone, subjects: {} }];
  for (let from = 0; from < entries.length; from += subjectsInOne)
    parts.push({ everyone: 0, subjects: Object.fromEntries(entries.slice(from, from + subjectsInOne)) });
  return parts;
}
