/** The style of the login's pages. A constant, because their policy names it by its hash. */
export const style = `
:root {
  --paper: #f7efe1; --card: #fffaf1; --ink: #2c1c10; --soft: #6d5540; --line: #d9c4a6;
  --crust: #b3641f; --crust-deep: #86430f; --score: #f3d9ae; --alarm: #9b1c1c; --alarm-paper: #fbe6df;
  --button: #86430f; --button-ink: #fffaf1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1a120b; --card: #251a11; --ink: #f6e9d5; --soft: #c6ab8a; --line: #4d3824;
    --crust: #c8762b; --crust-deep: #8f4c15; --score: #f3d9ae; --alarm: #ffb4a3; --alarm-paper: #43190f;
    --button: #e0a253; --button-ink: #22140a;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  min-height: 100vh; min-height: 100dvh; padding: 2rem 1.25rem; display: grid; grid-template-rows: 1fr auto;
  justify-items: center; align-items: center; gap: 1.5rem; color: var(--ink); background: var(--paper);
  background-image: radial-gradient(circle at 50% -10%, var(--card), transparent 60%);
  font: 1.0625rem/1.55 "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, serif;
}
main {
  width: 100%; max-width: 25rem; padding: 2.25rem 2rem 1.75rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 1.25rem; box-shadow: 0 1.5rem 3rem -2rem rgb(60 30 5 / .45);
}
header { text-align: center; margin-bottom: 1.5rem; }
.loaf { width: 7.5rem; height: auto; }
.crust { fill: var(--crust); }
.shade { fill: var(--crust-deep); }
.score { fill: none; stroke: var(--score); stroke-width: 5; stroke-linecap: round; }
.steam { fill: none; stroke: var(--line); stroke-width: 3; stroke-linecap: round; }
.name { font-size: .875rem; letter-spacing: .14em; text-transform: uppercase; color: var(--soft); }
h1 { font-size: 1.9rem; line-height: 1.15; font-weight: 600; letter-spacing: -.01em; }
.lead { margin: .35rem 0 1.5rem; color: var(--soft); }
.problem {
  margin-bottom: 1.25rem; padding: .7rem .9rem; color: var(--alarm); background: var(--alarm-paper);
  border-left: .25rem solid; border-radius: .4rem;
}
label { display: block; margin-bottom: .3rem; font-weight: 600; }
input {
  width: 100%; margin-bottom: 1.1rem; padding: .7rem .85rem; color: inherit; background: var(--paper);
  border: 1px solid var(--soft); border-radius: .6rem; font: inherit;
}
input[aria-invalid] { border-color: var(--alarm); }
button {
  width: 100%; margin-top: .4rem; padding: .8rem; color: var(--button-ink); background: var(--button); border: 0;
  border-radius: .6rem; font: inherit; font-weight: 600; cursor: pointer;
}
button:hover { filter: brightness(1.12); }
.quiet button { margin-top: .75rem; color: var(--soft); background: none; font-weight: 400; text-decoration: underline; text-underline-offset: .2em; }
:focus-visible { outline: 3px solid var(--crust); outline-offset: 2px; }
dt { font-weight: 600; }
dd { color: var(--soft); overflow-wrap: anywhere; }
code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; font-size: .9em; }
footer { max-width: 30rem; font-size: .875rem; text-align: center; color: var(--soft); }
`;
