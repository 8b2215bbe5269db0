// Cards of bays, units and sensors: a colour, a sign and a word each; never the colour alone.
import {el, keyed, mark, say} from "./dom.js";
import {about, ago, fromHere, now, ours, span} from "./format.js";
import {rows} from "./live.js";
import {known, t} from "./words.js";

const SIGN = {good: "✔", work: "…", alarm: "!", idle: "○"};

/** A card that draws {kind, title, who, word, lines: [text], bar: 0..1|null, beside: text by the bar}. */
export function card() {
  const sign = el("span", {class: "sign", "aria-hidden": "true"});
  const title = el("strong", {});
  const who = el("span", {class: "carrier"});
  const word = el("p", {class: "word"});
  const bar = el("div", {class: "bar"}, el("div", {}));
  const beside = el("p", {class: "beside"});
  const lines = el("div", {class: "lines"});
  const made = el("div", {class: "card"}, el("div", {class: "cardhead"}, sign, title, who), word, bar, beside, lines);
  made.show = (view) => {
    mark(made, "class", `card ${view.kind}`);
    say(sign, SIGN[view.kind]);
    say(title, view.title);
    say(who, view.who || "");
    say(word, view.word);
    say(beside, view.beside || "");
    mark(beside, "hidden", view.beside ? null : "");
    mark(bar, "hidden", view.bar === null || view.bar === undefined);
    if (view.bar !== null && view.bar !== undefined) bar.firstChild.style.width = `${Math.round(100 * view.bar)}%`;
    const texts = view.lines.filter(Boolean);
    keyed(lines, texts, (text) => texts.indexOf(text), () => {
      const line = el("p", {});
      line.draw = (text) => say(line, text);
      return line;
    });
  };
  return made;
}

const LAMP = {empty: "idle", working: "work", done: "good", problem: "alarm"};
const pace = new Map(); // bay -> {camera, seen: [{at, done}]} of the last minute, for the time left
const PACE_S = 60, LEAST_S = 3, STEP_S = 1;

/** Seconds until the camera may be taken, by the pace of the last minute; null: not known yet. */
function left(row) {
  if (row.light !== "working" || !row.bytes) {
    pace.delete(row.bay);
    return null;
  }
  let known = pace.get(row.bay);
  if (!known || known.camera !== row.camera || row.bytes_done < known.seen.at(-1).done) {
    known = {camera: row.camera, seen: [{at: now(), done: row.bytes_done}]};
    pace.set(row.bay, known);
  }
  const {seen} = known;
  if (now() - seen.at(-1).at >= STEP_S) seen.push({at: now(), done: row.bytes_done});
  while (seen.length > 2 && seen[0].at < now() - PACE_S) seen.shift();
  const [first, last] = [seen[0], seen.at(-1)];
  const rate = (last.done - first.done) / (last.at - first.at);
  return rate > 0 && last.at - first.at >= LEAST_S ? (row.bytes - row.bytes_done) / rate : null;
}

/** "46 % · 约剩 3 分钟", while something is copied. */
function progress(row, seconds) {
  if (row.light !== "working" || !row.bytes) return "";
  return `${Math.floor(100 * row.bytes_done / row.bytes)} % · ${seconds === null ? t("left_unknown") : t("left", {span: span(seconds)})}`;
}

export function bay(row) {
  const seconds = left(row);
  const state = known(`bay_${row.state}`) ? t(`bay_${row.state}`) : row.state;
  const trouble = row.light === "problem"; // then the state says what to do
  return {
    kind: LAMP[row.light] || "idle",
    title: t("bay", {n: row.number}),
    word: t(`lamp_${row.light}`),
    who: row.member || "",
    bar: row.bytes ? row.bytes_done / row.bytes : null,
    beside: trouble ? state : progress(row, seconds),
    lines: [
      trouble ? "" : state,
      [row.camera && t("camera", {name: row.camera}), row.files && t("files", {n: row.sealed ?? 0, of: row.files})]
        .filter(Boolean).join(" · "),
      row.problems ? t("problems", {n: row.problems}) : "",
      ours(row.why),
    ],
  };
}

export function unit(id, row) {
  const age = row.tst ? now() - row.tst : null;
  const silent = row.silent_since;
  const low = row.batt !== null && row.batt !== undefined && row.batt < 20;
  return {
    kind: silent || row.fault ? "alarm" : row.online === false || low || age === null || age > 180 ? "work" : "good",
    title: row.member || id,
    word: silent ? t("silent", {span: span(now() - silent)}) : row.online === false ? t("offline")
      : row.on_duty ? t("on_duty") : t("off_duty"),
    bar: null,
    lines: [
      row.lat === undefined || row.lat === null ? t("no_position") : fromHere(row.lat, row.lon),
      age === null ? "" : age > 180 ? t("position_old", {span: span(age)}) : t("position_age", {span: span(age)}),
      row.batt === undefined || row.batt === null ? "" : t(low ? "battery_low" : "battery", {n: row.batt}),
      row.fault ? t("fault_of", {why: row.fault}) : "",
    ],
  };
}

export function reading(row) {
  if (row.value === null || row.value === undefined) return row.text || "—";
  if (!row.unit && (row.value === 0 || row.value === 1000)) return t(row.value ? "contact_on" : "contact_off");
  return `${row.value / 1000} ${row.unit || ""}`;
}

const bound = (n) => n / 1000;

export function sensor(id, row) {
  const told = about.sensors[id] || {name: id, unit: "", limits: {}};
  const {low, high, on} = told.limits;
  return {
    kind: row.alarm ? "alarm" : row.quality === "good" ? "good" : "work",
    title: told.name,
    word: row.quality === "fault" && row.value === null ? t("quality_fault") : reading(row),
    bar: null,
    lines: [
      row.alarm ? t("alarm", {what: t(`alarm_${row.alarm}`)}) : "",
      row.quality === "good" ? "" : t(`quality_${row.quality}`),
      row.read ? ago(row.read) : t("never_read"),
      low !== undefined || high !== undefined
        ? t("limits", {low: low === undefined ? "…" : bound(low), high: high === undefined ? "…" : bound(high)})
        : on === undefined ? "" : t("limit_on", {what: t(on ? "contact_on" : "contact_off")}),
      ours(row.why),
    ],
  };
}

/** Cards for [key, view] pairs. */
export function deal(box, pairs) {
  keyed(box, pairs, ([key]) => key, () => {
    const made = card();
    made.draw = ([, view]) => made.show(view);
    return made;
  });
}

export const bays = () => Object.entries(rows.bay).sort(([, a], [, b]) => a.number - b.number)
  .map(([key, row]) => [key, bay(row)]);
export const units = (most = Infinity) => Object.entries(rows.unit)
  .sort(([, a], [, b]) => Boolean(b.silent_since) - Boolean(a.silent_since) || (b.tst || 0) - (a.tst || 0))
  .slice(0, most).map(([key, row]) => [key, unit(key, row)]);
export const sensors = () => Object.entries(rows.sensor).filter(([, row]) => row.kind !== "output")
  .sort(([a, x], [b, y]) => Boolean(y.alarm) - Boolean(x.alarm) || a.localeCompare(b))
  .map(([key, row]) => [key, sensor(key, row)]);
