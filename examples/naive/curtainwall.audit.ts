import { defineAudit } from "curtainwall/audit";
import type { AuditIdentity } from "curtainwall/audit";
import { loginAddress } from "./addresses.ts";

/** Somebody whom the example's login knows. */
function identity(name: string, subject: string, roles: string[] = []): AuditIdentity {
  const token = async (options = ""): Promise<string> => {
    const answer = await fetch(`${loginAddress()}/token?name=${name}${options}`);
    if (!answer.ok) throw new Error(`the login answered ${answer.status}`);
    return answer.text();
  };
  return {
    subject,
    roles,
    token: () => token(),
    expiredToken: () => token("&seconds=1"),
    otherAudienceToken: () => token("&audience=newsletter"),
  };
}

const ada = "0d9a4c52-1f57-4d0e-8f2a-6a1f5f3f0a11";
const ben = "0d9a4c52-1f57-4d0e-8f2a-6a1f5f3f0a22";
const kim = "0d9a4c52-1f57-4d0e-8f2a-6a1f5f3f0a33";
const adasTicket = "5b7c1f6e-8a52-4b0f-9d31-0c6f2b1a7e01";
const bensTicket = "5b7c1f6e-8a52-4b0f-9d31-0c6f2b1a7e02";

export default defineAudit({
  identities: {
    ada: identity("ada", ada),
    ben: identity("ben", ben),
    kim: identity("kim", kim, ["office"]),
  },
  samples: {
    "GET /api/users/:user/tickets": {
      as: {
        ada: { params: { user: ada }, canary: adasTicket },
        ben: { params: { user: ben }, canary: bensTicket },
      },
    },
    "GET /api/tickets/:id": {
      as: {
        ada: { params: { id: adasTicket }, canary: ada },
        ben: { params: { id: bensTicket }, canary: ben },
      },
    },
    "POST /api/reviews": { body: { film: "lanterns", text: "I stayed until the lights came on." } },
    "GET /api/search": { query: { words: "tide" } },
  },
  failures: { "GET /api/search": { query: { words: "don't" } } },
  state: { "POST /api/reviews": "GET /api/reviews" },
  canaries: ["share-canary-of", "door-canary-of-a-ticket"],
  start: "npm start",
});
