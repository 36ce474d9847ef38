import { ApiError, createClient } from "curtainwall/client";
import { island } from "curtainwall/island";
import { useEffect, useState } from "preact/hooks";
import { z } from "zod";
import type stack from "../curtainwall.config.ts";

const api = createClient<typeof stack>();

type Answer =
  | { kind: "waiting" }
  | { kind: "there"; available: ReadonlyMap<string, boolean> }
  | { kind: "failed"; words: string };

/** What is on the shelf right now. Without a script, or without the shop, it says what is baked and where to ask. */
export const Stock = island(
  "Stock",
  { breads: z.array(z.object({ id: z.string().max(40), name: z.string().max(80) })).max(20) },
  ({ breads }) => {
    const [answer, setAnswer] = useState<Answer>({ kind: "waiting" });
    const [asked, setAsked] = useState(0);
    useEffect(() => {
      const gone = new AbortController();
      ask(gone.signal).then(setAnswer, (error: unknown) => {
        if (!gone.signal.aborted) setAnswer({ kind: "failed", words: wordsFor(error) });
      });
      return () => gone.abort();
    }, [asked]);
    return (
      <section class="stock" aria-labelledby="stock-title">
        <h2 id="stock-title">Left today</h2>
        <ul>
          {breads.map(({ id, name }) => (
            <li key={id}>
              <span>{name}</span> <span class="stock-state">{stateOf(id, answer)}</span>
            </li>
          ))}
        </ul>
        <p class="stock-words" role="status">
          {answer.kind === "failed" ? answer.words : summaryOf(answer)}
        </p>
        <button type="button" class="quiet-button" onClick={() => setAsked(asked + 1)}>
          Look again
        </button>
      </section>
    );
  },
);

async function ask(signal: AbortSignal): Promise<Answer> {
  const { products } = await api("GET /api/products", { signal, timeoutMs: 5000 });
  return { kind: "there", available: new Map(products.map(({ id, available }) => [id, available])) };
}

function stateOf(id: string, answer: Answer): string {
  if (answer.kind !== "there") return "·";
  const available = answer.available.get(id);
  if (available === undefined) return "not today";
  return available ? "on the shelf" : "sold out";
}

function summaryOf(answer: Answer): string {
  if (answer.kind !== "there") return "The counter knows: 4 Weir Lane.";
  const left = [...answer.available.values()].filter(Boolean).length;
  return left === 0 ? "All gone for today." : `${left} of ${answer.available.size} still on the shelf.`;
}

function wordsFor(error: unknown): string {
  const known = error instanceof ApiError ? error : undefined;
  if (known?.retryAfterSeconds !== undefined) return "Too many questions at once. Look again in a minute.";
  return `The shop can’t be asked just now${known?.requestId === undefined ? "" : ` (${known.requestId})`}.`;
}
