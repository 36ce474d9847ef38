import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { CurtainwallError } from "../../shared/index.ts";
import { createBlobStore } from "./blob-store.ts";
import type { WorkerAnswer, WorkerOrder, WorkerTask } from "./messages.ts";
import { processFile } from "./process-file.ts";
import type { ProcessedFile, Workbench } from "./process-file.ts";
import { createDiskView } from "./site-view.ts";

/** Below this many bytes a thread costs more than it saves. */
const worthThreads = 4_000_000;
/** Files in one order. */
const orderFiles = 32;

/**
 * Processes all files of a task, on all cores if that pays. `onFiles` gets the results as they come, in no particular order.
 *
 * @throws what the first file that failed threw
 */
export async function processAll(
  task: WorkerTask,
  onFiles: (files: readonly ProcessedFile[]) => void,
): Promise<void> {
  const bytes = task.files.reduce((sum, { size }) => sum + size, 0);
  const threads = bytes < worthThreads ? 1 : availableParallelism();
  await (threads < 2 ? processHere(task, onFiles) : processThere(task, threads, onFiles));
}

async function processHere(
  { files, origin, blobs, budget, learned }: WorkerTask,
  onFiles: (files: readonly ProcessedFile[]) => void,
): Promise<void> {
  const bench: Workbench = {
    view: createDiskView(files, origin),
    store: createBlobStore(blobs),
    budget,
    learned,
  };
  for (const file of files) onFiles([processFile(file, bench)]);
}

/** The workers' own file, which has this one's ending: `.ts` from source, `.js` when built. */
const workerFile = new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url);

async function processThere(
  task: WorkerTask,
  threads: number,
  onFiles: (files: readonly ProcessedFile[]) => void,
): Promise<void> {
  let next = 0;
  const order = (): WorkerOrder | undefined => {
    if (next >= task.files.length) return undefined;
    const from = next;
    next = Math.min(from + orderFiles, task.files.length);
    return { from, to: next };
  };
  const workers = Array.from(
    { length: threads },
    () => new Worker(workerFile, { workerData: task, resourceLimits: { maxYoungGenerationSizeMb: 16 } }),
  );
  try {
    await Promise.all(workers.map((worker) => keepBusy(worker, order, onFiles)));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function keepBusy(
  worker: Worker,
  order: () => WorkerOrder | undefined,
  onFiles: (files: readonly ProcessedFile[]) => void,
): Promise<void> {
  return new Promise((done, fail) => {
    const send = (): void => {
      const next = order();
      if (next === undefined) done();
      else worker.postMessage(next);
    };
    worker.on("message", (answer: WorkerAnswer) => {
      if (answer.kind === "failed") fail(errorOf(answer));
      else {
        try {
          onFiles(answer.files);
          send();
        } catch (error) {
          fail(error);
        }
      }
    });
    worker.on("error", fail);
    worker.on("exit", (code) => fail(new Error(`A hardening thread ended by itself, with ${code}.`)));
    send();
  });
}

function errorOf({ code, message, hint, stack }: WorkerAnswer & { kind: "failed" }): Error {
  if (code !== undefined) return new CurtainwallError(code, message, hint === undefined ? {} : { hint });
  return Object.assign(new Error(message), stack === undefined ? {} : { stack });
}
