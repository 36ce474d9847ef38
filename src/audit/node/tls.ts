import { createHash, randomBytes } from "node:crypto";
import type { X509Certificate } from "node:crypto";
import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import { CurtainwallError } from "../../shared/index.ts";
import type { Hop, TlsFacts, TlsProbe } from "../probes/probe.ts";
import { clientHello, readAnswer } from "../probes/tls-hello.ts";
import { bareHost, connectAddress, serverName } from "./address.ts";

const maxBytes = 16_384;

/** Makes a {@link TlsProbe} over real sockets. It sends no token and no cookie, so it may look at what does not verify. */
export function createTlsProbe(timeoutMs: number): TlsProbe {
  return {
    async offer(hop, version) {
      const hello = clientHello(version, bareHost(hop.host), randomBytes(32));
      const { bytes, wasClosed } = await exchangeBytes(hop, hello, timeoutMs, isAnswered);
      return readAnswer(bytes, wasClosed);
    },
    connect: (hop) => connect(hop, timeoutMs),
    async plain(hop, request) {
      return (await exchangeBytes(hop, new TextEncoder().encode(request), timeoutMs, () => false)).bytes;
    },
  };
}

/** Enough of a ServerHello to read its version, or a whole alert. */
const isAnswered = (seen: Uint8Array): boolean => seen.length >= 11 || (seen[0] === 21 && seen.length >= 7);

/** Sends bytes, reads until enough has come, the other end closes, or time is up. */
function exchangeBytes(
  { host, port }: Hop,
  bytes: Uint8Array,
  timeoutMs: number,
  isEnough: (seen: Uint8Array) => boolean,
): Promise<{ bytes: Uint8Array; wasClosed: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = connectPlain({ host: connectAddress(host), port });
    let seen: Uint8Array = new Uint8Array();
    let isConnected = false;
    let isOver = false;
    const finish = (wasClosed: boolean): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.destroy();
      resolve({ bytes: seen, wasClosed });
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    socket.on("connect", () => {
      isConnected = true;
      socket.write(bytes);
    });
    socket.on("data", (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]).subarray(0, maxBytes);
      if (isEnough(seen) || seen.length === maxBytes) finish(false);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (isConnected) return;
      clearTimeout(timer);
      reject(
        new CurtainwallError(
          "AUDIT_TARGET_UNREACHABLE",
          `${host}:${port} can't be reached (${error.code ?? error.message})`,
        ),
      );
    });
    socket.on("close", () => finish(true));
  });
}

function connect({ host, port, ca }: Hop, timeoutMs: number): Promise<TlsFacts> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(
        new CurtainwallError("AUDIT_TARGET_UNREACHABLE", `no TLS connection to ${host}:${port} (${reason})`),
      );
    const socket = connectTls({
      host: connectAddress(host),
      port,
      ...serverName(host),
      ...(ca === undefined ? {} : { ca }),
      ALPNProtocols: ["h2", "http/1.1"],
      // Looked at below instead: what does not verify is a finding. Nothing is sent over this connection.
      rejectUnauthorized: false,
    });
    const timer = setTimeout(() => {
      socket.destroy();
      fail("time-out");
    }, timeoutMs);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(error.code ?? error.message);
    });
    socket.on("secureConnect", () => {
      clearTimeout(timer);
      const certificate = socket.getPeerX509Certificate();
      const facts =
        certificate === undefined
          ? undefined
          : describe(certificate, host, socket.authorized, String(socket.authorizationError ?? ""));
      const cipher = socket.getCipher().standardName;
      const protocol = socket.getProtocol() ?? "none";
      socket.destroy();
      if (facts === undefined) fail("no certificate");
      else resolve({ ...facts, protocol, cipher });
    });
  });
}

function describe(
  certificate: X509Certificate,
  host: string,
  isAuthorized: boolean,
  problem: string,
): Omit<TlsFacts, "protocol" | "cipher"> {
  const hostname = bareHost(host);
  const isName = serverName(host).servername !== undefined;
  const isForHost = (isName ? certificate.checkHost(hostname) : certificate.checkIP(hostname)) !== undefined;
  const publicKey = certificate.publicKey.export({ type: "spki", format: "der" });
  return {
    certificateProblem: isAuthorized ? (isForHost ? undefined : `it is not for ${hostname}`) : problem,
    isForHost,
    subject: certificate.subjectAltName ?? certificate.subject,
    validUntil: new Date(certificate.validTo).toISOString(),
    spkiSha256: createHash("sha256").update(publicKey).digest("base64"),
  };
}
