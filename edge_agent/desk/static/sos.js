// Open SOSs: at the top of every view, over the lock, none behind another.
import {button, el, keyed, mark, say} from "./dom.js";
import {about, ago, clock, fromHere, member, near, now, span} from "./format.js";
import {rows} from "./live.js";
import {press} from "./press.js";
import {may} from "./session.js";
import {clocks} from "./clocks.js";
import {calls, sound} from "./sound.js";
import {t} from "./words.js";

const URGENCY = {alone: 0, overdue: 0, waiting: 1, answered: 2};
const LIGHTS = ["held", "county", "onscene"];

export const open = () => Object.values(rows.sos || {});
export const discreet = () => open().some((row) => row.discreet);

/** Unseen before seen, then by how alone it is, then the oldest. */
export function order(a, b) {
  return Boolean(a.seen_by) - Boolean(b.seen_by) || URGENCY[a.phase] - URGENCY[b.phase]
    || a.since - b.since;
}

/** On this machine's disk: seen after the commit, or known from before the agent's start. */
const held = (row) => Boolean(rows.fix[row.id]) || row.since < about.started;

export const lit = (row) => ({
  held: held(row), county: row.heard || row.answered, onscene: Boolean(rows.scene?.[row.id])});

/** The browser sounds for what the siren sounds for, and for what nobody here has seen yet. */
export const loud = (row) => !row.discreet && row.state !== "test" && !row.muted_by
  && (row.sounds || (row.phase === "waiting" && row.seen_by === null));

function where(row) {
  const fix = rows.fix[row.id];
  if (!fix || fix.lat === null || fix.lat === undefined) return t("no_position");
  const parts = [fromHere(fix.lat, fix.lon), near(fix.lat, fix.lon, rows.place), t("within", {n: fix.acc})];
  const age = now() - fix.at + (fix.age_s || 0);
  if (age > 60) parts.push(t("position_old", {span: span(age)}));
  return parts.filter(Boolean).join(" · ");
}

function said(row) {
  const parts = [t(`phase_${row.phase}`)];
  if (row.seen_by !== null) {
    parts.push(t(row.going ? "going_by" : "seen_by", {name: row.seen_by || t("this_checkpoint")}));
  }
  const there = rows.scene?.[row.id];
  if (there) parts.push(t(`scene_${there.how}`, {name: member(rows, there.unit), time: clock(there.at)}));
  if (row.muted_by) parts.push(t("muted_by", {name: row.muted_by}));
  return parts.join(" · ");
}

/** While the page is locked, or an auditor's, nobody is known: whose press is it? */
function named(act) {
  if (may("sos")) return act("");
  const on = (rows.shift?.now?.on || []).map((row) => row.who);
  const names = on.length ? on : about.people.map((person) => person.name);
  const ask = el("div", {class: "who", role: "group", "aria-label": t("who_are_you")}, el("b", {}, t("who_are_you")));
  for (const name of names) {
    ask.append(button(name, "", async () => {
      ask.remove();
      await act(name);
    }));
  }
  ask.append(button(t("cancel"), "quiet", () => ask.remove()));
  document.getElementById("sos").append(ask);
  ask.querySelector("button").focus();
  return null;
}

function panel(first) {
  const id = first.id;
  const title = el("strong", {class: "name"});
  const since = el("span", {class: "since"});
  const place = el("p", {class: "where"});
  const state = el("p", {class: "said"});
  const lights = el("div", {class: "lights"}, ...LIGHTS.map((light) => el("span", {"data-light": light})));
  const timers = el("div", {class: "timers"});
  const phones = el("p", {class: "phones"});
  const seen = button("", "big", () => named((who) => press("seen", {sos: id, going: false, who})));
  const going = button("", "big", () => named((who) => press("seen", {sos: id, going: true, who})));
  const mute = button("", "big quiet", () => named((who) => press("mute", {who})));
  const made = el("article", {class: "sos", "data-sos": id},
    el("div", {class: "head"}, title, since), place, lights, timers, phones, state,
    el("div", {class: "presses"}, seen, going, mute));
  made.draw = (row) => {
    mark(made, "data-phase", row.phase);
    mark(made, "data-discreet", row.discreet);
    mark(made, "data-unseen", row.seen_by === null);
    const kind = row.state === "test" ? t("sos_test") : row.discreet ? t("sos_discreet")
      : row.state === "cancelled" ? t("sos_cancelled") : t("sos");
    const who = member(rows, row.unit);
    say(title, `${kind} ${who}${who === row.unit ? "" : ` (${row.unit})`}`);
    say(since, `${clock(row.since)} · ${ago(row.since)}`);
    say(place, where(row));
    const on = lit(row);
    for (const lamp of lights.children) {
      const name = lamp.dataset.light;
      mark(lamp, "class", on[name] ? "lit" : "");
      say(lamp, `${on[name] ? "✔" : "○"} ${t(`light_${name}`)}`);
    }
    clocks(timers, [row]);
    mark(phones, "hidden", !row.phone);
    // a number is read out digit by digit: it must not break over a line
    say(phones, !row.phone ? "" : about.phones.length ? t("phone_now", {
      who: about.phones.map((p) => `${p.name} ${p.number.replaceAll(" ", "\u00a0")}`).join("，")}) : t("phone_nobody"));
    say(state, said(row));
    say(seen, t("seen"));
    say(going, t("going"));
    say(mute, t("mute"));
    mark(seen, "hidden", row.seen_by !== null);
    mark(going, "hidden", row.going);
    mark(mute, "hidden", row.discreet || row.state === "test" || Boolean(row.muted_by));
  };
  return made;
}

export function draw() {
  const all = open().sort(order);
  const box = document.getElementById("sos");
  mark(box, "aria-label", t("sos"));
  mark(box, "data-n", all.length);
  const chips = document.getElementById("chips");
  if (!box.firstChild) box.append(el("div", {class: "panels"}));
  mark(chips, "hidden", all.length < 2);
  keyed(chips, all.length < 2 ? [] : all, (row) => row.id, (row) => {
    const chip = button("", "", () => document.querySelector(`[data-sos="${row.id}"]`).scrollIntoView());
    chip.draw = (fresh) => say(chip, `${member(rows, fresh.unit)} ${fresh.seen_by === null ? "●" : "✔"}`);
    return chip;
  });
  keyed(box.firstChild, all, (row) => row.id, panel);
  sound(all.some(loud) ? "alarm" : discreet() ? "" : calls(rows) ? "call" : "");
}
