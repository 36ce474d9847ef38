import { randomUUID } from "node:crypto";
import type { Server } from "node:https";
import { createApi, nothingHere, refusedKey, says } from "./api.ts";
import type { ApiAnswer, Certificate } from "./api.ts";

/** A mail as it was handed in. */
export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly replyTo?: string;
  readonly subject: string;
  readonly text: string;
}

/** Options of {@link createPostmaster}. */
export interface PostmasterOptions {
  readonly certificate: Certificate;
  readonly key: string;
  /** Sends it: here, keeps it. */
  readonly deliver: (id: string, mail: Mail) => void;
}

/** A service that sends mail for whoever has a key, to anybody. */
export function createPostmaster({ certificate, key, deliver }: PostmasterOptions): Server {
  return createApi(certificate, ({ method, url, headers, body }): ApiAnswer => {
    if (!says(headers["x-api-key"], key)) return refusedKey;
    if (method !== "POST" || url.pathname !== "/v1/messages") return nothingHere;
    const mail = readMail(body);
    if (mail === undefined) return { status: 422, body: { error: "That is no mail." } };
    const id = randomUUID();
    deliver(id, mail);
    return { status: 202, body: { id } };
  });
}

function readMail(text: string): Mail | undefined {
  try {
    const mail = JSON.parse(text) as Mail;
    const parts = [mail.from, mail.to, mail.subject, mail.text, mail.replyTo ?? ""];
    return parts.every((part) => typeof part === "string") ? mail : undefined;
  } catch {
    return undefined;
  }
}
