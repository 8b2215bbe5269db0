// Response clocks: key site 1 minute on the spot, public place 3 minutes, 10 minutes to seal off.
import {el, keyed, mark, say} from "./dom.js";
import {countdown, metres, now, offset} from "./format.js";
import {rows} from "./live.js";
import {t} from "./words.js";

const LIMIT_S = {key: 60, public: 180};
const SEAL_S = 600;
const ROUND_M = 100; // a patrol point that has no radius of its own

/** The class of a place: that of the patrol point whose circle it is in; a key site before others. */
export function classOf(lat, lon) {
  const at = offset(lat, lon);
  if (!at) return null;
  const inside = Object.values(rows.place || {}).filter((point) => {
    const centre = offset(point.lat, point.lon);
    return metres({east: at.east - centre.east, north: at.north - centre.north}) <= (point.rad || ROUND_M);
  });
  return inside.find((point) => point.place === "key")?.place || inside.find((point) => point.place)?.place || null;
}

/** Where an order leads, or where an SOS was pressed. */
function whereOf(row) {
  return row.lat === undefined ? (row.id && rows.fix?.[row.id]) || {} : row;
}

/**
 * [{key, label, left, met}] of a row, an SOS or an order: left in s, below 0 once it is over; met: it
 * was kept or missed with so much left, and stands still.
 */
export function running(row) {
  const found = [];
  const began = row.iat || row.since;
  const place = row.place || classOf(whereOf(row).lat, whereOf(row).lon);
  const there = row.id && rows.scene?.[row.id];
  const clock = (key, label, limit, ended) => found.push({
    key, label, left: began + limit - (ended || now()), met: Boolean(ended)});
  if (LIMIT_S[place]) clock("place", t(`place_${place}`), LIMIT_S[place], there?.at);
  if (row.cmd === "seal_off" || LIMIT_S[place]) clock("seal", t("seal_clock"), SEAL_S, row.done_at);
  if (row.within_s) clock("within", t("within_clock"), row.within_s);
  return found;
}

export function clocks(box, list) {
  keyed(box, list.flatMap(running), (timer) => timer.key, () => {
    const made = el("span", {class: "timer"});
    made.draw = (timer) => {
      mark(made, "data-clock", timer.key);
      mark(made, "data-over", timer.left < 0);
      mark(made, "data-met", timer.met);
      const word = timer.met ? t(timer.left < 0 ? "clock_late" : "clock_met") : timer.left < 0 ? t("clock_over") : "";
      say(made, [timer.label, countdown(timer.left), word].filter(Boolean).join(" "));
    };
    return made;
  });
}
