// The log in words: what happened, who pressed what.
import {el} from "./dom.js";
import {about as config, dayMinute, now, ours} from "./format.js";
import {known, t} from "./words.js";

const KEY = "looked_at"; // on this browser: when somebody last touched the page, Unix s
const AWAY_S = 120;
let before = Number(localStorage.getItem(KEY)) || 0;

/** The time until which somebody looked; a pause of two minutes begins a new "since". */
export const lookedAt = () => before || now() - 12 * 3600;

export function looked() {
  const last = Number(localStorage.getItem(KEY)) || 0;
  if (now() - last > AWAY_S) before = last;
  localStorage.setItem(KEY, String(now()));
}

/** One row of the log as a sentence. */
export function sentence(row) {
  const key = `log_${row.what}`;
  const {about} = row;
  const named = {...config.sensors, ...Object.fromEntries((config.outputs || []).map((one) => [one.id, one]))};
  const values = {
    ...about,
    key: about.member || (row.what.startsWith("sos_") ? about.unit : named[about.key]?.name || about.key),
    why: ours(about.why) || "",
    cmd: about.cmd && known(`order_${about.cmd}`) ? t(`order_${about.cmd}`) : about.cmd || "",
    id: named[about.id]?.name || about.id,
    role: about.role ? t(`role_${about.role}`) : "",
    on: about.on === undefined ? "" : t(about.on ? "is_on" : "is_off"),
  };
  return `${known(key) ? t(key, values) : row.what}${row.who ? ` — ${row.who}` : ""}`;
}

/** What the next crew must know; log-ins and the like are the auditor's. */
export const TOLD = new Set(["sos_raised", "sos_answered", "sos_closed", "on_scene", "seen", "going", "mute",
  "uplink_down", "uplink_up", "sensor_alarm", "sensor_calm", "fault", "fault_over", "order", "answered", "sealed",
  "seal_lifted", "unstaffed", "sign_on", "sign_off", "hand_over", "output", "announce", "unit_silent"]);

/** Fill a list with what happened since then, newest first; `all`: log-ins and the like, too. */
export async function story(list, since, all = false) {
  const answer = await fetch(`/log.json?since=${since}`).catch(() => null);
  if (!answer?.ok) return;
  const found = (await answer.json()).filter((row) => all || TOLD.has(row.what));
  list.replaceChildren(...found.map((row) => el("li", {class: row.who ? "" : "itself"},
    el("time", {}, dayMinute(row.at)), ` ${sentence(row)}`)));
  if (!found.length) list.append(el("li", {}, t("nothing_happened")));
}
