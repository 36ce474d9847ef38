/** The style of the HTML report. No selector and no value of it comes from a report. */
export const htmlStyle = `
:root{color-scheme:light dark;--text:#1b1f24;--soft:#57606a;--page:#f6f7f9;--card:#fff;--line:#d9dee4;--code:#f0f2f5;
--failed:#b42318;--unknown:#8a5a00;--proved:#146c3a;--other:#0b5cad}
@media (prefers-color-scheme:dark){:root{--text:#e8eaed;--soft:#a4abb3;--page:#14171a;--card:#1d2125;--line:#343a40;--code:#262b30;
--failed:#ff8a80;--unknown:#f0c05a;--proved:#6fd39a;--other:#7ab8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}
h2{font-size:1.15rem;margin:2rem 0 .75rem}
h3{font-size:1rem;margin:0;display:inline}
p,ul,ol,dl{margin:.5rem 0}
.facts{color:var(--soft);margin:0;display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}
.facts dd{margin:0}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:1rem 0}
.counts li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.35rem .75rem}
.counts b{font-size:1.25rem;margin-right:.35rem}
.failed{color:var(--failed)}.unknown{color:var(--unknown)}.proved{color:var(--proved)}.attested,.evidenced{color:var(--other)}
.warning{border-left:.25rem solid var(--failed);background:var(--card);padding:.5rem .75rem}
.steps{padding-left:1.5rem}.steps li{margin:.6rem 0}
.where{color:var(--soft);font-family:ui-monospace,monospace;font-size:.85em}
details{background:var(--card);border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0}
summary{cursor:pointer;padding:.55rem .75rem}
summary:focus-visible{outline:2px solid var(--other);outline-offset:2px;border-radius:.5rem}
details>:not(summary){margin-left:.75rem;margin-right:.75rem}
.row>summary{display:grid;grid-template-columns:1.25rem 4rem 1fr auto;gap:.25rem .5rem;align-items:baseline}
.row>summary .count{color:var(--soft);font-size:.875rem;text-align:right}
.row>summary .count::after{content:" ▸"}.row[open]>summary .count::after{content:" ▾"}
.id{font-weight:600;white-space:nowrap}
.mark{font-weight:700}
.check{background:none;border-width:1px 0 0;border-radius:0;margin:0 .75rem}
.check>summary{padding:.5rem 0}
.check>:not(summary){margin-left:1.5rem;margin-right:0}
.plain{padding:.5rem 0}
.reason{color:var(--soft);margin-top:0}
.evidence{margin:.5rem 0 1rem;padding-left:.75rem;border-left:.2rem solid var(--line)}
.evidence.failing{border-color:var(--failed)}
pre{background:var(--code);border-radius:.35rem;padding:.5rem .65rem;margin:.35rem 0;font:.8125rem/1.45 ui-monospace,monospace;white-space:pre-wrap;max-height:22rem;overflow:auto}
footer{color:var(--soft);font-size:.875rem;margin-top:2.5rem}
@media (max-width:34rem){main{padding:1rem .75rem 3rem}.row>summary{grid-template-columns:1.25rem 1fr auto}.row>summary h3{grid-column:2/-1;grid-row:2}.check{margin:0 .5rem}.check>:not(summary){margin-left:.5rem}.facts{grid-template-columns:1fr}.facts dt{font-size:.8rem;margin-top:.3rem}}
@media print{:root{color-scheme:light;--text:#000;--soft:#444;--page:#fff;--card:#fff;--line:#bbb;--code:#f4f4f4;--failed:#a00;--unknown:#740;--proved:#050;--other:#036}
body{font-size:10pt}main{max-width:none;padding:0}
details::details-content{content-visibility:visible;display:block;height:auto}
pre{max-height:none}.row>summary,.evidence,.steps li{break-inside:avoid}h2,summary{break-after:avoid}.hint{display:none}}
`;
