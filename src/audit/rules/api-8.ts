import type { Check, Rule, Tally } from "../check.ts";
import { reasonOf } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { Hop, OldTlsVersion } from "../probe.ts";
import { pagePath, see } from "./shared.ts";

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
    if (redirectPort === false) return tally.notApplicable("no port answers plain HTTP", "edge.redirectPort");
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

/** Hops behind the target: its upstreams and its issuer. */
function hops({ contract }: AuditContext): { at: string; url: URL; caFile: string | undefined }[] {
  const upstreams = [...contract.upstreams.values()].map(({ name, url, caFile }) => ({
    at: `upstreams.${name}`,
    url,
    caFile,
  }));
  const { identity } = contract;
  return identity === undefined
    ? upstreams
    : [...upstreams, { at: "identity", url: new URL(identity.issuer), caFile: identity.caFile }];
}

const declaredHttps: Check = {
  name: "every hop is declared https, or says why not",
  kind: "source",
  run: async (context, tally) => {
    const all = hops(context);
    if (all.length === 0) tally.notApplicable("the contract names no upstream and no issuer", "upstreams");
    for (const { at, url } of all) {
      const reason = context.contract.weakenings.find(
        (weakening) => weakening.at === `${at}.insecureAllowHttp`,
      )?.reason;
      const about =
        url.protocol === "https:"
          ? `${at} is https`
          : `${at} is http${reason === undefined ? "" : `, a weakening: ${reason}`}`;
      tally.expect(url.protocol === "https:" || reason !== undefined, {
        kind: "contract",
        about,
        at: `${at}.${at === "identity" ? "issuer" : "url"}`,
      });
    }
  },
};

const hopsSpeak13: Check = {
  name: "every hop behind it speaks TLS 1.3 and verifies",
  kind: "live",
  isTransport: true,
  isActive: true,
  run: async (context, tally) => {
    const all = hops(context);
    if (all.length === 0) tally.notApplicable("the contract names no upstream and no issuer", "upstreams");
    for (const { at, url, caFile } of all) {
      if (url.protocol !== "https:") {
        tally.notApplicable(`${at} is http by its contract: listed as a weakening`, at);
        continue;
      }
      const ca = await context.hopAuthorities(caFile);
      try {
        const facts = await context.tls.connect({
          host: url.hostname,
          port: Number(url.port === "" ? "443" : url.port),
          ...(ca === undefined ? {} : { ca }),
        });
        tally.expect(facts.protocol === "TLSv1.3" && facts.certificateProblem === undefined, {
          kind: "measurement",
          about: `${at} at ${url.host}: ${facts.certificateProblem ?? "its certificate verifies"}`,
          value: `${facts.protocol}, ${facts.cipher}`,
        });
      } catch (error) {
        tally.miss(`${at} at ${url.host}: ${reasonOf(error)}`);
      }
    }
  },
};

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
  ],
};
