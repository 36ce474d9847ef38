// Small comforts: whether the shop is open, today's prices, how a sign-in ended. Every page is complete without them.

const minutes = (time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** Day of the week, minutes and month-day where the shop is, wherever the visitor is. */
function shopTime(timeZone, now) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const part = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]));
  return {
    day: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].indexOf(part.weekday),
    minute: Number(part.hour) * 60 + Number(part.minute),
    date: `${part.month}-${part.day}`,
  };
}

function describeOpening({ hours, closures, timeZone }, now) {
  const { day, minute, date } = shopTime(timeZone, now);
  const today = closures.includes(date) ? null : hours[day];
  if (today !== null && minute >= minutes(today[0]) && minute < minutes(today[1]))
    return { open: true, day, text: `Open now, until ${today[1]}` };
  if (today !== null && minute < minutes(today[0]))
    return { open: false, day, text: `Closed now. The door opens at ${today[0]}` };
  for (let ahead = 1; ahead <= 7; ahead++) {
    const next = hours[(day + ahead) % 7];
    if (next === null) continue;
    const name = new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "long" });
    const when = ahead === 1 ? "tomorrow" : name.format(new Date(now.getTime() + ahead * 86_400_000));
    return { open: false, day, text: `Closed now. Open ${when} from ${next[0]}` };
  }
  return { open: false, day, text: "Closed for now" };
}

function showOpening() {
  const island = document.getElementById("shop-hours");
  if (island === null) return;
  const { open, day, text } = describeOpening(JSON.parse(island.textContent), new Date());
  for (const place of document.querySelectorAll("[data-open-now]")) {
    place.textContent = text;
    place.classList.toggle("is-open", open);
    place.hidden = false;
  }
  document.querySelector(`.hours [data-day="${day}"]`)?.classList.add("is-today");
}

async function showPrices() {
  const places = document.querySelectorAll("[data-product]");
  if (places.length === 0) return;
  const response = await fetch("/api/products", { headers: { accept: "application/json" } });
  if (!response.ok) return;
  const { products } = await response.json();
  const byId = new Map(products.map((product) => [product.id, product]));
  for (const place of places) {
    const product = byId.get(place.dataset.product);
    if (product === undefined) continue;
    const price = new Intl.NumberFormat("en-GB", { style: "currency", currency: product.currency });
    place.textContent = price.format(product.priceCents / 100);
    if (!product.available) place.append(", sold out today");
    place.classList.toggle("is-sold-out", !product.available);
  }
}

/** The answer of the sign-in is worth nothing, and should not stay in the address, where it would be copied along. */
function tidyAddress() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state")) return;
  for (const place of document.querySelectorAll("[data-sign-in]"))
    place.hidden = place.dataset.signIn !== (answer.has("code") ? "done" : "refused");
  history.replaceState(null, "", location.pathname);
}

showOpening();
tidyAddress();
// The prices on the page stay when the shop can't be reached.
showPrices().catch(() => {});
