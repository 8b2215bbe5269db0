// 交接班: one sheet of paper that the next crew can sign.
import {el} from "./dom.js";
import {about, dayMinute, ours} from "./format.js";
import {TOLD, sentence} from "./story.js";
import {t} from "./words.js";

const KINDS = ["person", "vehicle"];
const OUTCOMES = ["pass", "register", "correct", "transfer"];

const row = (...cells) => el("tr", {}, ...cells.map((cell, n) => el(n ? "td" : "th", n ? {} : {scope: "row"}, String(cell))));

/** Show the sheet of a shift in `paper`; whether it could be had. */
export async function sheet(paper, id) {
  const answer = await fetch(`/sheet.json?shift=${id}`).catch(() => null);
  if (!answer?.ok) return false;
  const {shift, people, totals, log, faults, bays, sos, orders, alarms, note_before: before} = await answer.json();
  const full = Object.values(bays).filter((bay) => bay.light !== "empty");
  const open = [
    ...Object.values(sos).map((one) => `${t("sos")} ${one.unit}`),
    ...Object.values(orders).map((one) => t(one.done_at ? "order_sealed" : `order_${one.cmd}`)),
    ...Object.entries(alarms).map(([name, one]) =>
      `${about.sensors[name]?.name || name} ${t("alarm", {what: t(`alarm_${one.alarm}`)})}`),
    ...Object.entries(faults).map(([name, one]) => `${name}: ${ours(one.why)}`),
    ...full.map((bay) => `${t("bay", {n: bay.number})} ${t(`lamp_${bay.light}`)} ${bay.camera || ""}`),
  ];
  paper.hidden = false;
  paper.replaceChildren(
    el("h2", {}, t("sheet_title", {name: about.name, date: shift.date})),
    el("table", {}, el("tbody", {},
      row(t("sheet_time"), `${dayMinute(shift.began)} – ${shift.ended ? dayMinute(shift.ended) : t("sheet_running")}`),
      row(t("sheet_people"), people.map((one) => one.who).join("，") || t("unstaffed")),
      ...KINDS.map((kind) => row(t(kind), OUTCOMES.map((outcome) =>
        `${t(`outcome_${outcome}`)} ${totals[`${kind} ${outcome}`] || 0}`).join("  "))),
      row(t("sheet_open"), open.join("；") || t("sheet_nothing")),
      row(t("sheet_before"), before || "—"),
      row(t("note"), shift.note || "—"))),
    el("h3", {}, t("sheet_log")),
    el("ol", {class: "story"}, ...log.filter((one) => TOLD.has(one.what)).map((one) =>
      el("li", {}, el("time", {}, dayMinute(one.at)), ` ${sentence(one)}`))),
    el("p", {class: "sign"}, t("sheet_sign")));
  return true;
}
