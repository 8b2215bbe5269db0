// Elements without innerHTML: what members and files are called is text, never markup.

/** el("button", {class: "big", on: {click}, hidden: true}, "text", child, …) */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    } else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return made;
}

/** Set an element's text only when it differs: nothing is laid out again for nothing. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set or remove an attribute, only when it differs. */
export function mark(element, name, value) {
  if (value === undefined || value === null || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/**
 * Children of `parent` for `items` in their order, kept by key: a button under a finger is not
 * replaced while its row changes. make(item) -> element with .draw(item).
 */
export function keyed(parent, items, keyOf, make) {
  const old = parent.kept || new Map();
  const kept = new Map();
  let at = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    const child = old.get(key) || make(item);
    child.draw(item);
    kept.set(key, child);
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
  for (const [key, child] of old) if (!kept.has(key)) child.remove();
  parent.kept = kept;
}

/** A button; `act` may be async: pressed again only once it has ended. */
export function button(text, className, act) {
  const made = el("button", {class: className, type: "button"}, text);
  made.addEventListener("click", async () => {
    if (made.disabled) return;
    made.disabled = true;
    try {
      await act(made);
    } finally {
      made.disabled = false;
    }
  });
  return made;
}

/** A button that asks once more in its own place before it acts. */
export function sure(text, question, className, act) {
  const made = el("button", {class: className, type: "button"}, text);
  let asked = 0;
  const calm = () => {
    asked = 0;
    say(made, text);
    made.classList.remove("asking");
  };
  made.addEventListener("click", async () => {
    if (asked) {
      clearTimeout(asked);
      calm();
      await act();
      return;
    }
    say(made, question);
    made.classList.add("asking");
    asked = setTimeout(calm, 6000);
  });
  return made;
}
