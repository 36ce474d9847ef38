/** A request as its sender signed it. */
export interface SignedRequest {
  /** The key of the route that it came to. */
  readonly route: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  /** To the byte, as it came. */
  readonly body: Uint8Array;
}

/** What is found of a signed request. */
export type SignatureVerdict =
  | {
      readonly kind: "genuine";
      /**
       * Told once how it is to be answered: taken (2xx), or not, so that it counts as new when its sender tries again. Resolves once that is
       * remembered; rejects if it can't be.
       */
      readonly settle: (isTaken: boolean) => Promise<void>;
    }
  /** It was taken already, and its sender missed the answer. */
  | { readonly kind: "repeated" }
  /** The same one is under way. */
  | { readonly kind: "under-way" }
  | { readonly kind: "refused"; /** For the log. */ readonly reason: string }
  | { readonly kind: "unavailable"; /** For the log. */ readonly reason: string };

/** Checks what senders of webhooks sign. The keys are where it is, not here. */
export interface WebhookVerifier {
  verify(request: SignedRequest): Promise<SignatureVerdict>;
}
