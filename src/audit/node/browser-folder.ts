import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One launch at a time: which folder is for temporary files is a matter of the whole process. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Starts a browser that writes all it writes, its profile too, into a folder of its own, which goes with it; and removes those that are left of processes
 * which were killed.
 */
export async function inOwnFolder<Running>(
  start: () => Promise<Running>,
): Promise<{ running: Running; remove: () => void }> {
  const mine = last.then(() => startIn(start));
  last = mine.catch(() => undefined);
  return mine;
}

async function startIn<Running>(
  start: () => Promise<Running>,
): Promise<{ running: Running; remove: () => void }> {
  removeLeftFolders();
  const folder = mkdtempSync(join(tmpdir(), `curtainwall-browser-${process.pid}-`));
  const remove = (): void => {
    process.off("exit", remove);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.on("exit", remove);
  const { TMPDIR: before } = process.env;
  // Playwright asks for it as it starts a browser, and takes no option instead.
  process.env["TMPDIR"] = folder;
  try {
    return { running: await start(), remove };
  } catch (error) {
    remove();
    throw error;
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}

const folderName = /^curtainwall-browser-(\d+)-\w{6}$/;

function removeLeftFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(folderName.exec(name)?.[1]);
    const path = join(tmpdir(), name);
    if (pid > 0 && isGone(pid) && isOwn(path)) rmSync(path, { recursive: true, force: true });
  }
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Anybody may make a name in the folder for temporary files. */
function isOwn(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && stats.uid === process.getuid?.();
}
