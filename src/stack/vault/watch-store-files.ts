import { storeFiles } from "./store-files.ts";

/** Options of {@link watchStoreFiles}. */
export interface WatchStoreFilesOptions {
  /** The store's file, by its absolute path. */
  readonly file: string;
  /** What the vault opened. */
  readonly opened: string;
  readonly onReplaced: () => void;
}

const lookEveryMs = 200;

/**
 * Notices that others than the files that a vault opened lie where its store lay, or none: a copy that was laid back, a folder that was moved. The
 * vault itself would wait forever for what is written there, and where a whole folder was moved it can't see that. Tells once, and returns what ends it.
 */
export function watchStoreFiles({ file, opened, onReplaced }: WatchStoreFilesOptions): () => void {
  const timer = setInterval(() => {
    if (storeFiles(file) === opened) return;
    clearInterval(timer);
    onReplaced();
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
