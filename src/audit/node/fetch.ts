import { Agent, fetch as undiciFetch } from "undici";
import type { Dispatcher } from "undici";
import { CurtainwallError } from "../../shared/index.ts";
import { printable } from "../evidence.ts";

/**
 * A `fetch` that never follows a redirect, is over in ten seconds, trusts the given authorities and takes answers of 1 MiB at most.
 *
 * @throws {CurtainwallError} `AUDIT_ANSWER_INVALID`, when an answer is compressed: none is asked for, and 2 KiB may hold gigabytes.
 */
export type BoundFetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Makes a {@link BoundFetch}. */
export function createFetch(ca: string | undefined): BoundFetch {
  const dispatcher: Dispatcher = new Agent({
    connect: ca === undefined ? {} : { ca },
    keepAliveTimeout: 1000,
    // Counted as it comes over the wire, which is what is read as long as nothing is compressed.
    maxResponseSize: 1_048_576,
  });
  return async (url, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("accept-encoding", "identity");
    // undici's types and the platform's describe the same classes twice.
    const response = (await undiciFetch(url, {
      signal: AbortSignal.timeout(10_000),
      ...init,
      headers,
      redirect: "manual",
      dispatcher,
    } as never)) as unknown as Response;
    await assertPlain(url, response);
    return response;
  };
}

async function assertPlain(url: string, { headers, body }: Response): Promise<void> {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (encoding === "" || encoding === "identity") return;
  await body?.cancel();
  throw new CurtainwallError(
    "AUDIT_ANSWER_INVALID",
    `${new URL(url).origin} answered with content-encoding ${printable(encoding, 40)} although the audit asks for none, so it was not read`,
  );
}
