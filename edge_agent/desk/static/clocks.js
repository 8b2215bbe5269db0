// Response clocks: key site 1 minute on the spot, public place 3 minutes, 10 minutes to seal off.
import {el, keyed, mark, say} from "./dom.js";
import {about, countdown, metres, now, offset} from "./format.js";
import {rows} from "./live.js";
import {t} from "./words.js";

const LIMIT_S = {key: 60, public: 180};
const SEAL_S = 600;

/** The class of the place an SOS is at: that of the patrol point whose circle it is in. */
export function placeOf(row) {
  const fix = rows.fix[row.id];
  const at = fix && offset(fix.lat, fix.lon);
  if (!at) return null;
  const inside = about.points.filter((point) => {
    const centre = offset(point.lat, point.lon);
    return metres({east: at.east - centre.east, north: at.north - centre.north}) <= (point.rad || 100);
  });
  return inside.find((p) => p.place === "key")?.place || inside.find((p) => p.place)?.place || null;
}

/** [{key, label, left}] of a row: an SOS or an order. left in s, below 0 once it is over. */
export function running(row) {
  const found = [];
  const began = row.iat || row.since;
  const place = row.place || (row.id && rows.sos[row.id] ? placeOf(row) : null);
  if (LIMIT_S[place]) found.push({key: "place", label: t(`place_${place}`), left: began + LIMIT_S[place] - now()});
  if (row.cmd === "seal_off" || place) {
    found.push({key: "seal", label: t("seal_clock"), left: began + SEAL_S - now()});
  }
  if (row.within_s) found.push({key: "within", label: t("within_clock"), left: began + row.within_s - now()});
  return found;
}

export function clocks(box, list) {
  keyed(box, list.flatMap(running), (timer) => timer.key, () => {
    const made = el("span", {class: "timer"});
    made.draw = (timer) => {
      mark(made, "data-over", timer.left < 0);
      say(made, `${timer.label} ${countdown(timer.left)}`);
    };
    return made;
  });
}
