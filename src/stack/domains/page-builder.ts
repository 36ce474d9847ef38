import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { rebuildPage } from "../../site/node.ts";
import { recordMissed } from "../builder/record-missed.ts";
import { writePageReport } from "../builder/write-page-report.ts";
import type { PageOrder } from "../builder/write-page-report.ts";

/**
 * Makes one page of a site where templates can do no harm, as `builder.ts` makes all of them. It loads neither the contract nor Zod, and
 * whatever is not certain it leaves to that.
 */

/** Behind the usual ones, as for a builder. */
const reportFd = 3;

const order = JSON.parse(process.argv[2] ?? "{}") as PageOrder;
const missed = recordMissed();
const page = await rebuildPage(order).catch(() => undefined);
const out = createWriteStream("", { fd: reportFd, autoClose: false });
for (const part of writePageReport(page, missed())) out.write(part);
out.end();
await finished(out);
// A template may have left a timer or a handle behind.
process.exit(0);
