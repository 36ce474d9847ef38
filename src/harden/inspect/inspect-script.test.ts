import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { inspectScript } from "./inspect-script.ts";
import { inspectStyle } from "./inspect-style.ts";

suite("what a script shows of itself", () => {
  test("its imports, static, dynamic and computed", () => {
    const { imports } = inspectScript(
      'import a from "./a.js"; export * from "./b.js"; import("./c.js"); import("./" + x + ".js"); import(`./d.js`);',
      true,
    );
    assert.deepEqual(imports, [
      { specifier: "./a.js", dynamic: false },
      { specifier: "./b.js", dynamic: false },
      { specifier: "./c.js", dynamic: true },
      { specifier: undefined, dynamic: true },
      { specifier: "./d.js", dynamic: true },
    ]);
  });

  test("where it connects to, if the call says so", () => {
    const { connections } = inspectScript(
      'fetch("/a.json"); fetch(`https://api.example/v1/${id}`); new WebSocket("wss://live.example/"); const r = new XMLHttpRequest(); r.open("GET", "/b"); navigator.sendBeacon("//stats.example/x", d);',
      false,
    );
    assert.deepEqual(connections, {
      addresses: ["//stats.example/x", "/a.json", "/b", "https://api.example/v1/", "wss://live.example/"],
      unknown: [],
    });
  });

  test("that it connects to what it does not say", () => {
    assert.deepEqual(inspectScript("fetch(url)", false).connections.unknown, ["fetch"]);
    assert.deepEqual(inspectScript("fetch(`https://${host}/`)", false).connections.unknown, ["fetch"]);
    assert.deepEqual(
      inspectScript("r = new XMLHttpRequest(); r.open(m, u, true)", false).connections.unknown,
      ["XMLHttpRequest"],
    );
  });

  for (const [source, addresses] of [
    ['const api = "https://api.example/v1"; fetch(`${api}/boats/${id}`)', ["https://api.example/v1/boats/"]],
    ['const api = "https://api.example"; fetch(api + path)', ["https://api.example"]],
    ['fetch(test ? "/a" : "https://b.example/")', ["/a", "https://b.example/"]],
    ['fetch("search?q=" + q); fetch("?" + q); fetch(`data/${name}.json`)', ["?", "data/", "search?q="]],
    ['fetch(location.origin + "/x"); fetch(location.pathname + y)', ["/", "/x"]],
    [
      'new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/live")',
      ["/live"],
    ],
    [
      'fetch(new URL("x.json", import.meta.url)); fetch(new URL("/y", document.baseURI).href)',
      ["/y", "x.json"],
    ],
    ['fetch(new URL("/x", "https://api.example"))', ["https://api.example/x"]],
    ['fetch(new Request("/x"))', ["/x"]],
    ['(() => { function get(u, o) { return fetch(u, o) } get("/a"); get("/b" + c, {}) })()', ["/a", "/b"]],
  ] as const)
    test(`where  ${source}  connects to`, () => {
      assert.deepEqual(inspectScript(source, false).connections, { addresses, unknown: [] });
    });

  for (const source of [
    'let api = "/a"; api = b; fetch(api)',
    'var api = "/a"; fetch(api)',
    'function get(u) { fetch(u) } get("/a")',
    '(() => { function get(u) { fetch(u) } get("/a"); each(get) })()',
    '(() => { function get(u) { fetch(u) } get("/a"); get(...list) })()',
    '(() => { const u = "/a"; ((u) => fetch(u))(x) })()',
    'fetch("https://" + host)',
    'fetch("https://api." + rest)',
    'fetch("//" + host)',
    'fetch(scheme + "//a.example/")',
    'fetch("https://user@" + host)',
    "fetch(`${location.protocol}//${location.hostname}:8080/x`)",
    "fetch(location.hash)",
    'const location = parse(x); fetch(location.origin + "/x")',
    'fetch(new URL("x.json", base))',
    'fetch("https:" + rest)',
  ])
    test(`that it can't tell where  ${source}  connects to`, () => {
      assert.deepEqual(inspectScript(source, false).connections.unknown, ["fetch"]);
    });

  test("words in its texts and tables are no uses", () => {
    const facts = inspectScript(
      'index = { fetch: 1, "import": 2 }; title = "How to fetch and import boats"',
      false,
    );
    assert.deepEqual(facts.connections, { addresses: [], unknown: [] });
    assert.deepEqual(facts.imports, []);
  });

  for (const [sink, source] of [
    ["innerHTML", "p.innerHTML = x"],
    ["outerHTML", "p['outerHTML'] = x"],
    ["document.write", "document.write(x)"],
    ["document.write", "document['write'](x)"],
    ["eval", "(0, eval)(x)"],
    ["Function", "new Function('return 1')"],
    ["setTimeout with a text", "setTimeout('go()', 1)"],
    ["srcdoc", "frame.srcdoc = x"],
    ["Worker", "new Worker(url)"],
    ["a script element", "document.createElement('script')"],
    ["setAttribute with a name that is not written out", "e.setAttribute(name, value)"],
    ["an event handler as a text", "e.setAttribute('onclick', x)"],
    ["DOMParser", "new DOMParser().parseFromString(x, 'text/html')"],
  ] as const) {
    test(`the sink in  ${source}`, () => {
      assert.deepEqual(inspectScript(source, false).sinks, [sink]);
    });
  }

  test("no sink in what Trusted Types let through", () => {
    const source =
      "p.textContent = x; e.setAttribute('href', '/'); setTimeout(() => go(), 1); e.append(y); a[i] = b; document.createElement('p')";
    assert.deepEqual(inspectScript(source, false).sinks, []);
  });

  test("styles in its markup by their text, and those whose text it does not show", () => {
    const shown = inspectScript(
      `p.innerHTML = "<a style='top:1px;float:left'>x</a><b style=\\"color:red\\">y</b>"`,
      false,
    );
    assert.deepEqual(shown.styles, {
      attributes: ["color:red", "top:1px;float:left"],
      unknownElements: false,
      unknownAttributes: false,
    });
    const unknown = (source: string): [boolean, boolean] => {
      const { unknownElements, unknownAttributes } = inspectScript(source, false).styles;
      return [unknownElements, unknownAttributes];
    };
    assert.deepEqual(unknown('p.innerHTML = `<a style="top:${y}px">x</a>`'), [false, true]);
    assert.deepEqual(unknown('e.setAttribute("style", y)'), [false, true]);
    assert.deepEqual(unknown('document.createElement("style")'), [true, false]);
    assert.deepEqual(unknown("e.style.top = y; e.style.cssText = z"), [false, false]);
  });
});

suite("what a stylesheet loads", () => {
  test("is found in every way of writing an address, custom properties included", () => {
    const { loads } = inspectStyle(
      `@import "a.css"; @import url(b.css) screen; @font-face { font-family: x; src: url("c.woff2") format("woff2") }
       p { background: URL( 'd.png' ); --e: url(e.png); cursor: \\75rl(f.png), image-set("g.png" 1x, url(h.png) 2x); content: "i.png"; mask: url(#j) }`,
    );
    assert.deepEqual(
      loads.map(({ kind, address }) => `${kind} ${address}`),
      [
        "style a.css",
        "style b.css",
        "font c.woff2",
        "image d.png",
        "image e.png",
        "image f.png",
        "image g.png",
        "image h.png",
      ],
    );
  });

  test("tells whether a selector looks at style attributes, and whether it has layers", () => {
    assert.equal(inspectStyle('[ style *= "red" ] { color: blue }').selectsStyleAttribute, true);
    assert.equal(
      inspectStyle("[data-style] p { style: none } style { display: none }").selectsStyleAttribute,
      false,
    );
    assert.equal(inspectStyle("@layer a { p { color: red } }").layered, true);
    assert.equal(inspectStyle('@import "a.css" layer(b);').layered, true);
  });
});
