import { fromHtml } from "hast-util-from-html";

/** A form of a page, ready to be filled in. */
export interface LoginForm {
  method: "GET" | "POST";
  action: string;
  fields: FormField[];
  /** Whether it asks for a password. */
  asksForPassword: boolean;
}

/** A control of a form. */
export interface FormField {
  name: string;
  value: string;
  type: string;
}

interface Node {
  type: string;
  tagName?: string;
  properties?: Record<string, unknown>;
  children?: Node[];
}

/** Finds the forms of a page, as a browser's parser would. */
export function findForms(html: string): LoginForm[] {
  const forms: Node[] = [];
  walk(fromHtml(html), (node) => {
    if (node.tagName === "form") forms.push(node);
  });
  return forms.map(readForm);
}

/** The form that signs somebody in or consents: the one that asks for a password, else the first that is posted. */
export function chooseForm(forms: readonly LoginForm[]): LoginForm | undefined {
  return forms.find((form) => form.asksForPassword) ?? forms.find((form) => form.method === "POST");
}

/** Fills a form in: the user's name goes into the text field before the password. */
export function fillForm(
  form: LoginForm,
  { username, password }: { username: string; password: string },
): URLSearchParams {
  const body = new URLSearchParams();
  const texts = form.fields.filter(({ type }) => type === "text" || type === "email");
  const named = texts.find(({ name }) => /user|login|email|account|identifier|name/i.test(name)) ?? texts[0];
  for (const field of form.fields) {
    if (field.type === "password") body.append(field.name, password);
    else if (field === named) body.append(field.name, username);
    else body.append(field.name, field.value);
  }
  return body;
}

function readForm(form: Node): LoginForm {
  const fields: FormField[] = [];
  let hasButton = false;
  walk(form, ({ tagName, properties = {} }) => {
    const name = text(properties.name);
    const type = text(properties.type).toLowerCase();
    if (tagName === "button" || (tagName === "input" && type === "submit")) {
      // A browser sends the button that was pressed, and only that one: the first.
      if (hasButton || type === "button" || type === "reset") return;
      hasButton = true;
      if (name !== "") fields.push({ name, value: text(properties.value), type: "submit" });
    } else if (
      tagName === "input" &&
      name !== "" &&
      type !== "button" &&
      type !== "reset" &&
      type !== "image"
    ) {
      const isTicked = properties.checked === true || properties.checked === "";
      if ((type === "checkbox" || type === "radio") && !isTicked) return;
      fields.push({ name, value: text(properties.value), type: type === "" ? "text" : type });
    }
  });
  return {
    method: text(form.properties?.method).toUpperCase() === "POST" ? "POST" : "GET",
    action: text(form.properties?.action),
    fields,
    asksForPassword: fields.some(({ type }) => type === "password"),
  };
}

const text = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

function walk(node: Node, visit: (node: Node) => void): void {
  const waiting = [node];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    visit(next);
    waiting.unshift(...(next.children ?? []));
  }
}
