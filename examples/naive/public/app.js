// Mistakes of the page: a title becomes markup, and a key of the ticket printer is in everybody's browser.
const printerKey = "not-a-key-but-where-one-would-stand";

const { films } = await (await fetch("/api/films")).json();
document.querySelector("#films").innerHTML = films.map(({ title }) => `<li>${title}</li>`).join("");
console.log(printerKey.length);
