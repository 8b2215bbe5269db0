// What the county wants of this checkpoint: 查岗, 封控, 增援 until staff answer; 封控 until it is lifted.
import {button, el, keyed, mark, say} from "./dom.js";
import {about, clock, fromHere} from "./format.js";
import {clocks} from "./clocks.js";
import {rows} from "./live.js";
import {press} from "./press.js";
import {may} from "./session.js";
import {t} from "./words.js";

const told = (row) => [
  row.why, row.desc, row.lat === undefined ? "" : fromHere(row.lat, row.lon),
  t("order_at", {time: clock(row.iat)}),
  row.done_at ? t("seal_done", {name: row.who, time: clock(row.done_at)}) : "",
].filter(Boolean).join(" · ");

/** What to do, one step each: the checkpoint's own words where it has some. */
function steps(row) {
  const own = row.cmd === "seal_off" ? about.seal_off || [] : [];
  return own.length ? own : t(`order_${row.cmd}_do`).split(/[，,] ?/);
}

function panel([id]) {
  const title = el("strong", {}), text = el("p", {}), timers = el("div", {class: "timers"});
  const list = el("ol", {class: "steps"});
  const answer = button("", "big", () => press("answer", {id}));
  const made = el("article", {class: "order", "data-order": id},
    el("div", {}, el("p", {}, title, timers), list, text), answer);
  made.draw = ([, row]) => {
    mark(made, "data-done", Boolean(row.done_at));
    say(title, t(row.done_at ? "order_sealed" : `order_${row.cmd}`));
    const todo = steps(row);
    keyed(list, todo, (step) => todo.indexOf(step), () => {
      const line = el("li", {});
      line.draw = (step) => say(line, step);
      return line;
    });
    say(text, told(row));
    clocks(timers, [row]);
    say(answer, t(`order_${row.cmd}_answer`));
    mark(answer, "hidden", Boolean(row.done_at) || !may("order"));
  };
  return made;
}

export function drawOrders(box) {
  const open = Object.entries(rows.order || {}), sealed = Object.entries(rows.seal || {});
  keyed(box, [...open.sort(([, a], [, b]) => a.iat - b.iat), ...sealed], ([id]) => id, panel);
}
