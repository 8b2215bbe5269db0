// Names that do not cover one another: who stands close is gathered, and each name takes the nearest
// free place around its dot, with a line to it where it could not stay beside it. Pure: px in, px out.

const GAP = 3; // px kept between boxes

const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
const grown = (box, by) => ({x: box.x - by, y: box.y - by, w: box.w + 2 * by, h: box.h + 2 * by});
export const around = ({x, y}, r) => ({x: x - r, y: y - r, w: 2 * r, h: 2 * r});

/** Dots ([{x, y}]) nearer than `near` px to the first of a group are that group: [{x, y, of: [dot, …]}]. */
export function gather(dots, near) {
  const groups = [];
  for (const dot of dots) {
    const group = groups.find((g) => Math.hypot(g.x - dot.x, g.y - dot.y) < near);
    if (group) group.of.push(dot);
    else groups.push({x: dot.x, y: dot.y, of: [dot]});
  }
  return groups;
}

// Places around a dot, the best first: which side, then px further out.
const SIDES = [[1, 0], [-1, 0], [1, -1], [1, 1], [-1, -1], [-1, 1], [0, -1], [0, 1]];
const OUT = [0, 16, 36, 60, 90];
const CHOICES = OUT.flatMap((out) => SIDES.map(([across, down]) => ({across, down, out})));
const MIDDLE = {across: 0, down: 0, out: 0}; // on the place itself: names of areas

function at(label, {across, down, out}) {
  const away = label.r + 4 + out;
  const x = across > 0 ? label.x + away : across < 0 ? label.x - away - label.w : label.x - label.w / 2;
  const y = down > 0 ? label.y + away : down < 0 ? label.y - away - label.h : label.y - label.h / 2;
  return {x, y, w: label.w, h: label.h};
}

/** From the dot's edge to the nearest place of the box. */
function line(label, box) {
  const to = {x: Math.min(Math.max(label.x, box.x), box.x + box.w), y: Math.min(Math.max(label.y, box.y), box.y + box.h)};
  const far = Math.hypot(to.x - label.x, to.y - label.y) || 1;
  return {x1: label.x + (to.x - label.x) / far * label.r, y1: label.y + (to.y - label.y) / far * label.r,
    x2: to.x, y2: to.y};
}

/**
 * Place `labels` [{key, x, y, r (of the dot; 0: none), w, h, most (px out)}], the important ones
 * first, clear of one another and of `taken` boxes, within `frame` {w, h}. -> Map of key -> {x, y, w, h, line: null | {x1 … y2}};
 * who found no place is not in it. `before` (the last answer) is preferred: names do not jump.
 */
export function place(labels, taken, frame, before = new Map()) {
  const full = [...taken];
  const found = new Map();
  const free = (box) => box.x >= 2 && box.y >= 2 && box.x + box.w <= frame.w - 2 && box.y + box.h <= frame.h - 2
    && !full.some((other) => overlap(box, other));
  for (const label of labels) {
    const last = before.get(label.key)?.choice;
    const choices = [last, label.r ? null : MIDDLE, ...CHOICES];
    const choice = choices.find((one) => one && one.out <= label.most && free(at(label, one)));
    if (!choice) continue;
    const box = at(label, choice);
    full.push(grown(box, GAP));
    found.set(label.key, {...box, choice, line: choice.out ? line(label, box) : null});
  }
  return found;
}
