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
h3{font-size:1em;margin:0;display:inline}
p,ul,ol,dl{margin:.5rem 0}
a{color:var(--other)}
.facts{color:var(--soft);margin:0;display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}
.facts dd{margin:0}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:1rem 0}
.counts li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.35rem .75rem}
.counts b{font-size:1.25rem;margin-right:.35rem}
.failed{color:var(--failed)}.unknown{color:var(--unknown)}.proved{color:var(--proved)}.attested,.evidenced{color:var(--other)}
.warning{border-left:.25rem solid var(--failed);background:var(--card);padding:.5rem .75rem}
.overview{list-style:none;padding:0;columns:26rem 2;column-gap:2rem}
.overview a{color:inherit;text-decoration:none;padding:.2rem 0;font-size:.9375em;break-inside:avoid}
.overview a:hover span{text-decoration:underline}
.count{color:var(--soft);font-size:.875em;white-space:nowrap;display:grid;grid-template-columns:5.25em 17em;font-variant-numeric:tabular-nums}
.overview .count{grid-template-columns:5.25em auto;grid-column:3/-1}
.id{font-weight:600;white-space:nowrap}.reason .id{font-weight:400}
.mark{font-weight:700;display:inline-block;min-width:1em}
.idle,.reason,.hint,.paper{color:var(--soft)}.paper{display:none}
.steps{padding-left:1.5rem}.steps li{margin:.6rem 0}
.where{color:var(--soft);font-family:ui-monospace,monospace;font-size:.85em}
.row,.mend{background:var(--card);border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0}
.row>div,.mend>:not(summary){margin:0 .75rem .75rem;scroll-margin-top:5rem}
summary{cursor:pointer;padding:.5rem 0;display:grid;gap:.25rem .5rem;align-items:baseline}
summary::before{content:"▸";color:var(--soft);width:.75rem}[open]>summary::before{content:"▾"}
.check>summary,.group>summary{grid-template-columns:auto auto 1fr}.evidence>summary,.mend>summary{grid-template-columns:auto 1fr}
.overview a,.row>summary{display:grid;grid-template-columns:1.25rem 4rem 1fr auto;gap:.25rem .5rem;align-items:baseline}
.row>summary{grid-template-columns:auto 1.25rem 4rem 1fr auto}
.row>summary,.mend>summary{padding:.55rem .75rem}
:focus-visible{outline:2px solid var(--other);outline-offset:2px;border-radius:.25rem}
.row>div>*{border-top:1px solid var(--line);margin:0;padding:.5rem 0}
.row>div>details{padding:0}
.check>:not(summary),.group>:not(summary){margin-left:1.25rem}
.failing .name{font-weight:600}.finding{display:block}
.made{color:var(--soft);font-size:.875em}.seen{font-weight:600}.failing .seen{color:var(--failed)}
[open]>summary .finding{display:none}
.evidence{margin:.35rem 0;padding-left:.75rem;border-left:.2rem solid var(--line)}
.evidence.failing{border-color:var(--failed)}
.evidence summary{padding:.15rem 0}
.bare{margin:.5rem 0}.bare .reason{display:block}
pre{background:var(--code);border-radius:.35rem;padding:.5rem .65rem;margin:.35rem 0;font:.8125rem/1.45 ui-monospace,monospace;white-space:pre-wrap}
footer{color:var(--soft);font-size:.875rem;margin-top:2.5rem}
@media (max-width:34rem){main{padding:1rem .75rem 3rem}
.row>summary{grid-template-columns:auto 1.25rem 1fr auto}.row>summary h3{grid-column:3/-1;grid-row:2}
.overview a{grid-template-columns:1.25rem 3.75rem 1fr auto}.overview .count,.row .count{display:block;white-space:normal;grid-column:3/-1}
.check>:not(summary),.group>:not(summary){margin-left:.25rem}
.facts{grid-template-columns:1fr}.facts dt{font-size:.8rem;margin-top:.3rem}}
@page{margin:13mm;@bottom-right{content:counter(page) " of " counter(pages);font:8pt system-ui,sans-serif}}
@media print{:root{color-scheme:light;--text:#000;--soft:#444;--page:#fff;--card:#fff;--line:#bbb;--code:#f4f4f4;--failed:#a00;--unknown:#740;--proved:#050;--other:#036}
body{font-size:9pt;line-height:1.3}main{max-width:none;padding:0}pre{font-size:7pt;line-height:1.2}
.told::details-content{content-visibility:visible;display:block;height:auto}
summary{padding:.1rem 0}.told>summary{break-after:avoid}summary::before{visibility:hidden}
.finding,.lead,.hint,.check .command,.evidence:not([open]){display:none}.paper{display:revert}
.evidence,.bare{margin:.1rem 0;font-size:.9em}.evidence pre{columns:2;column-gap:6mm;padding:.2rem .4rem;margin:.1rem 0}
.row{border-width:1px 0 0;border-radius:0;margin:.2rem 0}.mend{border:0;margin:0}.mend>summary{padding:.1rem 0}.row>div>*{padding:.15rem 0}
.overview a,.steps li,.evidence{break-inside:avoid}h2{break-after:avoid}}
`;
