import type { ContractRoute, ContractUpstream } from "../../contract/index.ts";

/** Says what a route's upstream must do for its answer to pass, and what is done if it does not. */
export function explainUpstream(
  { to, method, timeoutMs, idempotent, cache }: ContractRoute,
  upstream: ContractUpstream | undefined,
): string {
  const addresses = 1 + (upstream?.alternates?.length ?? 0);
  const { retries = 0, retryOn = [], network, health } = upstream ?? {};
  const { clientCertificate, forwardClient, trace } = upstream ?? {};
  const isRepeated = retries > 0 && (method === "GET" || idempotent === true);
  const parts = [
    `${to} answers 2xx within ${timeoutMs} ms`,
    addresses > 1 && `the one of ${addresses} URLs with the fewest requests under way`,
    network !== undefined && `at ${network} addresses only`,
    health !== undefined && `past addresses whose ${health.path} fails`,
    isRepeated &&
      `sent again ${retries === 1 ? "once" : `${retries} times`} at most, if ${["its connection breaks", ...retryOn].join(" or ")}`,
  ];
  const told = [
    clientCertificate !== undefined && "is shown the gateway's certificate",
    forwardClient !== undefined && cache === undefined && `is told the client's address (${forwardClient})`,
    trace !== undefined &&
      `is told ${trace === "continue" && cache === undefined ? "the client's trace, or a new one" : "a new trace"}`,
  ];
  parts.push(...told);
  return parts.filter((part) => part !== false).join("; ");
}
