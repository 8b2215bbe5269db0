// The log in words: what happened, who pressed what.
import {el} from "./dom.js";
import {dayMinute, now, ours} from "./format.js";
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
  const values = {
    ...about,
    key: about.member || (row.what.startsWith("sos_") ? about.unit : about.key),
    why: ours(about.why) || "",
    cmd: about.cmd && known(`order_${about.cmd}`) ? t(`order_${about.cmd}`) : about.cmd || "",
    role: about.role ? t(`role_${about.role}`) : "",
    on: about.on === undefined ? "" : t(about.on ? "is_on" : "is_off"),
  };
  return `${known(key) ? t(key, values) : row.what}${row.who ? ` — ${row.who}` : ""}`;
}

/** Fill a list with what happened since then, newest first. */
export async function story(list, since) {
  const answer = await fetch(`/log.json?since=${since}`).catch(() => null);
  if (!answer?.ok) return;
  const found = await answer.json();
  list.replaceChildren(...found.map((row) => el("li", {class: row.who ? "" : "itself"},
    el("time", {}, dayMinute(row.at)), ` ${sentence(row)}`)));
  if (!found.length) list.append(el("li", {}, t("nothing_happened")));
}
