/** A request as it is to appear on the wire: nothing is normalised, added to or repaired but `host` and `content-length`. */
export interface ProbeRequest {
  method: string;
  /** Path and query, as sent. */
  path: string;
  headers?: readonly (readonly [name: string, value: string])[];
  body?: Uint8Array | string;
  /** Default `"http/1.1"`. */
  protocol?: Protocol;
  /** Source address to connect from; only loopback ones, and of a network that leads there. */
  client?: string;
  /** Where else the same stack listens, as an origin: another host, or IPv6. Over HTTP/1.1 alone. The name that it answers to stays the target's. */
  at?: string;
  /** Tokens and keys among the headers, which the report does not repeat. */
  credentials?: readonly ProbeCredential[];
  /** Headers by which the body is signed, lower-case. The report does not repeat them either: one signed for later may still be taken. */
  signedBy?: readonly string[];
  /** The largest answer that is read, in bytes. Default: the wire's. */
  maxBytes?: number;
  /** Takes an answer that goes on as far as it has come, once it was heard for so long. Default: it must end. */
  listen?: Listening;
  /** Goes over this connection and no other. Its protocol and client are the connection's. */
  over?: KeptConnection;
}

/** A token or a key in a request. */
export interface ProbeCredential {
  /** The header that it stands in, lower-case. */
  header: string;
  /** What stands before it. */
  scheme: string;
  value: string;
  /** What the report calls it. */
  name: string;
  /** The identity whose own it is; none for a forged one. */
  of?: string;
}

/** How much of an answer in parts is waited for. */
export interface Listening {
  /** From its headers on, in milliseconds. */
  maxMs: number;
  maxEvents: number;
  /** How long it may stay silent once an event has come, in milliseconds. Default: as long as {@link maxMs} lasts. */
  quietMs?: number;
}

export type Protocol = "http/1.1" | "h2";

/** An answer as it came, bounded. */
export interface ProbeResponse {
  protocol: Protocol;
  status: number;
  /** Lower-case names, in order, repeated ones repeated. */
  headers: readonly (readonly [name: string, value: string])[];
  body: Uint8Array;
  /** The body was longer than what was read. */
  truncated: boolean;
  durationMs: number;
  /** The header's value, repeated ones joined by a comma. */
  header(name: string): string | undefined;
  /** The body as text. */
  text(): string;
}

/** A request and its answer. */
export interface Exchange {
  request: ProbeRequest;
  response: ProbeResponse;
}

/** What became of a connection that was written to bit by bit. */
export interface TrickleResult {
  /** The server ended it, or answered. */
  ended: boolean;
  afterMs: number;
  /** What it sent, at most 4 KiB. */
  received: Uint8Array;
}

/** How a connection is written to bit by bit. */
export interface TrickleOptions {
  protocol: Protocol;
  /** Sent at once. */
  head: Uint8Array;
  /** One byte of it a second, over and over. */
  drip: Uint8Array;
  /** When to give up waiting. */
  maxMs: number;
  client?: string;
}

/** One connection, for requests that come one after the other. Opened by the first of them. */
export interface KeptConnection {
  readonly protocol: Protocol;
  readonly client: string | undefined;
  /** @throws `AUDIT_TARGET_UNREACHABLE` or `AUDIT_ANSWER_INVALID`, also once the connection was closed: no other is opened. */
  send: (request: ProbeRequest) => Promise<ProbeResponse>;
  close(): void;
}

/** The target, as an audit rule sees it. All methods are bounded in time and memory, and throw {@link CurtainwallError} when no answer comes. */
export interface Wire {
  /** Makes one request. @throws `AUDIT_TARGET_UNREACHABLE` or `AUDIT_ANSWER_INVALID`. */
  send: (request: ProbeRequest) => Promise<ProbeResponse>;
  /**
   * Makes a request and goes away before it was answered: over HTTP/1.1 with its connection, over HTTP/2 from its stream alone. Resolves when it has gone.
   *
   * @throws as `send` does, where the request could not be made
   */
  abandon: (request: ProbeRequest) => Promise<void>;
  /** Sends bytes over one HTTP/1.1 connection and reads one answer. */
  sendRaw: (bytes: Uint8Array | string) => Promise<ProbeResponse>;
  /** A connection of its own, for requests that name it ({@link ProbeRequest.over}). Who asks for it closes it. */
  connect: (protocol: Protocol, client?: string) => KeptConnection;
  /** Writes slowly and sees when the server has enough. */
  trickle: (options: TrickleOptions) => Promise<TrickleResult>;
  /** Whether requests can come from other loopback addresses, each a client of its own. */
  readonly canChangeClient: boolean;
}

/** What a TLS hop offers. */
export interface TlsProbe {
  /** What it answers to a hello that offers only this version. */
  offer(hop: Hop, version: OldTlsVersion): Promise<OldTlsAnswer>;
  /** Connects as a modern client does, checking the certificate against the authorities of the hop. */
  connect(hop: Hop): Promise<TlsFacts>;
  /** Sends a plain HTTP request where TLS is expected. */
  plain(hop: Hop, request: string): Promise<Uint8Array>;
}

export type OldTlsVersion = "TLS 1.0" | "TLS 1.1" | "TLS 1.2";

/** Somewhere that speaks TLS. */
export interface Hop {
  host: string;
  port: number;
  /** PEM; default the system's authorities. */
  ca?: string;
}

export interface OldTlsAnswer {
  verdict: "refused" | "accepted" | "unclear";
  detail: string;
}

/** What was agreed on. */
export interface TlsFacts {
  protocol: string;
  cipher: string;
  /** Undefined when it verified. */
  certificateProblem: string | undefined;
  /** Whether the certificate is for the host's name, whoever signed it. */
  isForHost: boolean;
  subject: string;
  validUntil: string;
  /** SHA-256 of the leaf's public key, base64. */
  spkiSha256: string;
}

/** A program that ran to its end. */
export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** The project's folder: what git, npm and the file system say about it. */
export interface SourceProbe {
  /** Runs a program in the project's folder, bounded; `undefined` when there is no such program. */
  run(program: string, args: readonly string[]): Promise<Ran | undefined>;
  /** A file's text, `undefined` when there is none. */
  read(file: string): Promise<string | undefined>;
  /** The files of a folder and of those in it, from the project's folder; none where there is no folder. */
  files(folder: string): Promise<readonly string[]>;
}

/** A page loaded in a browser. */
export interface PageVisit {
  status: number | undefined;
  violations: string[];
  /** Marks that injected code left, by {@link markScript} or {@link markCall}. */
  marks: string[];
  /** What was asked for while it was open, by the page and its frames; without a status, no answer came. */
  asked: readonly { readonly method: string; readonly url: string; readonly status: number | undefined }[];
  /** Hosts and ports of this machine and its networks that were asked for meanwhile, and refused: they are nothing of the target's. */
  refused: readonly string[];
}

/** Script that leaves a mark which {@link BrowserProbe.visit} reads back: injected, it tells whether it ran. */
export function markScript(mark: string): string {
  return `document.documentElement.dataset.curtainwallMark=(document.documentElement.dataset.curtainwallMark||'')+' ${mark}'`;
}

/** The same, short and without quotes, for what has to fit into a field of a form. */
export const markCall = (mark: string): string => `cwMark(/${mark}/)`;

/** A real browser. */
export interface BrowserProbe {
  readonly version: string;
  /** Loads a page, by its path or by an address elsewhere; `rewrite` changes the answer's headers and markup on the way, as an injection would. */
  visit: (path: string, rewrite?: PageRewrite, visitor?: Visitor) => Promise<PageVisit>;
}

/** Who visits a page, and how. */
export interface Visitor {
  /** Go along with the request for the page itself, if it is the target's, and with no other: not with what it is redirected to, nor with its pictures. */
  headers?: Readonly<Record<string, string>>;
  /** Stays until it has seen enough, or three seconds. */
  hasSeen?: (asked: PageVisit["asked"]) => boolean;
  /** Follows links that are scripts. */
  clicks?: boolean;
}

export interface PageRewrite {
  /** The answer that the browser gets instead of the server's. */
  headers: readonly (readonly [string, string])[];
  html: string;
  /** Selector of what to click once loaded. */
  click?: string;
}

/** What a search of the built output found. */
export interface OutputSearch {
  /** Files that were looked through. */
  readonly files: number;
  /** Names of the private values that were looked for; never a value. */
  readonly values: readonly string[];
  /** Secrets of the vault, by name, and of which the output was searched for the value. */
  readonly secrets: {
    readonly declared: readonly string[];
    readonly searched: readonly string[];
    readonly unsearched: readonly { readonly name: string; readonly reason: string }[];
  };
  /** Whether names with a public prefix were held against those that the contract declares. */
  readonly isHeldToPublicNames: boolean;
  readonly findings: readonly LeakFinding[];
}

/** What an edge would make of the newest release with other signatures. Nothing that is served changes by it. */
export interface ReleaseTrial {
  /** Those that it is served with. */
  readonly signatures: string;
  /** The code that it would be refused with; undefined: it would be served. */
  refusal(signatures: string): Promise<string | undefined>;
}

/** Something in the output that must not be there. Its text holds no value. */
export interface LeakFinding {
  /** What kind it is, as the leak gate names it: `token-github`, `source-map`. */
  readonly rule: string;
  readonly path: string;
  readonly text: string;
}
