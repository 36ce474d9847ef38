import { join } from "node:path";
import { developmentCertificate } from "curtainwall/edge";
import { createAssertionVerifier } from "curtainwall/upstream";
import { breads, currency } from "../collections.ts";
import { admitImpostor } from "../impostor.ts";
import { close, listen } from "../listen.ts";
import { issuedKeys } from "../others/keys.ts";
import { runService } from "../service.ts";
import { readAddresses, stateFolder } from "../settings.ts";
import { openShopDatabase } from "./database.ts";
import { lieAboutProduct } from "./lies.ts";
import { orderLies } from "./order-lies.ts";
import { createShop } from "./server.ts";
import { createWitness } from "./witness.ts";

await runService(async () => {
  const { origin, shopUrl } = readAddresses();
  const database = openShopDatabase({
    file: join(stateFolder, "example/shop.db"),
    products: breads,
    currency,
  });
  const certificate = await developmentCertificate({ folder: join(stateFolder, "ca"), hosts: ["localhost"] });
  const witness = createWitness();
  const server = createShop({
    database,
    certificate,
    verify: createAssertionVerifier({
      jwksFile: join(stateFolder, "edge/assertion.jwks.json"),
      audience: shopUrl,
      issuer: origin,
    }),
    paymentsKey: issuedKeys().shop,
    lieAbout: {
      product: lieAboutProduct,
      order: (id) => orderLies[id]?.tell,
      receipt: (id) => orderLies[id]?.tellReceipt,
    },
    onArrival: witness.note,
    onError: (error) => console.error(`shop: ${error instanceof Error ? error.message : String(error)}`),
  });
  await listen(server, {
    name: "the shop",
    port: Number(new URL(shopUrl).port),
    variable: "BAKERY_SHOP_PORT",
  });
  const admitted = [await witness.open(), await admitImpostor(server, { name: "shop", certificate })];
  return {
    url: shopUrl,
    close: async () => {
      for (const admission of admitted) admission.close();
      await close(server);
      database.close();
    },
  };
});
