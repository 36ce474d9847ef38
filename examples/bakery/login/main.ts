import { join } from "node:path";
import { developmentCertificate } from "curtainwall/edge";
import { close, listen } from "../listen.ts";
import { demonstrationPassword, people } from "../people.ts";
import { runService } from "../service.ts";
import { apiAudience, readAddresses, stateFolder, wholesaleAudience } from "../settings.ts";
import { createAccounts } from "./accounts.ts";
import { loadKeys } from "./keys.ts";
import { createProvider } from "./provider.ts";
import { createLogin } from "./server.ts";
import { createSignIn } from "./sign-in.ts";

await runService(async () => {
  const { origin, loginUrl } = readAddresses();
  const accounts = await createAccounts(people, demonstrationPassword);
  const provider = createProvider({
    issuer: loginUrl,
    siteOrigin: origin,
    accounts,
    keys: await loadKeys(join(stateFolder, "example/login-keys.json")),
    audiences: [apiAudience, wholesaleAudience],
  });
  const server = createLogin({
    provider,
    signIn: createSignIn({ provider, accounts }),
    siteOrigin: origin,
    certificate: await developmentCertificate({ folder: join(stateFolder, "ca"), hosts: ["localhost"] }),
    onError: (error) => console.error(`login: ${error instanceof Error ? error.message : String(error)}`),
  });
  await listen(server, {
    name: "the login",
    port: Number(new URL(loginUrl).port),
    variable: "BAKERY_LOGIN_PORT",
  });
  return { url: loginUrl, close: () => close(server) };
});
