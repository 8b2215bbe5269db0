// Every text of the page, from words.json, in the language that was chosen last on this browser.

let words = {};
let language = localStorage.getItem("language") === "en" ? "en" : "zh";

export async function loadWords() {
  words = await (await fetch("/static/words.json")).json();
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

export const chosen = () => language;

export function choose(next) {
  language = next;
  localStorage.setItem("language", next);
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
}

/** The text of `key`, its {name}s filled in. A text that is missing shows itself: ⟦key⟧. */
export function t(key, values = {}) {
  const text = words[key]?.[language];
  if (text === undefined) return `⟦${key}⟧`;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const known = (key) => key in words;
