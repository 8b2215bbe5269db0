// The map without a map: rings and bearings around the checkpoint, places from a local file,
// people where they were last. North is up. WGS-84 throughout: there is no tile to be shifted for.
import {button, el, keyed, mark, say, svg} from "./dom.js";
import {about, far, member, metres, now, offset, span} from "./format.js";
import {rows} from "./live.js";
import {discreet} from "./sos.js";
import {t} from "./words.js";

const W = 860, H = 700, MARGIN = 26;
const REACH_M = [500, 1000, 2000, 5000, 10000, 20000]; // the outermost ring
const OLD_S = 180; // a position older than this is faded and says its age
const LABELS = 40; // more names than this hide one another
export const sections = ["unit", "sos", "fix", "point"];

/** A map in `root`; draw() as rows change, setTracks({unit: [[lat, lon, tst], …]}). */
export function makeMap(root) {
  let reach = 0;
  let chosen = false; // the reach, by hand; until then the map widens to hold everyone
  let tracks = {};
  const ground = svg("g"), lines = svg("g"), points = svg("g"), people = svg("g"), alarms = svg("g");
  const picture = svg("svg", {viewBox: `0 0 ${W} ${H}`, class: "map", role: "img"},
    ground, lines, points, people, alarms);
  const curtain = el("div", {class: "curtain", hidden: true});
  const look = el("button", {type: "button"});
  const word = el("p", {});
  curtain.append(word, look);
  for (const [event, away] of [["pointerdown", true], ["pointerup", false], ["pointerleave", false]]) {
    look.addEventListener(event, () => curtain.classList.toggle("away", away));
  }
  const zoom = (step) => {
    chosen = true;
    reach = Math.min(REACH_M.length - 1, Math.max(0, reach + step));
    drawGround();
    drawTracks();
    draw();
  };
  const nearer = button("＋", "zoom", () => zoom(-1));
  const wider = button("－", "zoom", () => zoom(1));
  const legend = el("p", {class: "legend"});
  root.append(el("div", {class: "mapbox"}, picture, curtain,
    el("div", {class: "zooms"}, nearer, wider), legend));

  const scale = () => (H / 2 - MARGIN) / REACH_M[reach];
  const on = (lat, lon) => {
    const at = offset(lat, lon);
    return at && {x: W / 2 + at.east * scale(), y: H / 2 - at.north * scale()};
  };
  const inside = (at) => at && at.x > 0 && at.x < W && at.y > 0 && at.y < H;
  const place = (node, at) => mark(node, "transform", `translate(${at.x.toFixed(1)},${at.y.toFixed(1)})`);

  /** Take the reach that holds everyone within the outermost; whether it changed. */
  function widen() {
    let furthest = 450;
    for (const row of Object.values(rows.unit)) {
      const at = offset(row.lat, row.lon);
      const m = at ? metres(at) : 0;
      if (m > furthest && m < REACH_M.at(-1)) furthest = m;
    }
    const before = reach;
    const holds = REACH_M.findIndex((m) => m >= furthest * 1.1);
    reach = Math.max(reach, holds < 0 ? REACH_M.length - 1 : holds);
    return reach !== before;
  }

  function drawGround() {
    mark(picture, "aria-label", t("map"));
    mark(nearer, "aria-label", t("nearer"));
    mark(wider, "aria-label", t("wider"));
    const made = [];
    for (const part of [0.25, 0.5, 0.75, 1]) {
      const r = (H / 2 - MARGIN) * part;
      made.push(svg("circle", {cx: W / 2, cy: H / 2, r, class: "ring"}));
      made.push(svg("text", {x: W / 2 + 6, y: H / 2 - r + 18, class: "scale"}, far(REACH_M[reach] * part)));
    }
    for (let eighth = 0; eighth < 8; eighth += 1) {
      const turn = eighth * Math.PI / 4, r = H / 2 - MARGIN;
      const [x, y] = [Math.sin(turn), -Math.cos(turn)];
      made.push(svg("line", {x1: W / 2, y1: H / 2, x2: W / 2 + x * r, y2: H / 2 + y * r, class: "ray"}));
      if (eighth % 2 === 0) {
        made.push(svg("text", {x: W / 2 + x * (r + 12), y: H / 2 + y * (r + 12) + 6, class: "bearing",
          "text-anchor": "middle"}, t(`bearing_${eighth}`)));
      }
    }
    for (const village of about.villages) {
      const at = on(village.lat, village.lon);
      if (inside(at)) made.push(svg("text", {x: at.x, y: at.y - 16, class: "village", "text-anchor": "middle"}, village.name));
    }
    made.push(svg("path", {d: `M${W / 2 - 13} ${H / 2 + 11} h26 l-13 -24 z`, class: "here"}));
    made.push(svg("text", {x: W / 2, y: H / 2 + 30, class: "heretext", "text-anchor": "middle"}, about.name));
    ground.replaceChildren(...made);
    say(legend, `${t("map_legend", {span: span(OLD_S)})}${about.approval ? ` · ${about.approval}` : ` · ${t("map_sketch")}`}`);
  }

  function person(unit) {
    const dot = svg("circle", {r: 9}), name = svg("text", {x: 14, y: 6});
    const made = svg("g", {class: "person"}, dot, name);
    made.draw = ({row, at, named}) => {
      const age = now() - row.tst;
      place(made, at);
      mark(made, "class", `person ${age > OLD_S ? "old" : ""} ${row.online === false ? "gone" : ""}`);
      say(name, !named ? "" : age > OLD_S ? `${member(rows, unit)} ${span(age)}` : member(rows, unit));
    };
    return made;
  }

  function draw() {
    if (!chosen && widen()) {
      drawGround();
      drawTracks();
    }
    const hide = discreet();
    mark(curtain, "hidden", !hide);
    say(word, t("curtain"));
    say(look, t("curtain_look"));
    const seen = Object.entries(rows.unit).filter(([, row]) => row.lat !== undefined && row.lat !== null)
      .map(([unit, row]) => ({unit, row, at: on(row.lat, row.lon)})).filter(({at}) => inside(at));
    for (const one of seen) one.named = seen.length <= LABELS;
    keyed(people, seen, ({unit}) => unit, ({unit}) => person(unit));
    keyed(alarms, Object.values(rows.sos).map((row) => ({row, fix: rows.fix[row.id]}))
      .map((one) => ({...one, at: one.fix && on(one.fix.lat, one.fix.lon)})).filter(({at}) => inside(at)),
    ({row}) => row.id, () => {
      const text = svg("text", {x: 24, y: 8});
      const made = svg("g", {class: "sosmark"}, svg("circle", {r: 18}), text);
      made.draw = ({row, at}) => {
        place(made, at);
        say(text, `${t("sos")} ${member(rows, row.unit)}`);
      };
      return made;
    });
    keyed(points, about.points.map((point) => ({point, at: on(point.lat, point.lon), been: rows.point[point.desc]}))
      .filter(({at}) => inside(at)), ({point}) => point.desc, ({point}) => {
      const text = svg("text", {x: 12, y: 5});
      const made = svg("g", {class: "point"}, svg("rect", {x: -7, y: -7, width: 14, height: 14}), text);
      made.draw = ({at, been}) => {
        place(made, at);
        mark(made, "class", been ? "point been" : "point");
        say(text, `${been ? "✔ " : ""}${point.desc}`);
      };
      return made;
    });
  }

  /** Not with every position: 200 lines of 400 points are 50 ms of work. */
  function drawTracks() {
    keyed(lines, Object.entries(tracks).filter(([, track]) => track.length > 1), ([unit]) => unit, () => {
      const made = svg("polyline", {class: "track"});
      made.draw = ([, track]) => mark(made, "points", track.map(([lat, lon]) => on(lat, lon))
        .map((at) => `${at.x.toFixed(0)},${at.y.toFixed(0)}`).join(" "));
      return made;
    });
  }

  drawGround();
  draw();
  return {draw, setTracks(fresh) {
    tracks = fresh;
    drawTracks();
  }};
}

/** Tracks from the agent, again each 20 s while the map is shown. */
export function fetchTracks(map) {
  const get = async () => {
    const answer = await fetch("/tracks.json").catch(() => null);
    if (answer?.ok) map.setTracks(await answer.json());
  };
  get();
  const timer = setInterval(get, 20000);
  return () => clearInterval(timer);
}
