// The line at the top: where we are, the county's link in plain words, and what must not be missed.
import {el, keyed, mark, say} from "./dom.js";
import {about, ago, clock, count, now, ours, span} from "./format.js";
import {rows} from "./live.js";
import {drawOrders} from "./orders.js";
import {muzzled} from "./sound.js";
import {t} from "./words.js";

const SLOW_S = 300; // an oldest unsent record above this is worth a word

/** The county's link in one sentence. */
export function uplinkWords() {
  const row = rows.uplink.county || {};
  const n = count(row.backlog || 0);
  const parts = [];
  if (!row.up) {
    parts.push(row.since ? t("uplink_down", {span: span(now() - row.since), n}) : t("uplink_never", {n}));
  } else {
    parts.push(t("uplink_up", {span: span(now() - (row.since || now()))}));
    if (row.backlog) {
      parts.push(row.drain_s ? t("uplink_draining", {n, span: span(row.drain_s)}) : t("uplink_waiting", {n}));
    }
  }
  if (row.oldest_at && now() - row.oldest_at > SLOW_S) parts.push(t("uplink_oldest", {ago: ago(row.oldest_at)}));
  if (row.sos_heard_at) parts.push(t("sos_receipt", {time: clock(row.sos_heard_at)}));
  return parts.join(" · ");
}

export function makeTop(root, banners, tools) {
  const name = el("strong", {class: "place"}), time = el("time", {}), link = el("span", {class: "link"});
  root.append(name, time, link, tools);
  const orders = el("div", {class: "orders"}), notes = el("div", {});
  banners.append(orders, notes);
  return () => {
    const up = Boolean(rows.uplink?.county?.up);
    say(name, about.name);
    say(time, clock(now()));
    mark(link, "data-up", String(up));
    say(link, `${up ? "●" : "▲"} ${uplinkWords()}`);
    drawOrders(orders);
    const told = [];
    if (muzzled()) told.push(["mute", t("muzzled")]);
    const shift = rows.shift?.now;
    if (shift?.unstaffed && !about.first) {
      told.push(["alarm", t("unstaffed_banner", {span: span(now() - shift.left)})]);
    }
    for (const [fault, row] of Object.entries(rows.fault || {})) {
      told.push(["alarm", t("fault_banner", {name: fault, why: ours(row.why)})]);
    }
    keyed(notes, told, (one) => told.indexOf(one), () => {
      const note = el("p", {});
      note.draw = ([kind, text]) => {
        mark(note, "class", `note ${kind}`);
        say(note, text);
      };
      return note;
    });
  };
}
