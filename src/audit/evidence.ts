import { shellQuote, shellWord } from "./commands.ts";
import type { AttackedOption } from "./attack/kinds.ts";
import type { Commands } from "./commands.ts";
import type { ProbeCredential, ProbeRequest, ProbeResponse } from "./probes/probe.ts";

/** Something that was seen. All text in it is printable: control characters are written as `\u{…}`. */
export type Evidence =
  | ExchangeEvidence
  | {
      kind: "file";
      about: string;
      file: string;
      line?: number;
      excerpt?: string;
      sha256?: string;
    }
  | { kind: "measurement"; about: string; value: number | string; unit?: string }
  | { kind: "command"; about: string; command: string; exitCode: number; output: string }
  | { kind: "contract"; about: string; at: string };

/** A request that was made and what came back. */
export interface ExchangeEvidence {
  kind: "exchange";
  about: string;
  request: { method: string; url: string; protocol: string; headers: string[]; body?: string };
  response: { status: number; headers: string[]; body: string; bytes: number };
  /** The same request as a command that gets its token itself. None where only the audit can make the request. */
  reproduce?: string;
  /** The option of the contract that promises otherwise, where it is another than the check's. */
  promise?: AttackedOption;
}

const maxText = 600;
const maxAnyText = 4000;
const maxHeaders = 40;

/** Characters that would act on a terminal, or reorder text: C0, DEL, C1, bidirectional controls, line separators. */
const unprintable =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;

/** Text that is safe to print anywhere: at most 600 characters, what acts on a terminal written out. */
export function printable(text: string, maxLength: number = maxText): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return short
    .toWellFormed()
    .replace(unprintable, (character) =>
      character === "\n" ? "⏎" : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
}

/** The same evidence with all its text printable, wherever it came from: a certificate's subject, a browser's report. */
export function printableThroughout(evidence: Evidence): Evidence {
  return JSON.parse(JSON.stringify(evidence), (_, value: unknown) =>
    typeof value === "string" ? printable(value, maxAnyText) : value,
  ) as Evidence;
}

/** Puts an exchange into evidence: bounded, printable, without the tokens that it carried. */
export function exchangeEvidence(
  about: string,
  { origin, commands }: { origin: string; commands: Pick<Commands, "audit"> },
  { request, response }: { request: ProbeRequest; response: ProbeResponse },
): ExchangeEvidence {
  const reproduce = curl(`${origin}${request.path}`, request, response.protocol, commands);
  const body = request.body === undefined ? undefined : describeBytes(request);
  const target = printable(hideTokens(request.path, request), 300);
  return {
    kind: "exchange",
    about: printable(about),
    request: {
      method: request.method,
      url: `${request.at ?? origin}${target}`,
      protocol: response.protocol,
      headers: (request.headers ?? []).map(([name, value]) =>
        printable(`${name}: ${hideSecret(name, value, request)}`, 200),
      ),
      ...(body === undefined ? {} : { body }),
    },
    response: {
      status: response.status,
      headers: response.headers
        .slice(0, maxHeaders)
        .map(([name, value]) => printable(hideTokens(`${name}: ${hideCookie(name, value)}`, request), 400)),
      body: printable(hideTokens(response.text(), request)),
      bytes: response.body.length,
    },
    ...(reproduce === undefined ? {} : { reproduce }),
  };
}

/** A cookie's name and attributes are evidence; its value may be a session. */
function hideCookie(name: string, value: string): string {
  return name === "set-cookie" ? value.replace(/=[^;]*/, "=[hidden]") : value;
}

/** Headers that hold what says who calls, whether or not the audit put it there. */
const secretHeaders = new Set(["authorization", "x-api-key", "proxy-authorization", "dpop"]);

/** The token or key that a header of a request holds. */
const credentialIn = (
  { credentials = [] }: ProbeRequest,
  name: string,
  value: string,
): ProbeCredential | undefined =>
  credentials.find((one) => one.header === name && value === `${one.scheme}${one.value}`);

function hideSecret(name: string, value: string, request: ProbeRequest): string {
  const credential = credentialIn(request, name, value);
  if (credential !== undefined) return `${credential.scheme}[${credential.name}]`;
  if (request.signedBy?.includes(name.toLowerCase()) === true) return "[signature]";
  return secretHeaders.has(name.toLowerCase()) ? "[hidden]" : hideTokens(value, request);
}

/** Tokens and keys in a text where none belongs. */
const hideTokens = (text: string, { credentials = [] }: ProbeRequest): string =>
  credentials.reduce((shown, { value, name }) => shown.replaceAll(value, `[${name}]`), text);

function describeBytes(request: ProbeRequest): string {
  const { body = "" } = request;
  return printable(
    hideTokens(
      typeof body === "string" ? body : new TextDecoder().decode(body.subarray(0, maxText * 4)),
      request,
    ),
  );
}

/** Long bodies are left to the audit: a command is there to be read too. */
const maxCommand = 2000;

/** The request as a command; undefined where a shell could not write it, or where its token is forged or its body signed. */
function curl(
  url: string,
  request: ProbeRequest,
  protocol: string,
  commands: Pick<Commands, "audit">,
): string | undefined {
  const { method, headers = [], body, listen, signedBy = [], at } = request;
  // What was signed once is refused the next time.
  if (signedBy.length > 0 || at !== undefined) return undefined;
  if (hideTokens(url, request) !== url) return undefined;
  const words = ["-gik", "--path-as-is", protocol === "h2" ? "--http2" : "--http1.1"];
  if (listen !== undefined) words.push("-N", "--max-time", String(Math.ceil(listen.maxMs / 1000) + 1));
  if (method === "HEAD") words.push("--head");
  else if (method !== "GET") words.push("-X", method);
  const texts = [url];
  for (const [name, value] of headers) {
    if (name === "content-length") continue;
    const credential = credentialIn(request, name, value);
    if (credential === undefined && hideTokens(value, request) !== value) return undefined;
    if (credential === undefined && !secretHeaders.has(name.toLowerCase())) {
      texts.push(value);
      words.push("-H", shellQuote(`${name}: ${value}`));
    } else if (credential?.of === undefined) return undefined;
    else {
      const secret = commands.audit(`--token ${shellWord(credential.of)}`);
      words.push("-H", `"${name}: ${credential.scheme}$(${secret})"`);
    }
  }
  if (body !== undefined) {
    if (!headers.some(([name]) => name === "content-type")) words.push("-H", "'content-type:'");
    const text = typeof body === "string" ? body : new TextDecoder().decode(body);
    texts.push(text);
    words.push("--data-binary", shellQuote(text));
  }
  const line = ["curl", shellQuote(url), ...words].join(" ");
  return line.length <= maxCommand && texts.every(isPlain) ? line : undefined;
}

/** A text that stands in a command as it was sent. What begins with @ curl would read from a file. */
const isPlain = (text: string): boolean =>
  printable(text, maxCommand) === text && !text.includes("\ufffd") && !text.startsWith("@");
