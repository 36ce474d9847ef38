import { html } from "parse5";
import type { Token, TreeAdapter, TreeAdapterTypeMap } from "parse5";

/**
 * The little of a document's tree that tree construction itself asks for: what an element is and who its parent is. Nothing points
 * down, so what is closed is forgotten, and a page takes no more memory than what is open in it and the facts found.
 */
export interface FactNode {
  tagName: string;
  namespaceURI: html.NS;
  attrs: Token.Attribute[];
  parent: FactNode | undefined;
  content: FactNode | undefined;
  /** Its text so far, if anybody wants it. */
  text: string | undefined;
  mode: html.DOCUMENT_MODE;
}

/** The types of {@link factTree}. */
export type FactTreeMap = TreeAdapterTypeMap<
  FactNode,
  FactNode,
  FactNode,
  FactNode,
  FactNode,
  FactNode,
  FactNode,
  FactNode,
  FactNode,
  FactNode
>;

/** What is told about elements. */
export interface FactTreeEvents {
  /** An element is now in the tree, because of the tag at that place. */
  readonly attached: (element: FactNode, startOffset: number) => void;
  readonly closed: (element: FactNode) => void;
  /** An element was made, by a tag or by tree construction alone. */
  readonly created: () => void;
}

const withText = new Set(["script", "style"]);

function node(tagName: string, namespaceURI: html.NS, attrs: Token.Attribute[]): FactNode {
  return {
    tagName,
    namespaceURI,
    attrs,
    parent: undefined,
    content: undefined,
    text: withText.has(tagName) ? "" : undefined,
    mode: html.DOCUMENT_MODE.NO_QUIRKS,
  };
}

const other = (): FactNode => node("", html.NS.HTML, []);

/** A tree for parse5 that tells what happens and keeps next to nothing. */
export function factTree({ attached, closed, created }: FactTreeEvents): TreeAdapter<FactTreeMap> {
  return {
    createDocument: other,
    createDocumentFragment: other,
    createCommentNode: other,
    createTextNode: other,
    createElement: (tagName, namespaceURI, attrs) => {
      created();
      return node(tagName, namespaceURI, attrs);
    },
    appendChild: (parent, child) => {
      child.parent = parent;
    },
    insertBefore: (parent, child) => {
      child.parent = parent;
    },
    detachNode: (child) => {
      child.parent = undefined;
    },
    insertText: (parent, text) => {
      if (parent.text !== undefined) parent.text += text;
    },
    insertTextBefore: () => {},
    adoptAttributes: () => {},
    setTemplateContent: (template, content) => {
      template.content = content;
    },
    setDocumentType: () => {},
    setDocumentMode: (document, mode) => {
      document.mode = mode;
    },
    setNodeSourceCodeLocation: (element, location) => {
      if (location !== null && element?.tagName !== undefined && element.tagName !== "")
        attached(element, location.startOffset);
    },
    updateNodeSourceCodeLocation: () => {},
    onItemPop: (element) => closed(element),
    getTemplateContent: (template) => template.content ?? template,
    getAttrList: (element) => element.attrs,
    getDocumentMode: (document) => document.mode,
    getNamespaceURI: (element) => element.namespaceURI,
    getParentNode: (child) => child.parent ?? null,
    getTagName: (element) => element.tagName,
    getChildNodes: () => [],
    getFirstChild: () => null,
    getNodeSourceCodeLocation: () => null,
    getCommentNodeContent: () => "",
    getDocumentTypeNodeName: () => "",
    getDocumentTypeNodePublicId: () => "",
    getDocumentTypeNodeSystemId: () => "",
    getTextNodeContent: () => "",
    isCommentNode: isNever,
    isDocumentTypeNode: isNever,
    isElementNode: isElement,
    isTextNode: isNever,
  };
}

/** No node of these kinds is kept. */
function isNever(candidate: FactNode): candidate is FactNode {
  return candidate.tagName === "#none";
}

function isElement(candidate: FactNode): candidate is FactNode {
  return candidate.tagName !== "";
}
