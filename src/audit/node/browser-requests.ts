import type { BrowserContext, CDPSession, Request } from "playwright-core";
import { CurtainwallError } from "../../shared/index.ts";
import type { PageVisit } from "../probes/probe.ts";

/** What a page asks for, bounded in number and in length. */
export interface NotedRequests {
  readonly asked: PageVisit["asked"];
  /** Forgets everything, for the next page. */
  clear(): void;
  /** Does something with the page. @throws `AUDIT_ANSWER_INVALID` as soon as the page asks for too much to be noted: of what is left out nobody knows anything. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

/** Far above what a page needs, and few enough to keep. */
const maxRequests = 2000;
/** The debugger tells of a request, and the browser's own API too. */
const maxNotes = 2 * maxRequests;
const maxUrlLength = 4096;
/** Of all addresses together: a part of a long text keeps the whole of it in memory. */
const maxCharacters = 16_777_216;

/**
 * Notes what is asked for, in frames and in what they open too. An answer that the browser keeps from the page is known to the debugger alone, and of the page
 * itself alone.
 */
export async function noteRequests(context: BrowserContext, devtools: CDPSession): Promise<NotedRequests> {
  const asked: PageVisit["asked"][number][] = [];
  const sent = new Map<string, { method: string; url: string }>();
  const keptBack = new Set<string>();
  let count = 0;
  let characters = 0;
  let giveUp = (): void => undefined;
  const note = (method: string, url: string, status: number | undefined): void => {
    if (asked.length < maxNotes) asked.push({ method, url: url.slice(0, maxUrlLength), status });
  };
  devtools.on("Network.requestWillBeSent", ({ requestId, request: { method, url } }) => {
    if (sent.size < maxRequests) sent.set(requestId, { method, url: url.slice(0, maxUrlLength) });
    else giveUp();
  });
  devtools.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => {
    const request = sent.get(requestId);
    if (request === undefined) return;
    keptBack.add(keyOf(request.method, request.url));
    note(request.method, request.url, statusCode);
  });
  await devtools.send("Network.enable");
  const settle = async (request: Request): Promise<void> => {
    if (count > maxRequests) return;
    const response = await request.response().catch(() => null);
    const isKnown = keptBack.has(keyOf(request.method(), request.url()));
    if (response !== null || !isKnown) note(request.method(), request.url(), response?.status());
  };
  context.on("request", (request) => {
    characters += request.url().length;
    if (++count > maxRequests || characters > maxCharacters) giveUp();
  });
  context.on("requestfinished", (request) => void settle(request));
  context.on("requestfailed", (request) => void settle(request));
  return {
    asked,
    clear() {
      asked.length = count = characters = 0;
      sent.clear();
      keptBack.clear();
    },
    during: (work) =>
      new Promise((resolve, reject) => {
        giveUp = () => reject(tooMany());
        work().then(resolve, reject);
      }),
  };
}

const keyOf = (method: string, url: string): string => `${method} ${url.slice(0, maxUrlLength)}`;

const tooMany = (): CurtainwallError =>
  new CurtainwallError(
    "AUDIT_ANSWER_INVALID",
    `the page asks for more than ${maxRequests} addresses, or for longer ones than anybody reads, and what it does beyond them nobody knows`,
  );

/**
 * Sends headers with the next request for a document at this address, and with none that follows from it: a redirect or a picture elsewhere would carry a
 * caller's token away.
 */
export async function sendOnce(
  devtools: CDPSession,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  let isSent = false;
  devtools.on("Fetch.requestPaused", ({ requestId, request, redirectedRequestId }) => {
    const isFirst = !isSent && redirectedRequestId === undefined && isAt(request.url, url);
    isSent ||= isFirst;
    const own = isFirst ? { headers: entriesOf({ ...request.headers, ...headers }) } : {};
    // A page that is left meanwhile asks for nothing any more.
    devtools.send("Fetch.continueRequest", { requestId, ...own }).catch(() => undefined);
  });
  await devtools.send("Fetch.enable", { patterns: [{ urlPattern: "*", resourceType: "Document" }] });
}

/** What is asked for has no fragment. */
const isAt = (asked: string, url: URL): boolean => asked.split("#")[0] === url.href.split("#")[0];

const entriesOf = (headers: Readonly<Record<string, string>>): { name: string; value: string }[] =>
  Object.entries(headers).map(([name, value]) => ({ name, value }));
