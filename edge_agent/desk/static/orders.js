// What the county wants of this checkpoint, until staff answer: 查岗, 封控, 增援.
import {button, el, keyed, mark, say} from "./dom.js";
import {clock, fromHere} from "./format.js";
import {clocks} from "./clocks.js";
import {rows} from "./live.js";
import {press} from "./press.js";
import {may} from "./session.js";
import {t} from "./words.js";

const sentence = (row) => [
  t(`order_${row.cmd}_do`), row.why, row.desc,
  row.lat === undefined ? "" : fromHere(row.lat, row.lon), t("order_at", {time: clock(row.iat)}),
].filter(Boolean).join(" · ");

function panel([id]) {
  const title = el("strong", {}), text = el("p", {}), timers = el("div", {class: "timers"});
  const answer = button("", "big", () => press("answer", {id}));
  const made = el("article", {class: "order"}, el("div", {}, title, text), timers, answer);
  made.draw = ([, row]) => {
    say(title, t(`order_${row.cmd}`));
    say(text, sentence(row));
    clocks(timers, [row]);
    say(answer, t(`order_${row.cmd}_answer`));
    mark(answer, "hidden", !may("order"));
  };
  return made;
}

export function drawOrders(box) {
  keyed(box, Object.entries(rows.order || {}).sort(([, a], [, b]) => a.iat - b.iat), ([id]) => id, panel);
}
