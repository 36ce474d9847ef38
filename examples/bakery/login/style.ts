/** The style of the login's pages, in the site's colours. A constant, because their policy names it by its hash. */
export const style = `
:root {
  --paper: #faf5ea; --flour: #f3ead8; --card: #fffdf8; --ink: #2b211b; --soft: #6a574a; --line: #dfd0b6;
  --field: #8c7866; --crust: #9a4f1c; --door: #2f5d50; --door-strong: #244a40; --door-ink: #fdf6e6; --gilt: #b98a34;
  --alarm: #8f1d14; --alarm-paper: #fbe9e3;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", "URW Palladio L", Georgia, serif;
  --sans: "Avenir Next", Avenir, "Segoe UI", "Gill Sans", Candara, "Noto Sans", "DejaVu Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1b1512; --flour: #251c17; --card: #251c17; --ink: #f1e6d3; --soft: #bda893; --line: #43342a;
    --field: #8c7866; --crust: #e8a25c; --door: #376b5d; --door-strong: #437d6d; --gilt: #d8ad5b;
    --alarm: #ffb8a8; --alarm-paper: #43190f;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  min-height: 100vh; min-height: 100dvh; padding: 2rem 1.25rem; display: grid; grid-template-rows: 1fr auto;
  justify-items: center; align-items: center; gap: 1.5rem; color: var(--ink);
  background: linear-gradient(var(--paper), var(--flour)); font: 1rem/1.55 var(--sans);
}
main {
  width: 100%; max-width: 25.5rem; padding: 2rem 2rem 1.5rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 1.25rem; box-shadow: 0 1px 2px rgb(70 40 15 / .12), 0 10px 30px -14px rgb(70 40 15 / .35);
}
header { display: flex; align-items: center; gap: .8rem; margin-bottom: 2rem; }
.mark { flex: none; width: 2.75rem; height: 2.75rem; }
.name { font: 600 1.3rem/1.2 var(--serif); }
.name i { color: var(--gilt); font-weight: 400; }
.place { font-size: .74rem; letter-spacing: .1em; text-transform: uppercase; color: var(--soft); }
h1 { font: 600 2.1rem/1.15 var(--serif); letter-spacing: -.01em; }
.lead { margin: .4rem 0 1.6rem; font: 1.125rem/1.5 var(--serif); color: var(--soft); }
.problem {
  margin-bottom: 1.25rem; padding: .7rem .9rem; color: var(--alarm); background: var(--alarm-paper);
  border-left: .25rem solid; border-radius: .4rem;
}
label { display: block; margin-bottom: .3rem; font-weight: 600; }
input {
  width: 100%; margin-bottom: 1.1rem; padding: .7rem .9rem; color: inherit; background: var(--paper);
  border: 1px solid var(--field); border-radius: .7rem; font: inherit;
}
input[aria-invalid] { border-color: var(--alarm); }
button, .button {
  width: 100%; margin-top: .5rem; padding: .85rem; color: var(--door-ink); background: var(--door); border: 0;
  border-radius: 2rem; font: inherit; font-weight: 500; cursor: pointer;
}
button:hover, .button:hover { background: var(--door-strong); }
.button { display: block; text-align: center; text-decoration: none; }
.back { margin-top: 1.2rem; text-align: center; }
.back a { color: var(--crust); text-underline-offset: .25em; text-decoration-thickness: 1px; }
.quiet button {
  margin-top: .6rem; color: var(--crust); background: none; font-weight: 400; text-decoration: underline;
  text-underline-offset: .25em; text-decoration-thickness: 1px;
}
:focus-visible { outline: 3px solid var(--gilt); outline-offset: 2px; }
dt { font-weight: 600; }
dd { color: var(--soft); overflow-wrap: anywhere; }
code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; font-size: .9em; }
footer { max-width: 30rem; font-size: .875rem; text-align: center; color: var(--soft); }
`;
