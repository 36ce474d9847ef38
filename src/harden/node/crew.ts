import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
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
  threads?: number,
): Promise<void> {
  const bytes = task.files.reduce((sum, { size }) => sum + size, 0);
  const others = (threads ?? (bytes < worthThreads ? 1 : availableParallelism())) - 1;
  const order = createOrders(task);
  await (others < 1 ? processHere(task, order, onFiles) : processThere(task, others, order, onFiles));
}

async function processHere(
  task: WorkerTask,
  order: () => WorkerOrder | undefined,
  onFiles: (files: readonly ProcessedFile[]) => void,
): Promise<void> {
  const { files, origin, blobs, budget, learned, settings } = task;
  const bench: Workbench = {
    view: createDiskView(files, origin),
    store: createBlobStore(blobs),
    budget,
    learned,
    settings,
  };
  for (let next = order(); next !== undefined; next = order()) {
    onFiles(files.slice(next.from, next.to).map((file) => processFile(file, bench)));
    // Lets the other threads' answers in.
    await setImmediate();
  }
}

/** Hands out a task's files, a few at a time, so that all threads end together. */
function createOrders({ files }: WorkerTask): () => WorkerOrder | undefined {
  let next = 0;
  return () => {
    if (next >= files.length) return undefined;
    const from = next;
    next = Math.min(from + orderFiles, files.length);
    return { from, to: next };
  };
}

/** The workers' own file, which has this one's ending: `.ts` from source, `.js` when built. */
const workerFile = new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url);

async function processThere(
  task: WorkerTask,
  threads: number,
  order: () => WorkerOrder | undefined,
  onFiles: (files: readonly ProcessedFile[]) => void,
): Promise<void> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(workerFile, { workerData: task, resourceLimits: { maxYoungGenerationSizeMb: 8 } }),
  );
  try {
    await Promise.all([
      processHere(task, order, onFiles),
      ...workers.map((worker) => keepBusy(worker, order, onFiles)),
    ]);
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
    let waiting = 0;
    const send = (): void => {
      const next = order();
      if (next !== undefined) {
        waiting++;
        worker.postMessage(next);
      } else if (waiting === 0) done();
    };
    worker.on("message", (answer: WorkerAnswer) => {
      if (answer.kind === "failed") fail(errorOf(answer));
      else {
        try {
          waiting--;
          onFiles(answer.files);
          send();
        } catch (error) {
          fail(error);
        }
      }
    });
    worker.on("error", fail);
    worker.on("exit", (code) => fail(new Error(`A hardening thread ended by itself, with ${code}.`)));
    // One ahead, so that it need not wait for this thread, which works too.
    send();
    send();
  });
}

function errorOf({ code, message, hint, stack }: WorkerAnswer & { kind: "failed" }): Error {
  if (code !== undefined) return new CurtainwallError(code, message, hint === undefined ? {} : { hint });
  return Object.assign(new Error(message), stack === undefined ? {} : { stack });
}
