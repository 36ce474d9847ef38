/** Gets a script of another site by its address; undefined if there is none to be had. */
export type FetchScript = (
  url: string,
) => Promise<{ readonly contentType: string; readonly bytes: Uint8Array } | undefined>;

const timeoutMs = 15_000;
const maxBytes = 10 * 1_048_576;

/** Asks for a script by GET, without cookies or a referrer. One that does not come whole and in time does not come. */
export const fetchForeignScript: FetchScript = async (url) => {
  try {
    const answer = await fetch(url, {
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!answer.ok || answer.body === null) return undefined;
    const bytes = await readAtMost(answer.body, maxBytes);
    const contentType = answer.headers.get("content-type") ?? "text/javascript";
    return bytes === undefined ? undefined : { contentType, bytes };
  } catch {
    return undefined;
  }
};

async function readAtMost(body: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
