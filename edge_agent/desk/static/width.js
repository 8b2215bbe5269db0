// How wide a text will be, without laying out the page for it.

const pen = document.createElement("canvas").getContext("2d");
const known = new Map();
const MOST = 2000; // ages change their texts: what is kept has an end

export function width(text, px, bold) {
  const key = `${px} ${bold} ${text}`;
  let w = known.get(key);
  if (w === undefined) {
    if (known.size >= MOST) known.clear();
    pen.font = `${bold ? 700 : 400} ${px}px ${getComputedStyle(document.body).fontFamily}`;
    w = Math.ceil(pen.measureText(text).width) + 2;
    known.set(key, w);
  }
  return w;
}
