import { defineFunction } from "curtainwall/functions";
import type contract from "../curtainwall.config.ts";

/** Hands a visitor's message to the postmaster. To whom it goes is the contract's to say, and not this code's. */
export default defineFunction<typeof contract, "POST /api/contact">(async ({ body, settings, signal }) => {
  const sent = await fetch(`${settings["mail"]}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      from: "site@bakery.example",
      to: "counter@bakery.example",
      replyTo: body.email,
      subject: `From the site: ${body.name}`,
      text: body.message,
    }),
    signal,
  });
  if (!sent.ok) throw new Error(`the postmaster answered ${sent.status}`);
  const { id } = (await sent.json()) as { id: string };
  return { id, receivedAt: new Date().toISOString() };
});
