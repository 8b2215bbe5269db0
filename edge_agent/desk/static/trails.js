// Where people went this shift: a thin line, its last half hour stronger, that of whom was tapped
// strongest. From the agent each 20 s; drawn some at a time, so that the page never stands still.
import {keyed, mark, svg} from "./dom.js";
import {now} from "./format.js";

const RECENT_S = 1800;
const APART_PX = 2; // nearer points add nothing to a line
const AT_ONCE = 20; // units in one frame of the screen
const EACH_MS = 20000;

export function makeTracks(root, frame, isPicked) {
  let tracks = {};
  let job = 0;

  function line(track) {
    const all = [], recent = [];
    const since = now() - RECENT_S;
    let last = null;
    for (const [lat, lon, tst] of track) {
      const at = frame.on(lat, lon);
      if (!at || (last && Math.hypot(at.x - last.x, at.y - last.y) < APART_PX)) continue;
      last = at;
      const text = `${at.x.toFixed(0)},${at.y.toFixed(0)}`;
      all.push(text);
      if (tst >= since) recent.push(text);
    }
    return [all.join(" "), recent.join(" ")];
  }

  function trail() {
    const whole = svg("polyline", {class: "track"}), recent = svg("polyline", {class: "track recent"});
    const made = svg("g", {}, whole, recent);
    made.draw = () => {};
    made.trace = (unit) => {
      const [all, late] = line(tracks[unit]);
      mark(whole, "points", all);
      mark(recent, "points", late);
      mark(made, "class", isPicked(unit) ? "trail picked" : "trail");
    };
    return made;
  }

  function draw() {
    const mine = job += 1;
    const units = Object.keys(tracks).filter((unit) => tracks[unit].length > 1);
    keyed(root, units, (unit) => unit, trail);
    const some = (from) => {
      if (mine !== job) return; // the map moved on
      for (const unit of units.slice(from, from + AT_ONCE)) root.kept.get(unit)?.trace(unit);
      if (from + AT_ONCE < units.length) requestAnimationFrame(() => some(from + AT_ONCE));
    };
    some(0);
  }

  const get = async () => {
    const answer = await fetch("/tracks.json").catch(() => null);
    if (!answer?.ok) return;
    tracks = await answer.json();
    draw();
  };
  get();
  const timer = setInterval(get, EACH_MS);
  return {draw, stop: () => clearInterval(timer)};
}
