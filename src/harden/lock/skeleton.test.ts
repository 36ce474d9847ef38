import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import { idOf } from "./provenance.ts";
import { skeletonOf } from "./skeleton.ts";
import type { ScriptKind } from "./types.ts";

const same = (left: string, right: string, kind: ScriptKind = "inline"): void =>
  assert.equal(skeletonOf(right, kind).text, skeletonOf(left, kind).text);
const differ = (left: string, right: string, kind: ScriptKind = "inline"): void =>
  assert.notEqual(skeletonOf(right, kind).text, skeletonOf(left, kind).text);

suite("data may change", () => {
  const pairs: Record<string, [string, string]> = {
    "Next's flight data": [
      `(self.__next_f=self.__next_f||[]).push([0]);self.__next_f.push([1,"a:[\\"$\\",\\"p\\",null,{}]"])`,
      `(self.__next_f=self.__next_f||[]).push([0]);self.__next_f.push([1,"b:{\\"script\\":\\"eval\\"}"])`,
    ],
    "Nuxt's state and configuration": [
      `window.__NUXT__={};window.__NUXT__.config={public:{name:"a"},app:{baseURL:"/",buildId:"1"}}`,
      `window.__NUXT__={};window.__NUXT__.config={public:{},app:{baseURL:"/",buildId:"2",cdnURL:""}}`,
    ],
    "what devalue wrote for Nuxt 2": [
      `window.__NUXT__=(function(a,b){return {data:[a,{x:b}],error:null,ok:!0}}(1,"x"))`,
      `window.__NUXT__=(function(a){return {data:[a,a,void 0,-1],error:null}}("y"))`,
    ],
    "VitePress' site data": [
      String.raw`window.__VP_HASH_MAP__=JSON.parse("{\"a.md\":\"1\"}");window.__VP_SITE_DATA__=JSON.parse("{\"t\":\"A\"}");`,
      String.raw`window.__VP_HASH_MAP__=JSON.parse("{\"b.md\":\"2\"}");window.__VP_SITE_DATA__=JSON.parse("{\"t\":\"<b>\"}");`,
    ],
    "Astro's variables": [
      `(function(){const trips = [{"day":"Saturday"}];\ndocument.documentElement.dataset.n = trips.length;})();`,
      `(function(){const trips = [];\ndocument.documentElement.dataset.n = trips.length;})();`,
    ],
    "Sphinx' options": [
      `var DOCUMENTATION_OPTIONS = { URL_ROOT: './', VERSION: '1.0', HAS_SOURCE: true };`,
      `var DOCUMENTATION_OPTIONS = { URL_ROOT: '../', VERSION: '1.1', HAS_SOURCE: false };`,
    ],
    "JSON that is handed to a function": [
      `hydrate({"page":1})`,
      `hydrate({"page":2,"title":"About eval()"})`,
    ],
    "JSON that a script shows as text": [
      `const data = {"hits":1}; document.querySelector("#n").textContent = data.hits;`,
      `const data = {"hits":2}; document.querySelector("#n").textContent = data.hits;`,
    ],
  };
  for (const [name, [left, right]] of Object.entries(pairs)) test(name, () => same(left, right));
});

suite("a text that is code, markup or an address is code", () => {
  const pairs: Record<string, [string, string]> = {
    "in eval": [`eval("a()")`, `eval("b()")`],
    "in a variable that eval runs": [`var c = ["a()"]; eval(c[0])`, `var c = ["b()"]; eval(c[0])`],
    "in a variable that a timer runs": [
      `var c = ["a()"]; setTimeout(c[0])`,
      `var c = ["b()"]; setTimeout(c[0])`,
    ],
    "in a variable that a timer of another name runs": [
      `var c = ["a()"]; const later = setTimeout; later(c[0])`,
      `var c = ["b()"]; const later = setTimeout; later(c[0])`,
    ],
    "in a list that a timer takes for a text": [`setTimeout(["a()"])`, `setTimeout(["b()"])`],
    "in Function": [`new Function("a()")()`, `new Function("b()")()`],
    "in a constructor's constructor": [
      `[].constructor.constructor(["a"])`,
      `[].constructor.constructor(["b"])`,
    ],
    "in import()": [`import("./a.js")`, `import("./b.js")`],
    "in import() by way of a variable": [
      `const m=["./a.js"]; import(m[0])`,
      `const m=["./b.js"]; import(m[0])`,
    ],
    "in a worker": [`const w=["a.js"]; new Worker(w[0])`, `const w=["b.js"]; new Worker(w[0])`],
    "in document.write": [`document.write(["<b>a"])`, `document.write(["<b>b"])`],
    "in innerHTML": [`document.body.innerHTML = "a"`, `document.body.innerHTML = "b"`],
    "in innerHTML of an element that a global name stands for": [
      `intro.innerHTML = "a"`,
      `intro.innerHTML = "b"`,
    ],
    "in a list for such an element": [`intro.srcdoc = ["a"]`, `intro.srcdoc = ["b"]`],
    "in innerHTML by way of a variable": [
      `const h = {"h":"a"}; document.body.innerHTML = h.h`,
      `const h = {"h":"b"}; document.body.innerHTML = h.h`,
    ],
    "in a member whose name is computed": [
      `const h = {"h":"a"}; document.body["inner" + "HTML"] = h.h`,
      `const h = {"h":"b"}; document.body["inner" + "HTML"] = h.h`,
    ],
    "in a function whose name is computed": [`window[f]({"a":1})`, `window[f]({"a":2})`],
    "in the address of the page": [`location = ["/a"]`, `location = ["/b"]`],
    "in the address of the page, as window's": [`window.location = "/a"`, `window.location = "/b"`],
    "in a variable that is the page's address": [`var location = "/a"`, `var location = "/b"`],
    "in a script's address": [
      `const c={"u":"/a"}; const s=document.createElement("script"); s.src=c.u; document.head.append(s)`,
      `const c={"u":"/b"}; const s=document.createElement("script"); s.src=c.u; document.head.append(s)`,
    ],
    "in an address that is sent to": [`const c={"u":"/a"}; fetch(c.u)`, `const c={"u":"/b"}; fetch(c.u)`],
    "in an order to a tracker": [`_paq.push(["setTrackerUrl","/a"])`, `_paq.push(["setTrackerUrl","/b"])`],
    "in a template": ["f(`a`)", "f(`b`)"],
    "in a tagged template": ["html`<b>a`", "html`<b>b`"],
    "in a regular expression": [`x.test(/a/)`, `x.test(/b/)`],
    "in a name of a member": [`window["a"]()`, `window["b"]()`],
    "in a name of a member in parts": [`window["ev"+"al"](x)`, `window["ev"+"il"](x)`],
    "in a prototype": [`window.x={"__proto__":{a:1}}`, `window.x={"__proto__":{a:2}}`],
    "in a prototype inside of JSON": [
      String.raw`window.x=JSON.parse("{\"\\u005f_proto__\":{\"a\":1}}")`,
      String.raw`window.x=JSON.parse("{\"\\u005f_proto__\":{\"a\":2}}")`,
    ],
    "in a directive": [`"use strict"; f()`, `"use stricc"; f()`],
    "standing alone in a call": [`go("a")`, `go("b")`],
    "a number standing alone in a call": [`go(1)`, `go(2)`],
    "options that are written into code": [
      `m.start({securityLevel:"strict"})`,
      `m.start({securityLevel:"loose"})`,
    ],
    "code that VitePress turns into functions": [
      String.raw`window.d=revive(JSON.parse("{\"a\":1}"));function revive(x){return new Function(x.a)}`,
      String.raw`window.d=revive(JSON.parse("{\"a\":2}"));function revive(x){return new Function(x.a)}`,
    ],
  };
  for (const [name, [left, right]] of Object.entries(pairs)) test(name, () => differ(left, right));
});

suite("code may not change beside data", () => {
  const plain = `self.__next_f.push([1,"a"])`;
  const changed = [
    `self.__next_f.push([1,"a"]);steal()`,
    `self.__next_f.push([1,steal()])`,
    `self.__next_f.push([1,"a"],steal)`,
    `self.__next_f.push([1,...steal])`,
    `self.__next_f.push([1,\`\${steal()}\`])`,
    `self.__next_f.push({get a(){return 1}})`,
    `self.__next_f.push({[steal()]:1})`,
    `self.__next_f.push({steal})`,
    `self.__next_g.push([1,"a"])`,
    `self.__next_f.pop([1,"a"])`,
    `steal(self).__next_f.push([1,"a"])`,
    `self?.__next_f.push([1,"a"])`,
    `window.__next_f.push([1,"a"])`,
    `if(1)self.__next_f.push([1,"a"])`,
    `self.__next_f.push((steal(),[1,"a"]))`,
    `self.__next_f.push((function(){return steal()})())`,
    `self.__next_f.push((function(a=steal()){return {a:a}})(1))`,
    `self.__next_f.push((function(a){"x";return {a:a}})(steal))`,
    `self.__next_f.push(JSON.parse("[1]",steal))`,
    `self.__next_f.push(JSON.parse("not json"))`,
  ];
  for (const code of changed) test(code, () => differ(plain, code));
});

test("white space, comments and the way that literals are written don't count", () => {
  same(`f( "a" , 1 ) // x`, `f("\\x61",1.0)`);
  same("const a = () => { return b }", "const a=()=>{return b}//# sourceMappingURL=a.map");
});

test("white space counts where it changes the code", () => {
  differ("return_\nf()", "return_; f(1)");
  differ("function a(){return\nb()}", "function a(){return b()}", "inline");
  differ("a\n++b", "a++\nb");
});

test("what can't be read as a script counts letter by letter", () => {
  differ("f(", "f( ");
  same("f(", "f(");
});

test("a file that may be a module hides no code in what is a comment only in a script", () => {
  differ("let x=1,y={};\nx\n<!--y[1]", "let x=1,y={};\nx\n<!--y[steal()]", "file");
  differ("x=await / a /* 1 */ /g", "x=await / a /* steal() */ /g", "file");
});

test("the hash in a module's name may change, its name may not", () => {
  same(
    `import{a}from"./chunks/app.C7f2x9Qa.js";a()`,
    `import{a}from"./chunks/app.B1xY77az.js";a()`,
    "module",
  );
  differ(
    `import{a}from"./chunks/app.C7f2x9Qa.js";a()`,
    `import{a}from"./chunks/evil.B1xY77az.js";a()`,
    "module",
  );
  differ(
    `import{a}from"./chunks/app.C7f2x9Qa.js";a()`,
    `import{a}from"./media/app.B1xY77az.js";a()`,
    "module",
  );
  differ(`import"https://a.example/app.C7f2x9Qa.js"`, `import"https://a.example/app.B1xY77az.js"`, "module");
});

test("an import map counts, whatever order it stands in and whatever its modules' integrity is", () => {
  same(
    `{"imports":{"a":"/a.js","b":"/b.js"}}`,
    `{ "imports": {"b":"/b.js","a":"/a.js"}, "integrity": {"/a.js":"x"} }`,
    "importmap",
  );
  differ(`{"imports":{"a":"/a.js"}}`, `{"imports":{"a":"/uploads/a.js"}}`, "importmap");
});

test("handlers and javascript: addresses have no data", () => {
  differ(`return go({"a":1})`, `return go({"a":2})`, "handler");
  differ(`x={"a":1}`, `x={"a":2}`, "javascript-url");
  same("return  go( 1 )", "return go(1);//", "handler");
});

test("a handler can't leave its function", () => differ("a()", "a()})\n(function(event){b()", "handler"));

/** Scripts with a place for data (`D`) and places for code (`C`). */
const frames = [
  `self.__next_f.push(D);C`,
  `C;window.__STATE__=D;`,
  `const list = D; for (const entry of list) show(entry); C`,
  `(function(){const x = D; use(x); C})()`,
];
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify({ value }));
const word = fc.stringMatching(/^[a-z]{4,9}$/).map((text) => `z${text}`);

test("any JSON in the place of data gives the same skeleton, any other name in the place of code another", () => {
  fc.assert(
    fc.property(fc.constantFrom(...frames), json, json, word, word, (frame, one, other, code, otherCode) => {
      const write = (data: string, name: string): string =>
        frame.replace(/[DC]/g, (place) => (place === "D" ? data : `${name}(1)`));
      fc.pre(!one.includes("__proto__") && !other.includes("__proto__"));
      same(write(one, code), write(other, code));
      if (code !== otherCode) differ(write(one, code), write(one, otherCode));
    }),
  );
});

test("a text that leaves its quotes is code, not data", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 12 }), (text) => {
      const script = (inner: string): string => `self.__next_f.push([1,"${inner}"])`;
      const broken = script(`${text.replaceAll("\\", "")}"]);steal("`);
      differ(script("a"), broken);
    }),
  );
});

test("digests stay what they are: a parser that writes its tree otherwise would make every script new", () => {
  const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
  const source = "self.q.push([1,'a']);class A extends B{#c=async({d,...e})=>d?.[`f${e}`]??/g/u}for(;;)break";
  assert.equal(
    idOf("inline", skeletonOf(source, "inline").text, digest),
    "inline-60e91602db8fab64ba69265028acc7fa37a25e387deb72fd38dfc4ab8ff874cb",
  );
});

test("a large whole number counts like any other literal of code", () => {
  same(`var a = 10n ** 20n`, `var a=10n**20n;`);
  differ(`var a = 10n ** 20n`, `var a = 11n ** 20n`);
  differ(`f(1n * a)`, `f(1 * a)`);
  same(`g({ b: [1n, 2n] })`, `g({b:[1n,2n]})`);

  test("what reaches a prototype is no data, in JSON and in code; a constructor of cars is", () => {
    const same = (left: string, right: string): boolean =>
      skeletonOf(left, "inline").text === skeletonOf(right, "inline").text;
    for (const wrap of [
      (data: string): string => `window.STATE=${data}`,
      (data: string): string => `window.STATE=JSON.parse(${JSON.stringify(data)})`,
      (data: string): string => `show(${data})`,
    ]) {
      assert.ok(same(wrap('{"a":{"constructor":"x"}}'), wrap('{"a":{"constructor":"y"}}')));
      for (const [left, right] of [
        ['{"a":{"constructor":{"prototype":{"x":1}}}}', '{"a":{"constructor":{"prototype":{"x":2}}}}'],
        ['{"__proto__":{"x":1}}', '{"__proto__":{"x":2}}'],
      ] as const)
        assert.ok(!same(wrap(left), wrap(right)), wrap(left));
    }
  });
});
