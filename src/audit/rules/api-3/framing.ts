import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { isClientError, pagePath, see } from "../shared.ts";
import { answerTo, callByHand, end, firstLine, isServed, readByHand, sizeOf, write } from "./by-hand.ts";
import type { ByHand } from "./by-hand.ts";

interface Wrong {
  readonly how: string;
  readonly bytes: string;
}

const chunked = (body: string, size = Buffer.byteLength(body).toString(16)): string =>
  `${size}${end}${body}${end}0${end}${end}`;

/** What names twice whom it is for, or who sends it. Which of the two was meant nobody can tell. @see RFC 9112 §3.2 */
export const soleLines: Check = {
  name: "what says twice for whom it is, or from whom, is refused",
  kind: "live",
  attack: { kind: "input", promise: "edge", per: "site" },
  isActive: true,
  isSupporting: true,
  run: async (context, tally) => {
    const parts = await readByHand(context);
    const { host } = context.target;
    const others = parts.lines.filter(([name]) => name !== "host");
    const token = parts.lines.find(([name]) => name === "authorization");
    const wrongs: Wrong[] = [
      { how: "two Host lines", bytes: write(firstLine(parts), [["host", host], ...parts.lines]) },
      {
        how: "a second Host line for another",
        bytes: write(firstLine(parts), [...parts.lines, ["host", "audit.invalid"]]),
      },
      { how: "no Host line", bytes: write(firstLine(parts), others) },
      {
        how: "a whole address of another host in its first line",
        bytes: write(firstLine(parts, `https://audit.invalid${parts.request.path}`), parts.lines),
      },
      ...(token === undefined
        ? []
        : [{ how: "two Authorization lines", bytes: write(firstLine(parts), [...parts.lines, token]) }]),
    ];
    await refuseAll(context, tally, parts, wrongs);
  },
};

/** What ends in two places, to two readers: the second of them takes the rest for a request of its own. @see RFC 9112 §6.3, §11.2 */
export const framing: Check = {
  name: "what ends in two places is refused",
  kind: "live",
  attack: { kind: "input", promise: "edge", per: "site" },
  isActive: true,
  isSupporting: true,
  run: async (context, tally) => {
    const read = await readByHand(context);
    const [name = "host", value = ""] = read.lines[0] ?? [];
    const lines = (text: string): string => `${firstLine(read)}${end}${text}${end}`;
    const rest = read.lines.map(([key, said]) => `${key}: ${said}${end}`).join("");
    await refuseAll(context, tally, read, [
      { how: "a space before a colon", bytes: lines(`${rest}x-audit : 1${end}`) },
      { how: "a line that goes on in the next", bytes: lines(`${rest}x-audit: 1${end} 2${end}`) },
      { how: "a bare CR in a value", bytes: lines(`${rest}x-audit: 1\rx-other: 2${end}`) },
      { how: "a line without a name", bytes: lines(`${rest}: 1${end}`) },
      {
        how: "lines that end with LF alone",
        bytes: `${firstLine(read)}\n${name}: ${value}\n${rest.slice(`${name}: ${value}${end}`.length).replaceAll(end, "\n")}\n`,
      },
    ]);
    const written = await writeOf(context);
    if (written !== undefined) await refuseAll(context, tally, written, twoEnds(written));
  },
};

function twoEnds(parts: ByHand): Wrong[] {
  const { body } = parts;
  const lines = parts.lines.filter(([name]) => name !== "content-length");
  const first = firstLine(parts);
  const coded = ["transfer-encoding", "chunked"] as const;
  const sized = ["content-length", sizeOf(body)] as const;
  return [
    { how: "a length and chunks", bytes: write(first, [...lines, sized, coded], chunked(body)) },
    {
      how: "chunks and a length",
      bytes: write(first, [...lines, coded, ["content-length", "0"]], chunked(body)),
    },
    {
      how: "two lengths",
      bytes: write(first, [...lines, sized, ["content-length", String(Buffer.byteLength(body) + 1)]], body),
    },
    {
      how: "a length with a sign",
      bytes: write(first, [...lines, ["content-length", `+${sizeOf(body)}`]], body),
    },
    {
      how: "an unknown coding",
      bytes: write(first, [...lines, ["transfer-encoding", "xchunked"]], chunked(body)),
    },
    {
      how: "chunks that are not the last coding",
      bytes: write(first, [...lines, ["transfer-encoding", "chunked, identity"]], chunked(body)),
    },
    {
      how: "a chunk's size in another way",
      bytes: write(first, [...lines, coded], chunked(body, `0x${Buffer.byteLength(body).toString(16)}`)),
    },
    {
      how: "a chunk's size that ends with LF alone",
      bytes: write(first, [...lines, coded], chunked(body).replace(end, "\n")),
    },
  ];
}

async function writeOf(context: AuditContext): Promise<ByHand | undefined> {
  const routes = context.contract.routes.filter(
    ({ body, webhook, createsSession }) => body !== undefined && webhook === undefined && !createsSession,
  );
  for (const route of routes.toSorted((one, other) => rank(one) - rank(other))) {
    const parts = await callByHand(context, route);
    if (parts !== undefined && parts.body !== "") return parts;
  }
  return undefined;
}

const rank = ({ access, method }: ContractRoute): number =>
  (access.kind === "everyone" ? 0 : 1) + (method === "POST" ? 0 : 2);

/** Sends what is wrong, and what is right before and after it: that only the latter is served says that it was the fault that was refused. */
async function refuseAll(
  context: AuditContext,
  tally: Tally,
  parts: ByHand,
  wrongs: readonly Wrong[],
): Promise<void> {
  if (!(await isServed(context, tally, parts))) return;
  for (const { how, bytes } of wrongs) {
    const response = await answerTo(context, bytes);
    const about = `${parts.about}: ${how}`;
    if (response === undefined)
      tally.pass({ kind: "measurement", about: `${about}: the target`, value: "hangs up" });
    else if (response.status === 429) tally.miss(`${about}: it was answered 429, for its number`);
    else
      tally.expect(
        isClientError(response.status) || response.status === 501,
        see(context, about, { request: parts.request, response }),
      );
    // Who hangs up on all may be gone.
    if (response === undefined)
      await context.wire.send({ method: "GET", path: encodeURI(pagePath(context)) });
  }
}
