import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { LedgerProbe } from "../../probes/ledger-probe.ts";

/** What no log may hold, with its name for the report. */
interface Needle {
  readonly name: string;
  readonly value: string;
}

/** Canaries of the plan, and what says who the audit's identities are. */
export async function unloggable(context: AuditContext, tally: Tally): Promise<Needle[]> {
  const { plan, tokens } = context;
  const canaries = plan.canaries ?? [];
  if (canaries.length === 0) tally.miss("the plan names no canary");
  const needles = canaries.map((value, index): Needle => ({
    name: `canary ${index + 1} of the plan`,
    value,
  }));
  for (const name of Object.keys(plan.identities ?? {})) {
    const credential = tokens.isProgram(name) ? await tokens.apiKey(name) : await tokens.valid(name);
    // Of a token the signature is what makes it one.
    const value = credential.slice(credential.lastIndexOf(".") + 1);
    needles.push({ name: `the ${tokens.isProgram(name) ? "API key" : "token"} of ${name}`, value });
  }
  return needles;
}

/** As much as is searched at once, in bytes. */
const blockBytes = 1_048_576;

/**
 * Looks for texts in all that is kept of the log.
 *
 * @param control what does stand in it: where that is not found, that others are not says nothing
 */
export async function searchLog(
  ledger: LedgerProbe,
  needles: readonly Needle[],
  control: string,
  tally: Tally,
): Promise<void> {
  const forms = needles.flatMap(({ name, value }) => formsOf(value).map((form) => ({ name, form })));
  const found = new Set<string>();
  let hasControl = false;
  let bytes = 0;
  const look = (text: string): void => {
    bytes += text.length;
    hasControl ||= text.includes(control);
    for (const { name, form } of forms) if (!found.has(name) && text.includes(form)) found.add(name);
  };
  let block: string[] = [];
  let size = 0;
  const decoder = new TextDecoder();
  for await (const line of ledger.kept()) {
    block.push(decoder.decode(line));
    size += line.length;
    if (size < blockBytes) continue;
    look(block.join("\n"));
    [block, size] = [[], 0];
  }
  look(block.join("\n"));
  if (!hasControl) return tally.miss("the search did not find what does stand in the log");
  for (const name of found) tally.fail({ kind: "measurement", about: "the log holds", value: name });
  if (found.size < needles.length)
    tally.pass({
      kind: "measurement",
      about: `canaries of the plan and credentials of its identities in all that is kept of the log (${Math.ceil(bytes / 1024)} KiB), in clear, escaped or encoded`,
      value: found.size,
      unit: `of ${needles.length}`,
    });
}

/** A text in clear, as JSON and as addresses write it, in hexadecimal, and in base64 wherever it begins. */
function formsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    ...[0, 1, 2].map((shift) => base64Within(bytes, shift)),
  ];
  return [...new Set([...forms, ...forms.slice(-3).map(urlSafe)])].filter((form) => form.length >= 6);
}

/** The characters of base64 that depend on these bytes alone, if so many come before them. */
function base64Within(bytes: Uint8Array, shift: number): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(shift), ...bytes));
  const from = Math.ceil((shift * 4) / 3);
  return text.slice(from, Math.floor(((shift + bytes.length) * 4) / 3));
}

const urlSafe = (text: string): string => text.replaceAll("+", "-").replaceAll("/", "_");
