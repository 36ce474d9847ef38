/** For how long a route's answers may be used again. */
export interface CacheOptions {
  /** How long an answer is used again, in seconds, 1 to 86 400. What the upstream says of it (`Cache-Control`, `Expires`, `Vary`) can only shorten that. */
  seconds: number;
  /** How long after that it stands in for an upstream that fails, in seconds, 0 to 604 800. Default 0. */
  staleIfErrorSeconds?: number;
  /** How long it is remembered that there is nothing (404, 410), in seconds, 0 to 3 600. Default 0: it is asked each time. */
  notFoundSeconds?: number;
  /** How long a visitor's browser may use it without asking, in seconds, 0 to 86 400. Default 0: it keeps nothing. */
  browserSeconds?: number;
}

/** What routes say of answers that are used again. */
export interface CacheOption {
  /**
   * Keeps answers of a GET for a while, in each thread of the edge, and asks once however many ask at once. With a caller they are kept for each subject
   * alone. Default: each request asks the upstream.
   */
  cache?: CacheOptions;
}
