document.querySelector("nav").addEventListener("click", () => console.info("nav"));
