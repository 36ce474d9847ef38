/** What the edge refused, or gave up on. */
export type EdgeEventKind =
  /** A connection over a limit: closed before TLS. */
  | "connection-refused"
  /** A TLS handshake that failed or took too long. */
  | "handshake-failed"
  /** A request that was answered with an error by the edge itself. */
  | "request-refused"
  /** A request of which nobody can tell whose it is: see `edge.proxies` in the contract. */
  | "client-unknown"
  /** A client that sent or read too slowly, or stayed idle too long in the middle of something. */
  | "client-too-slow"
  /** An HTTP/2 session that broke the protocol or a limit of it. */
  | "session-refused"
  /** An {@link ApiHandler} that threw, or gave an answer that can't be sent. */
  | "api-failed";

/** Something that the edge refused. Holds nothing of a request's headers, query or body. */
export interface EdgeEvent {
  readonly kind: EdgeEventKind;
  /** Normalised: an IPv4 address that came mapped into IPv6 is written as IPv4. Empty when the client was gone already. */
  readonly remoteAddress: string;
  /** The status that was sent, if any was. */
  readonly status?: number;
  /** One short phrase, or an error's code. */
  readonly detail: string;
}
