import type { EnvironmentName } from "../../contract/index.ts";
import type { Secret } from "../../shared/index.ts";
import {
  findSiteKeys,
  hasContract,
  loadContract,
  stackFolders,
  startStack,
  stopRequest,
} from "../../stack/index.ts";
import type { FindKeysOptions, LoadedContract } from "../../stack/index.ts";
import { buildAny } from "../build/build.ts";
import { askVaultPassphrase } from "../secret/passphrase.ts";
import { address, sayEntry, sayStopping } from "../start.ts";
import { say, sayError, styled } from "../voice.ts";
import { againCodes } from "./again-codes.ts";
import { codeFrame } from "./code-frame.ts";
import { followChanges } from "./follow-changes.ts";
import { holdKeys } from "./held-keys.ts";
import { tellRecords } from "./tell-records.ts";
import { watchProject } from "./watch-project.ts";

/** Builds and serves a site, and follows every change of it, until it is stopped or its contract is another one. Returns the exit code. */
export async function develop(path: string): Promise<number> {
  const askPassphrase = askOnce(askVaultPassphrase);
  const loaded = await firstBuild(path, { askPassphrase });
  if (loaded === undefined) return againCodes.mended;
  const stack = await startStack({ path, log: sayEntry, askPassphrase });
  const folders = stackFolders(loaded.root);
  const { keys, close } = holdKeys(await findSiteKeys(loaded.contract, folders, { askPassphrase }));
  const endTelling = tellRecords(folders, loaded.contract);
  say(`${styled("green", "serving")} ${address(stack)}  ${styled("dim", "and following every change")}`);

  const again = Promise.withResolvers<number>();
  const changes = followChanges({
    loaded,
    stack,
    keys,
    build: () => buildAll(path, { keys }, true),
    onContractChanged: () => again.resolve(againCodes.now),
  });
  const unwatch = watchProject(loaded.root, changes.changed);
  const code = await Promise.race([again.promise, stopRequest().then(() => 0)]);
  if (code === 0) sayStopping();
  unwatch();
  await changes.settled();
  await Promise.all([close(), stack.close()]);
  endTelling();
  return code;
}

/** Builds the site as it is. Undefined: what is wrong was told, and somebody is about to mend it. */
async function firstBuild(path: string, finding: FindKeysOptions): Promise<LoadedContract | undefined> {
  if (!hasContract(path)) return loadContract(path);
  try {
    const loaded = await loadContract(path);
    await buildAll(path, finding);
    return loaded;
  } catch (error) {
    sayError(error);
    const frame = codeFrame(path, error);
    if (frame !== undefined) say(frame);
    return undefined;
  }
}

/** Tells whether visitors get something else than before. */
async function buildAll(path: string, finding: FindKeysOptions, isAgain = false): Promise<boolean> {
  const result = await buildAny(path, { drafts: false, json: false, verbose: false, finding, isAgain });
  return result?.isNew ?? true;
}

type Ask = (environment: EnvironmentName) => Promise<Secret>;

/** Whoever types a passphrase types it once, though both the build and the stack need it. */
function askOnce(ask: Ask): Ask {
  let answer: Promise<Secret> | undefined;
  return (environment) => (answer ??= ask(environment));
}
