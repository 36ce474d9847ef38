import { z } from "zod";
import { closeObjects } from "../../contract/index.ts";
import type { ContractRoute, ContractStream, Schema } from "../../contract/index.ts";
import { printable } from "../evidence.ts";
import { readEvents } from "../answers/event-stream.ts";
import type { Exchange } from "../probes/probe.ts";
import { mediaType } from "./shared.ts";

/** How long an event stream is listened to where its events are what is looked at. */
export const listenLonger = { maxMs: 2500, maxEvents: 20, quietMs: 500 } as const;

/** What a success holds beyond what the contract declares; `none`: it holds nothing to look at. */
export type SuccessFault = { kind: "fault" | "none"; what: string } | undefined;

const fault = (what: string): SuccessFault => ({ kind: "fault", what });

/** Looks for what a success holds beyond what the contract declares. */
export function successFault({ response, stream }: ContractRoute, exchange: Exchange): SuccessFault {
  if (stream?.kind === "events") return eventsFault(stream, exchange);
  if (stream?.kind === "download") return downloadFault(stream, exchange);
  if (response === undefined)
    return exchange.response.body.length === 0 ? undefined : fault("there is a body where none is declared");
  if (exchange.response.truncated) return fault("the body is longer than what is read here");
  const what = jsonFault(response, exchange.response.text());
  return what === undefined ? undefined : fault(what);
}

/** Says how a JSON text differs from its schema, fields that it does not declare included. */
export function jsonFault(schema: Schema, text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "the body is not JSON";
  }
  const result = z.safeParse(closeObjects(schema, "refuse"), value);
  const [issue] = result.error?.issues ?? [];
  return issue === undefined ? undefined : printable(`at /${issue.path.join("/")}: ${issue.message}`, 200);
}

function eventsFault(
  { events }: Extract<ContractStream, { kind: "events" }>,
  exchange: Exchange,
): SuccessFault {
  if (mediaType(exchange) !== "text/event-stream") return fault("it is no text/event-stream");
  const seen = readEvents(exchange.response.text());
  if (seen.length === 0) return { kind: "none", what: "no event came while it was listened to" };
  for (const { name, data, otherFields } of seen) {
    const schema = events.get(name);
    if (schema === undefined) return fault(`an event "${printable(name, 60)}" that is not declared`);
    if (otherFields.length > 0) return fault(`a line "${printable(otherFields[0] ?? "", 60)}" in an event`);
    const what = jsonFault(schema, data);
    if (what !== undefined) return fault(`event ${name}: ${what}`);
  }
  return undefined;
}

/** A file is saved, never shown: else it could run as a page of the site. */
function downloadFault(
  { types, maxBytes, fileName }: Extract<ContractStream, { kind: "download" }>,
  exchange: Exchange,
): SuccessFault {
  const { response } = exchange;
  const disposition = response.header("content-disposition") ?? "";
  if (!/^attachment(?:;|$)/i.test(disposition)) return fault("it is no attachment");
  if (fileName !== undefined && !disposition.includes(fileName))
    return fault(`it is not offered as ${fileName}`);
  if (!types.includes(mediaType(exchange)))
    return fault(`its type is "${printable(mediaType(exchange), 60)}"`);
  if (response.header("x-content-type-options")?.toLowerCase() !== "nosniff")
    return fault("its type may be guessed anew (no nosniff)");
  return response.body.length > maxBytes ? fault(`it is longer than ${maxBytes} bytes`) : undefined;
}
