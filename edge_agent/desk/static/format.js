// Times as on a wall clock in UTC+8, ages, numbers, places seen from here.
import {t, chosen} from "./words.js";

export const about = {}; // about.json
let ahead = 0; // of this browser's clock, s: a phone's may be wrong

export function setAbout(fresh) {
  for (const key of Object.keys(about)) delete about[key];
  Object.assign(about, fresh);
  ahead = fresh.now - Date.now() / 1000;
}

export const now = () => Date.now() / 1000 + ahead;

const beijing = (unix) => new Date((unix + 8 * 3600) * 1000).toISOString();
export const clock = (unix) => beijing(unix).slice(11, 19);
export const minute = (unix) => beijing(unix).slice(11, 16);
export const dayMinute = (unix) => `${beijing(unix).slice(5, 10)} ${minute(unix)}`;
export const count = (n) => Number(n).toLocaleString("en-US");

/** A span of seconds in words, two units at most. */
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return t("span_s", {n: s});
  if (s < 3600) return t("span_min", {n: Math.floor(s / 60)});
  if (s < 86400) {
    const minutes = Math.floor((s % 3600) / 60);
    return t("span_h", {n: Math.floor(s / 3600)}) + (minutes ? ` ${t("span_min", {n: minutes})}` : "");
  }
  return t("span_d", {n: Math.floor(s / 86400)});
}

export const ago = (unix) => t("ago", {span: span(now() - unix)});

/** m:ss, with a minus once it is over. */
export function countdown(seconds) {
  const s = Math.ceil(Math.abs(seconds));
  return `${seconds < 0 ? "−" : ""}${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

const METRES_7 = 0.0111320; // of 1e-7 degree of latitude

/** East and north of the checkpoint in m; null where either place is unknown. */
export function offset(lat7, lon7) {
  if (lat7 === undefined || lat7 === null || about.lat === null || about.lat === undefined) return null;
  const shrink = Math.cos((about.lat / 1e7) * Math.PI / 180);
  return {east: (lon7 - about.lon) * METRES_7 * shrink, north: (lat7 - about.lat) * METRES_7};
}

export const metres = (at) => Math.hypot(at.east, at.north);

export function far(m) {
  return m < 1000 ? t("metres", {n: Math.round(m / 10) * 10}) : t("kilometres", {n: (m / 1000).toFixed(1)});
}

/** "东北 1.2 公里": where it is, seen from the checkpoint. */
export function fromHere(lat7, lon7) {
  const at = offset(lat7, lon7);
  if (!at) return null;
  if (metres(at) < 15) return t("at_checkpoint");
  const eighth = Math.round(Math.atan2(at.east, at.north) / (Math.PI / 4) + 8) % 8;
  return `${t(`bearing_${eighth}`)} ${far(metres(at))}`;
}

/** The nearest village or point within 3 km, by name. */
export function near(lat7, lon7, points) {
  const here = offset(lat7, lon7);
  if (!here) return null;
  let best = null;
  for (const place of [...about.villages, ...Object.values(points)]) {
    const at = offset(place.lat, place.lon);
    const m = Math.hypot(at.east - here.east, at.north - here.north);
    if (m < 3000 && (!best || m < best.m)) best = {m, name: place.name || place.desc};
  }
  return best && t("near", {name: best.name, far: far(best.m)});
}

/** Whoever the unit is issued to, else its id. */
export const member = (rows, unit) => rows.unit[unit]?.member || unit;

/** Sentences that come from the agent in both languages, "中文 / English". */
export function ours(text) {
  if (!text) return "";
  const [zh, en] = text.split(" / ");
  return en === undefined ? text : chosen() === "zh" ? zh : en;
}
