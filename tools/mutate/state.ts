import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** What the example had written when it was clean, to begin each trial from. */
export interface CleanState {
  /** Gives the stack's folders back, while no stack runs. The services may run. */
  restoreStack(): void;
  /** Gives the shop's rows and the postmaster's mails back, while they run. */
  restoreRows(): void;
  /** Gives back all that the services wrote, while none of them runs. */
  restoreServices(): void;
}

/** The services' own: they have it open. */
const services = "example";
/** Certificates of what listens, and compiled code, which is checked against its source. */
const kept = ["ca", "code", services];

/** Keeps a copy, in `folder`, of what the example wrote so far. */
export function keepState(state: string, folder: string): CleanState {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyAll(state, folder, (name) => !kept.includes(name));
  mkdirSync(join(folder, services));
  for (const name of readdirSync(join(state, services)))
    if (!name.startsWith("shop.db")) copyFileSync(join(state, services, name), join(folder, services, name));
  withDatabase(join(state, services, "shop.db"), (database) =>
    database.prepare("VACUUM INTO ?").run(join(folder, services, "shop.db")),
  );
  return {
    restoreStack() {
      for (const name of readdirSync(state))
        if (!kept.includes(name)) rmSync(join(state, name), { recursive: true, force: true });
      copyAll(folder, state, (name) => name !== services);
    },
    restoreRows() {
      withDatabase(join(state, services, "shop.db"), (database) =>
        copyRows(database, join(folder, services, "shop.db")),
      );
      const mails = join(state, services, "mails.jsonl");
      const former = join(folder, services, "mails.jsonl");
      if (existsSync(former)) copyFileSync(former, mails);
      else rmSync(mails, { force: true });
    },
    restoreServices() {
      rmSync(join(state, services), { recursive: true, force: true });
      execFileSync("cp", ["-a", join(folder, services), join(state, services)]);
    },
  };
}

/** With owners and modes: domains are users of their own. */
function copyAll(from: string, to: string, isWanted: (name: string) => boolean): void {
  const names = readdirSync(from).filter(isWanted);
  execFileSync("cp", ["-a", ...names.map((name) => join(from, name)), to]);
}

function copyRows(database: DatabaseSync, clean: string): void {
  database.exec("PRAGMA foreign_keys = OFF");
  database.prepare("ATTACH ? AS clean").run(clean);
  const tables = database
    .prepare("SELECT name FROM clean.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map(({ name }) => String(name));
  database.exec(
    [
      "BEGIN IMMEDIATE",
      ...tables.flatMap((name) => [
        `DELETE FROM main."${name}"`,
        `INSERT INTO main."${name}" SELECT * FROM clean."${name}"`,
      ]),
      "COMMIT",
    ].join("; "),
  );
}

function withDatabase(file: string, use: (database: DatabaseSync) => unknown): void {
  const database = new DatabaseSync(file, { timeout: 10_000 });
  try {
    use(database);
  } finally {
    database.close();
  }
}
