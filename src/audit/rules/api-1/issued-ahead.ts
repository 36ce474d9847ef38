import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { signedAnew } from "../../forge/issued.ts";
import type { TokenSigner } from "../../plan/plan.ts";
import type { Exchange } from "../../probes/probe.ts";
import { decodeToken } from "../../requests/tokens.ts";
import { isRefusal, isSuccess, see } from "../shared.ts";
import { answerOf } from "../unserved.ts";
import type { RevokedCall } from "./revoked-calls.ts";

/** How far ahead it says that it was issued: more than a contract forgives. */
const aheadSeconds = 3600;
const lastsSeconds = 600;

/** Judges, once somebody's tokens were revoked, the one that says it was issued later. */
type JudgeIssuedAhead = () => Promise<void>;

/**
 * A token of theirs that says it was issued in an hour. No RFC has it refused; but whoever revokes by time (each token that was issued until then) takes
 * it for one that they signed in for afterwards, and has to refuse it sooner or later. Undefined: the plan signs none, or it is refused already.
 *
 * @param value a token of theirs that was taken, by the call that is made with this one too
 * @see RFC 7519 §4.1.6
 */
export async function issuedAhead(
  context: AuditContext,
  tally: Tally,
  { route, input }: RevokedCall,
  value: string,
): Promise<JudgeIssuedAhead | undefined> {
  const tokens = await makeTokens(value, context.plan.signToken, context.now());
  if (tokens === undefined) return undefined;
  const ask = (token: { name: string; value: string }): Promise<Exchange> =>
    context.caller.call({ route, input, token });
  const about = `${route.key}: a token that says it was issued in an hour (iat)`;

  const control = await ask(tokens.alike);
  if (!isSuccess(control.response.status)) {
    tally.miss(
      `${route.key}: a token of the plan's revocable that the plan signed anew is answered ${answerOf(context, control)}, so what else it signs shows nothing`,
    );
    return undefined;
  }
  const before = await ask(tokens.ahead);
  if (isRefusal(before.response.status)) {
    tally.pass(see(context, `${about} is refused`, before));
    return undefined;
  }
  return async () => {
    const after = await ask(tokens.ahead);
    const { status } = after.response;
    if (isRefusal(status)) tally.pass(see(context, `${about} is refused once it is revoked`, after));
    else if (!isSuccess(status)) tally.miss(`${about} is answered ${answerOf(context, after)}`);
    // Where only the very tokens are refused that they were issued, what else is signed for them says nothing of time.
    else if (!isSuccess((await ask(tokens.alike)).response.status))
      tally.fail(see(context, `${about} was taken before it was revoked, and goes on`, after));
  };
}

/** The token, signed anew, and one that says it was issued later; undefined where none can be made. */
async function makeTokens(
  value: string,
  sign: TokenSigner | undefined,
  nowMs: number,
): Promise<Record<"alike" | "ahead", { name: string; value: string }> | undefined> {
  const token = decodeToken(value);
  const exp = token?.claims.exp;
  if (sign === undefined || token === undefined || typeof exp !== "number") return undefined;
  const withClaims = (claims: object): Promise<string> =>
    signedAnew(sign, { ...token, claims: { ...token.claims, ...claims } });
  const iat = Math.floor(nowMs / 1000) + aheadSeconds;
  return {
    // Most signatures are the same each time: with the same claims it would be the very token.
    alike: { name: "token, signed anew", value: await withClaims({ exp: exp - 1 }) },
    ahead: {
      name: "token that says it was issued in an hour",
      value: await withClaims({ iat, exp: iat + lastsSeconds }),
    },
  };
}
