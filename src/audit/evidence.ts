import type { ProbeRequest, ProbeResponse } from "./probe.ts";

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
  /** The same request as a command. Tokens are written as variables. */
  reproduce: string;
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
  origin: string,
  { request, response }: { request: ProbeRequest; response: ProbeResponse },
): ExchangeEvidence {
  const body = request.body === undefined ? undefined : describeBytes(request.body);
  const target = printable(request.path, 300);
  return {
    kind: "exchange",
    about: printable(about),
    request: {
      method: request.method,
      url: `${origin}${target}`,
      protocol: response.protocol,
      headers: (request.headers ?? []).map(([name, value]) =>
        printable(`${name}: ${hideToken(name, value, request.tokenName)}`, 200),
      ),
      ...(body === undefined ? {} : { body }),
    },
    response: {
      status: response.status,
      headers: response.headers
        .slice(0, maxHeaders)
        .map(([name, value]) => printable(`${name}: ${hideCookie(name, value)}`, 400)),
      body: printable(response.text()),
      bytes: response.body.length,
    },
    reproduce: curl(origin, request, response.protocol),
  };
}

/** A cookie's name and attributes are evidence; its value may be a session. */
function hideCookie(name: string, value: string): string {
  return name === "set-cookie" ? value.replace(/=[^;]*/, "=[hidden]") : value;
}

function hideToken(name: string, value: string, tokenName: string | undefined): string {
  if (name.toLowerCase() !== "authorization") return value;
  return `Bearer [${tokenName ?? "token"}]`;
}

function describeBytes(body: Uint8Array | string): string {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body.subarray(0, maxText * 4));
  return printable(text);
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const variable = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_");

function curl(origin: string, request: ProbeRequest, protocol: string): string {
  const parts = ["curl", "-gik", "--path-as-is", protocol === "h2" ? "--http2" : "--http1.1"];
  if (request.method === "HEAD") parts.push("--head");
  else if (request.method !== "GET") parts.push("-X", request.method);
  for (const [name, value] of request.headers ?? []) {
    if (name === "content-length") continue;
    if (name === "authorization")
      parts.push("-H", `"authorization: Bearer $${variable(request.tokenName ?? "token")}"`);
    else parts.push("-H", quote(printable(`${name}: ${value}`, 300)));
  }
  if (request.body !== undefined) {
    const text = typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body);
    const isShort = text.length <= 300 && printable(text, 300) === text && !text.includes("\ufffd");
    parts.push(
      ...(isShort
        ? ["--data-binary", quote(text)]
        : ["--data-binary", `@body  # ${text.length} characters: see the evidence`]),
    );
  }
  return [...parts.slice(0, 1), quote(`${origin}${printable(request.path, 300)}`), ...parts.slice(1)].join(
    " ",
  );
}
