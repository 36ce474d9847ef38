import { z } from "zod";
import { pageForms } from "./write-page-report.ts";

const count = z.int().min(0);

/** What stands before a page's bytes. It comes from a process that runs templates: nothing in it is believed unread. */
const Head = z.strictObject({
  path: z.string().max(4096),
  lengths: z.tuple([count, count, count, count]),
  warnings: z.array(z.strictObject({ file: z.string(), line: z.int().optional(), message: z.string() })),
  notes: z.string().regex(/^[0-9a-f]{64}$/),
  missed: z.array(z.string().max(200)).max(200),
});

/** A page that was made by itself. */
export interface PageReport extends Omit<z.infer<typeof Head>, "lengths"> {
  readonly bytes: Readonly<Partial<Record<(typeof pageForms)[number], Uint8Array>>>;
}

const newline = 10;

/** Reads what a page's builder wrote; undefined for anything but a whole report of a page. */
export function readPageReport(report: Uint8Array): PageReport | undefined {
  const end = report.indexOf(newline);
  const head = Head.safeParse(parse(report.subarray(0, Math.max(end, 0))));
  if (!head.success) return undefined;
  const { lengths, ...rest } = head.data;
  const bytes: Partial<Record<(typeof pageForms)[number], Uint8Array>> = {};
  let at = end + 1;
  for (const [index, form] of pageForms.entries()) {
    const length = lengths[index] ?? 0;
    if (length > 0 || form === "identity") bytes[form] = report.subarray(at, at + length);
    at += length;
  }
  return at === report.length ? { ...rest, bytes } : undefined;
}

function parse(line: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return undefined;
  }
}
