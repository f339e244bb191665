// The document as xterm sees it. Its style elements and style attributes would need a weaker content security
// policy; what is written into them is handed to the style sheet interfaces instead, which the policy allows.

const page = globalThis.document;

/** Stands in for a `style` element: its text becomes a style sheet of the page, for as long as it is there. */
function styleElement() {
  const element = page.createElement('span');
  element.hidden = true;
  const sheet = new CSSStyleSheet();
  Object.defineProperties(element, {
    textContent: {
      get: () => '',
      set: (text) => sheet.replaceSync(text),
    },
    remove: {
      value: () => {
        page.adoptedStyleSheets = page.adoptedStyleSheets.filter((one) => one !== sheet);
        Element.prototype.remove.call(element);
      },
    },
  });
  page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet];
  return element;
}

/** Writes a whole style attribute through the interface that the policy allows. */
function setAttribute(name, value) {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

function createElement(name, ...more) {
  if (name === 'style') return styleElement();
  const element = page.createElement(name, ...more);
  // Cells of text are the only elements that get a whole style attribute.
  if (name === 'span') element.setAttribute = setAttribute;
  return element;
}

const bound = new Map();

/** Put in the place of every `document` in the bundle. */
export const document = new Proxy(page, {
  get(target, name) {
    if (name === 'createElement') return createElement;
    const value = Reflect.get(target, name, target);
    if (typeof value !== 'function') return value;
    if (!bound.has(name)) bound.set(name, value.bind(target));
    return bound.get(name);
  },
  set: (target, name, value) => Reflect.set(target, name, value, target),
});
