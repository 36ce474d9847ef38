import { ApiError } from "./api-error.ts";
import type { ApiErrorDetails } from "./api-error.ts";
import { fitShape } from "./shape.ts";
import type { Shape } from "./shape.ts";

/**
 * Reads an answer as the contract declares it.
 *
 * @throws {ApiError} `CLIENT_REFUSED` with the gateway's request id, or `CLIENT_ANSWER_INVALID`
 */
export async function readAnswer(
  response: Response,
  shape: Shape | null,
  named: readonly Shape[],
): Promise<{ value: unknown; dropped: readonly string[] }> {
  const { status } = response;
  if (!response.ok)
    throw new ApiError("CLIENT_REFUSED", "The API refused the call.", await reasonOf(response));
  if (shape === null) return { value: undefined, dropped: [] };
  if (!isMediaType(response, "application/json"))
    throw new ApiError("CLIENT_ANSWER_INVALID", "The answer is not JSON.", { status });
  const fitted = fitShape({ shape, named }, parse(await response.text(), status));
  if (fitted.fault !== undefined) {
    const { at, wanted } = fitted.fault;
    throw new ApiError(
      "CLIENT_ANSWER_INVALID",
      `The answer is not what was declared: ${at} has to be ${wanted}.`,
      {
        status,
      },
    );
  }
  return fitted;
}

function isMediaType(response: Response, type: string): boolean {
  const [essence = ""] = (response.headers.get("content-type") ?? "").split(";", 1);
  return essence.trim().toLowerCase() === type;
}

function parse(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiError("CLIENT_ANSWER_INVALID", "The answer is not JSON.", { status, cause });
  }
}

/** What the gateway's problem details say (RFC 9457); something else's answer has none, and is a refusal all the same. */
async function reasonOf(response: Response): Promise<ApiErrorDetails> {
  const { status } = response;
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterSeconds = Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : undefined;
  if (!isMediaType(response, "application/problem+json")) return { status, retryAfterSeconds };
  const text = await response.text();
  const problem = problemIn(text);
  return { status, retryAfterSeconds, requestId: shortText(problem.id), reason: shortText(problem.code) };
}

function problemIn(text: string): { readonly id?: unknown; readonly code?: unknown } {
  try {
    const problem: unknown = JSON.parse(text);
    return typeof problem === "object" && problem !== null ? problem : {};
  } catch {
    return {};
  }
}

const shortText = (value: unknown): string | undefined =>
  typeof value === "string" && value.length <= 100 ? value : undefined;
