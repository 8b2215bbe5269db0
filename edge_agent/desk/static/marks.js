// What stands on the map: people, patrol points, SOSs. A shape, a sign and a word each, never the
// colour alone; what is old or doubtful does not look like what is so now.
import {mark, say, svg} from "./dom.js";
import {member, minute, now, span} from "./format.js";
import {rows} from "./live.js";
import {t} from "./words.js";

export const OLD_S = 180; // a position older than this is faded and says its age
const FAINT_S = 1800; // and this one is hardly a hint
const DOT = 9, MANY = 17; // px, radius: one person; several
const FRESH_SHIFT_S = 3600; // as tracks.py has it
const BLUR_M = 50; // a position less exact than this shows how far it may be off

export const BELIEFS = ["faint", "old", "doubt", "now"];

/** How far to believe where a unit is shown. */
export function belief(row) {
  const age = now() - row.tst;
  if (row.mark) return "doubt"; // its receiver stands still or jumps
  return age > FAINT_S ? "faint" : age > OLD_S ? "old" : "now";
}

/** A member's name and what must be known with it. */
export function named(unit, row) {
  const name = member(rows, unit);
  if (row.silent_since) return `${name} ${t("silent", {span: span(now() - row.silent_since)})}`;
  const sure = belief(row);
  if (sure === "doubt") return `${name} ${t("position_doubtful")}`;
  return sure === "now" ? name : `${name} ${t("ago", {span: span(now() - row.tst)})}`;
}

export const radius = (group) => (group.of.length > 1 ? MANY : DOT);

const place = (node, {x, y}) => mark(node, "transform", `translate(${x.toFixed(1)},${y.toFixed(1)})`);

/** One person, or several who stand together with their number. draw(group of {unit, row}) */
export function person(pick) {
  const blur = svg("circle", {class: "blur"});
  const dot = svg("circle", {class: "dot"});
  const sign = svg("text", {class: "many", "text-anchor": "middle", dy: "0.36em"});
  const made = svg("g", {}, blur, dot, sign);
  let units = [];
  made.addEventListener("click", () => pick(units));
  made.draw = (group) => {
    const {row} = group.of[0];
    const many = group.of.length > 1;
    units = group.of.map(({unit}) => unit);
    place(made, group);
    const mixed = group.of.some((one) => belief(one.row) !== belief(row));
    mark(made, "class", ["person", many && "many", belief(row), mixed && "mixed", !many && row.online === false && "gone",
      group.picked && "picked"].filter(Boolean).join(" "));
    mark(made, "data-n", group.of.length);
    mark(dot, "r", radius(group));
    const off = many || !(row.acc > BLUR_M) ? 0 : row.acc * group.scale;
    mark(blur, "r", off > DOT ? off.toFixed(0) : 0);
    say(sign, many ? String(group.of.length) : row.online === false || row.silent_since ? "×" : "");
  };
  return made;
}

/** Whether somebody was at the point in this shift, or in the hour before where it has just begun. */
export const been = (visit) => Boolean(visit) && visit.tst >= Math.min(rows.shift?.now?.began || 0, now() - FRESH_SHIFT_S);

export function pointText({row, visit}) {
  if (visit?.inside?.length) return `${row.desc} ${t("point_inside", {name: member(rows, visit.inside[0])})}`;
  return been(visit) ? `✔ ${row.desc} ${minute(visit.tst)}` : row.desc;
}

/** A patrol point: hollow until it was visited; a key site has a double border. */
export function point() {
  const outer = svg("rect", {x: -11, y: -11, width: 22, height: 22, class: "outer"});
  const rect = svg("rect", {x: -7, y: -7, width: 14, height: 14});
  const made = svg("g", {}, outer, rect);
  made.draw = ({at, row, visit}) => {
    place(made, at);
    mark(made, "class", ["point", been(visit) && "been", visit?.inside?.length && "inside",
      row.place === "key" && "key"].filter(Boolean).join(" "));
  };
  return made;
}

export function alarm() {
  const made = svg("g", {class: "sosmark"}, svg("circle", {r: 20}), svg("circle", {r: 26, class: "outer"}));
  made.draw = ({at}) => place(made, at);
  return made;
}
