import { request } from "node:https";
import type { TLSSocket } from "node:tls";

/** A request to a server on this machine. */
export interface HttpsGetOptions {
  host: string;
  port: number;
  /** Name that the server is asked for. */
  name: string;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** What came back. */
export interface HttpsAnswer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
  /** Common name of the certificate that was shown. */
  certificateName: string;
}

/** Makes one request over a connection of its own. The certificate is not checked: tests that are about it look at it. */
export function httpsGet({
  host,
  port,
  name,
  path = "/",
  method = "GET",
  headers = {},
  body,
}: HttpsGetOptions): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host,
        port,
        path,
        method,
        servername: name,
        headers: { host: name, ...headers },
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        const certificateName = String((response.socket as TLSSocket).getPeerCertificate().subject?.CN ?? "");
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text,
            certificateName,
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
