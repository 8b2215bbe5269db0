// 登记: one tap a person or vehicle, by outcome; a slip is taken back; totals beside.
import {button, el, keyed, mark, say} from "./dom.js";
import {about, count, minute} from "./format.js";
import {rows} from "./live.js";
import {keyboard} from "./plate.js";
import {press, tell, ticket} from "./press.js";
import {may} from "./session.js";
import {t} from "./words.js";

const KINDS = ["person", "vehicle"];
const OUTCOMES = ["pass", "register", "correct", "transfer"];

const totals = () => rows.check.totals || {shift: {}, day: {}, operations: {}, last: []};
const sum = (counts, kind) => OUTCOMES.reduce((n, outcome) => n + (counts[`${kind} ${outcome}`] || 0), 0);

export function checks(root) {
  let operation = "";
  const plate = keyboard();
  const tally = el("div", {class: "tally"});
  const last = el("ol", {class: "last"});
  const send = async (what, outcome) => {
    const read = what === "vehicle" ? plate.value() : "";
    if (read === null) return tell(t("plate_part"), true);
    if (await press("check", {id: ticket(), what, outcome, operation, plate: read}) && read) plate.clear();
    return null;
  };
  const counters = [];
  const column = (what) => {
    const total = el("span", {class: "n"});
    counters.push(() => say(total, count(sum(totals().shift, what))));
    const box = el("div", {class: "column"}, el("h2", {}, t(what), " ", total));
    if (what === "vehicle") box.append(plate.box);
    for (const outcome of OUTCOMES) {
      const n = el("b", {});
      const tap = button("", `tap ${outcome}`, () => send(what, outcome));
      mark(tap, "data-check", `${what} ${outcome}`);
      tap.append(el("span", {}, t(`outcome_${outcome}`)), n);
      mark(tap, "disabled", !may("check"));
      counters.push(() => say(n, count(totals().shift[`${what} ${outcome}`] || 0)));
      box.append(tap);
    }
    return box;
  };
  const chooser = el("select", {id: "operation", on: {change: (event) => { operation = event.target.value; }}},
    el("option", {value: ""}, t("no_operation")),
    ...about.operations.map((one) => el("option", {value: one.id}, one.name)));
  root.append(el("h1", {class: "away"}, t("nav_checks")),
    el("div", {class: "checkhead"}, el("label", {for: "operation"}, t("operation")), chooser, tally),
    el("div", {class: "checks"}, ...KINDS.map(column)), el("h2", {}, t("last_checks")), last);

  function line(first) {
    const text = el("span", {});
    const back = button(t("undo"), "quiet", () => press("undo", {id: first.id}));
    const made = el("li", {}, text, back);
    made.draw = (row) => {
      const name = about.operations.find((one) => one.id === row.operation)?.name || row.operation;
      say(text, [minute(row.at), t(row.what), t(`outcome_${row.outcome}`), row.plate, name, row.who]
        .filter(Boolean).join(" · "));
      mark(made, "class", row.undone_at ? "undone" : "");
      mark(back, "hidden", Boolean(row.undone_at) || !may("check"));
    };
    return made;
  }

  return {sections: ["check"], draw() {
    for (const counter of counters) counter();
    const {day, operations} = totals();
    say(tally, [t("today", {persons: count(sum(day, "person")), vehicles: count(sum(day, "vehicle"))}),
      ...about.operations.filter((one) => operations[one.id]).map((one) => `${one.name} ${count(operations[one.id])}`),
    ].join(" · "));
    keyed(last, totals().last, (row) => row.id, line);
  }};
}
