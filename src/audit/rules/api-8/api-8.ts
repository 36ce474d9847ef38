import type { Check, Rule, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Hop, OldTlsVersion } from "../../probes/probe.ts";
import { upstreamImpostors } from "./impostors.ts";
import { declaredHttps, hopsSpeak13 } from "./hops.ts";
import { pagePath, see } from "../shared.ts";

const minMaxAgeSeconds = 31_536_000;

function targetHop({ target, ca }: AuditContext): Hop {
  return {
    host: target.hostname,
    port: Number(target.port === "" ? "443" : target.port),
    ...(ca === undefined ? {} : { ca }),
  };
}

function isPlain(context: AuditContext, tally: Tally): boolean {
  if (context.target.protocol === "https:") return false;
  tally.fail({ kind: "measurement", about: "the target is not https", value: context.target.protocol });
  return true;
}

function refuses(version: OldTlsVersion): Check {
  return {
    name: `${version} refused`,
    kind: "live",
    attack: { kind: "tls", promise: "origin", per: "site" },
    isTransport: true,
    run: async (context, tally) => {
      if (isPlain(context, tally)) return;
      const answer = await context.tls.offer(targetHop(context), version);
      if (answer.verdict === "unclear")
        return tally.miss(`the answer to a ${version} hello was unclear: ${answer.detail}`);
      tally.expect(answer.verdict === "refused", {
        kind: "measurement",
        about: `a hello that offers ${version} at most`,
        value: answer.detail,
      });
    },
  };
}

const speaks13: Check = {
  name: "TLS 1.3 and its cipher",
  kind: "live",
  attack: { kind: "tls", promise: "origin", per: "site", isControl: true },
  isTransport: true,
  run: async (context, tally) => {
    if (isPlain(context, tally)) return;
    const facts = await context.tls.connect(targetHop(context));
    tally.expect(facts.protocol === "TLSv1.3", {
      kind: "measurement",
      about: "protocol agreed on",
      value: facts.protocol,
    });
    tally.expect(/^TLS_(AES|CHACHA20)/.test(facts.cipher), {
      kind: "measurement",
      about: "cipher agreed on",
      value: facts.cipher,
    });
  },
};

const certificate: Check = {
  name: "the certificate verifies",
  kind: "live",
  isTransport: true,
  run: async (context, tally) => {
    if (isPlain(context, tally)) return;
    const facts = await context.tls.connect(targetHop(context));
    tally.expect(facts.certificateProblem === undefined, {
      kind: "measurement",
      about: `certificate of ${facts.subject}, valid until ${facts.validUntil}`,
      value: facts.certificateProblem ?? "verified",
    });
    tally.expect(Date.parse(facts.validUntil) > context.now(), {
      kind: "measurement",
      about: "valid until",
      value: facts.validUntil,
    });
  },
};

const strictTransport: Check = {
  name: "HSTS",
  kind: "live",
  attack: { kind: "headers", promise: "origin", per: "site" },
  run: async (context, tally) => {
    if (isPlain(context, tally)) return;
    const paths = [
      pagePath(context),
      `/${context.mark()}/`,
      ...[...context.contract.apiRoots].map((root) => `/${root}/${context.mark()}`),
    ];
    for (const path of paths) {
      const exchange = await context.caller.send({ method: "GET", path });
      const value = exchange.response.header("strict-transport-security") ?? "";
      const maxAge = Number(/max-age="?(\d{1,12})/i.exec(value)?.[1]);
      tally.expect(
        maxAge >= minMaxAgeSeconds && /includesubdomains/i.test(value),
        see(context, `${path}: HSTS for a year or more, with subdomains`, exchange),
      );
    }
  },
};

const plainRefused: Check = {
  name: "nothing is served over plain HTTP",
  kind: "live",
  attack: { kind: "tls", promise: "origin", per: "site" },
  isActive: true,
  run: async (context, tally) => {
    if (isPlain(context, tally)) return;
    const request = `GET ${pagePath(context)} HTTP/1.1\r\nhost: ${context.target.host}\r\nconnection: close\r\n\r\n`;
    const line = firstLine(await context.tls.plain(targetHop(context), request));
    tally.expect(!/^HTTP\/1\.[01] [23]/.test(line) || /^HTTP\/1\.[01] 30[18]/.test(line), {
      kind: "measurement",
      about: "plain HTTP on the port of HTTPS",
      value: line === "" ? "closed without an answer" : line,
    });
    const { redirectPort } = context.contract.edge;
    if (redirectPort === false)
      return tally.notApplicable("edge.redirectPort is false: no other port answers plain HTTP");
    if (redirectPort === 0)
      return tally.miss("the redirecting port is chosen at start (edge.redirectPort: 0), so it is not known");
    await redirects(context, tally, redirectPort);
  },
};

async function redirects(context: AuditContext, tally: Tally, port: number): Promise<void> {
  const host = port === 80 ? context.target.hostname : `${context.target.hostname}:${port}`;
  const path = `/${context.mark()}/?a=1`;
  const answer = new TextDecoder().decode(
    await context.tls.plain(
      { ...targetHop(context), port },
      `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    ),
  );
  const location = /^location: *([^\r\n]*)/im.exec(answer)?.[1] ?? "";
  tally.expect(/^HTTP\/1\.[01] 30[18] /.test(answer) && location === `${context.target.origin}${path}`, {
    kind: "measurement",
    about: `port ${port} redirects to https`,
    value: `${firstLine(new TextEncoder().encode(answer))}, location: ${location === "" ? "none" : location}`,
  });
}

const firstLine = (bytes: Uint8Array): string =>
  (new TextDecoder().decode(bytes.subarray(0, 300)).split("\r\n")[0] ?? "").slice(0, 200);

/** API-8: HTTPS, TLS 1.3. */
export const api8: Rule = {
  id: "API-8",
  checks: [
    declaredHttps,
    refuses("TLS 1.0"),
    refuses("TLS 1.1"),
    refuses("TLS 1.2"),
    speaks13,
    certificate,
    strictTransport,
    plainRefused,
    hopsSpeak13,
    upstreamImpostors,
  ],
};
