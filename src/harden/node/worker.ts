import { parentPort, workerData } from "node:worker_threads";
import { isCurtainwallError } from "../../shared/index.ts";
import { createBlobStore } from "./blob-store.ts";
import type { WorkerAnswer, WorkerOrder, WorkerTask } from "./messages.ts";
import { processFile } from "./process-file.ts";
import type { Workbench } from "./process-file.ts";
import { createDiskView } from "./site-view.ts";

// One thread that hardens files. It is told which, a few at a time, so that all threads end together.

const { files, origin, blobs, budget, learned, settings } = workerData as WorkerTask;
const bench: Workbench = {
  view: createDiskView(files, origin),
  store: createBlobStore(blobs),
  budget,
  learned,
  settings,
};

function answer({ from, to }: WorkerOrder): WorkerAnswer {
  try {
    return { kind: "done", files: files.slice(from, to).map((file) => processFile(file, bench)) };
  } catch (error) {
    const known = isCurtainwallError(error) ? error : undefined;
    return {
      kind: "failed",
      code: known?.code,
      message: error instanceof Error ? error.message : String(error),
      hint: known?.hint,
      stack: error instanceof Error ? error.stack : undefined,
    };
  }
}

parentPort?.on("message", (order: WorkerOrder) => parentPort?.postMessage(answer(order)));
