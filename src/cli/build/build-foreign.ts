import { relative } from "node:path";
import { assertEnvironment } from "../../contract/index.ts";
import { allowedWords } from "../../harden/index.ts";
import type { LeakGate } from "../../harden/index.ts";
import { counted, printable } from "../../shared/index.ts";
import {
  assertStateUsable,
  buildForeign,
  createContractGate,
  isForeign,
  lockName,
  stackFolders,
} from "../../stack/index.ts";
import type {
  ContractGateOptions,
  FindKeysOptions,
  ForeignBuild,
  LoadedContract,
} from "../../stack/index.ts";
import { describeRelease, kilobytes } from "../release/describe-release.ts";
import { reportStrict } from "./harden-report.ts";
import { nextSteps } from "./harden-steps.ts";
import type { HardenWords } from "./harden-steps.ts";
import { describeLock, today } from "../plan/lock-input.ts";
import { tellNotSearched } from "./not-searched.ts";
import { print, printJson, say, showProgress, styled } from "../voice.ts";

/** Builds a site with the generator that its contract names; says, or prints as JSON, what came of it. */
export async function runForeignBuild(
  loaded: LoadedContract,
  {
    asJson,
    isVerbose,
    frozen,
    finding,
    fingerprints,
  }: {
    asJson: boolean;
    isVerbose: boolean;
    frozen: boolean;
    finding: FindKeysOptions;
    /** What the vault's values are recognised by. */
    fingerprints: ContractGateOptions["fingerprints"];
  },
): Promise<void> {
  const started = performance.now();
  const { contract, root } = loaded;
  assertEnvironment(contract, process.env);
  assertStateUsable(stackFolders(root), "build");
  const gate = createContractGate({ contract, root, variables: process.env, fingerprints });
  const line = showProgress();
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, onSignal);
  let built: ForeignBuild;
  try {
    built = await buildForeign({
      loaded,
      variables: process.env,
      gate,
      day: today(),
      frozen,
      cwd: process.cwd(),
      signal: stop.signal,
      finding,
      onLine: (text) => say(styled("dim", text)),
      onProgress: (step, done, total) => line.update(`${step} ${done}/${total}`),
    });
  } finally {
    line.done();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
  }
  const milliseconds = Math.round(performance.now() - started);
  if (asJson) printJson({ ...summaryOf(built), notSearched: gate.notSearched, milliseconds });
  else
    report(built, { notSearched: gate.notSearched, milliseconds, isVerbose, steps: stepsOf(loaded, built) });
}

function summaryOf({ published, jail, report: found, ...rest }: ForeignBuild): object {
  const { packFile, digest, bytes, ...more } = published;
  return {
    file: packFile,
    release: digest,
    ...more,
    releaseBytes: bytes,
    ...(jail === undefined ? {} : { jail }),
    report: found,
    scripts: rest.review,
    unset: rest.unset,
    addresses: rest.addresses,
  };
}

interface Told {
  readonly notSearched: LeakGate["notSearched"];
  readonly milliseconds: number;
  readonly isVerbose: boolean;
  readonly steps: HardenWords;
}

function stepsOf({ contract, root }: LoadedContract, { folder }: ForeignBuild): HardenWords {
  const site = isForeign(contract.site) ? contract.site : undefined;
  const here = relative(process.cwd(), root);
  return {
    folder,
    learned: site?.learned,
    words: allowedWords(site?.allowScripts ?? []),
    reporting: contract.reports !== undefined,
    contract: here === "" ? "" : `${here}/`,
  };
}

function report(built: ForeignBuild, { notSearched, milliseconds, isVerbose, steps }: Told): void {
  const { published, jail, report: found, unset } = built;
  if (jail?.jailed === false)
    say(styled("yellow", "NOT JAILED: the build saw everything that you see, as the contract allows"));
  for (const authority of jail?.refused ?? [])
    say(
      `${styled("yellow", "not let through")} to ${authority}: if the build must reach it, name it in  site: { reaches }`,
    );
  for (const name of unset)
    say(`${styled("yellow", "not set")} the variable ${name}, which the build is given`);
  tellNotSearched(notSearched, " in the output", isVerbose);
  describeLock(built.review, { folder: built.folder, file: lockName, words: built.words });
  reportStrict(found);
  if (found.insecureEval !== undefined)
    print(`  reason    ${printable(found.insecureEval)} (site.insecureEval)`);
  say(
    `${styled("green", "built")} ${counted(found.pages, "page")}, ${counted(found.files, "file")}, ${kilobytes(found.bytes)} (${kilobytes(published.bytes)} with compressed copies) in ${milliseconds} ms`,
  );
  const { packFile: file, digest: release, ...rest } = published;
  say(
    styled(
      "dim",
      `${describeRelease({ ...rest, file, release })}${found.weakened === 0 ? "" : `\nWhy pages are weakened:  npx curtainwall harden ${built.folder}${built.words} --plan`}`,
    ),
  );
  for (const step of nextSteps(found, steps)) say(`${styled("dim", "→")} ${step}`);
}
