// The map: rings and bearings around the checkpoint, tiles beneath where there is a local file,
// people where they were last and where they went, patrol points, SOSs. North is up.
import {button, el, keyed, mark, say, svg} from "./dom.js";
import {about, far, member, metres, offset, span} from "./format.js";
import {around, gather, place} from "./labels.js";
import {rows} from "./live.js";
import {BELIEFS, OLD_S, alarm, belief, named, person, point, pointText, radius} from "./marks.js";
import {makePicked} from "./picked.js";
import {Frame} from "./projection.js";
import {discreet} from "./sos.js";
import {makeTiles} from "./tiles.js";
import {makeTracks} from "./trails.js";
import {width} from "./width.js";
import {t} from "./words.js";

const REACH_M = [200, 500, 1000, 2000, 5000, 10000, 20000]; // the outermost ring
const FIRST = 1; // of REACH_M: as near as the map opens by itself
const TOGETHER = 36; // px: nearer than this they are one dot with a number
const LEAD = 60; // px: a name further from its dot says little
const NAMES = 4; // so many names stand in a column beside their dot
const PX = {sos: 22, here: 19, who: 19, spot: 16, village: 16, scale: 14, bearing: 17}; // type sizes
const LINE = 1.25, UP = 1.16, DOWN = 0.29; // of the type size: line to line; above and below its base
const SMALL = 480; // px: on a map narrower than this type is smaller
export const sections = ["unit", "sos", "fix", "point", "place", "shift"];

/** A map in `root`; draw() as rows change, stop() when it is gone. drag: it may be moved. */
export function makeMap(root, {drag = false} = {}) {
  const frame = new Frame();
  let reach = FIRST;
  let chosen = false; // the reach, by hand; until then the map widens to hold everyone
  let before = new Map(); // where each name stood
  let buttons = {x: 0, y: 0, w: 0, h: 0}; // asked for once: each time costs a layout
  const tiles = makeTiles(frame, () => redraw());
  const layers = ["ground", "lines", "points", "leads", "people", "alarms", "names"];
  const [ground, lines, points, leads, people, alarms, names] = layers.map((name) => svg("g", {class: name}));
  const picture = svg("svg", {role: "img"}, tiles.root, ground, lines, points, leads, people, alarms, names);
  const picked = makePicked(() => {
    trails.draw();
    draw();
  });
  const trails = makeTracks(lines, frame, picked.has);
  const curtain = el("div", {class: "curtain", hidden: true});
  const word = el("p", {}), look = el("button", {type: "button"});
  curtain.append(word, look);
  for (const [event, away] of [["pointerdown", true], ["pointerup", false], ["pointerleave", false]]) {
    look.addEventListener(event, () => curtain.classList.toggle("away", away));
  }
  const zoom = (step) => {
    chosen = true;
    reach = Math.min(REACH_M.length - 1, Math.max(0, reach + step));
    redraw();
  };
  const nearer = button("＋", "zoom", () => zoom(-1));
  const wider = button("－", "zoom", () => zoom(1));
  const back = button("◎", "zoom", () => {
    frame.centre();
    redraw();
  });
  const legend = el("p", {class: "legend"}), source = el("p", {class: "source"});
  const zooms = el("div", {class: "zooms"}, nearer, wider, back);
  const sheet = el("div", {class: "sheet"}, picture, curtain, zooms, picked.box);
  root.append(el("div", {class: "mapbox"}, sheet, el("div", {class: "foot"}, legend, source)));
  const sized = new ResizeObserver(() => {
    frame.resize(sheet.clientWidth, sheet.clientHeight);
    redraw();
  });
  sized.observe(sheet);
  if (drag) makeDraggable();

  /** Take the reach that holds everyone within the outermost. */
  function widen() {
    let furthest = 450;
    for (const row of Object.values(rows.unit)) {
      const at = offset(row.lat, row.lon);
      const m = at ? metres(at) : 0;
      if (m > furthest && m < REACH_M.at(-1)) furthest = m;
    }
    const holds = REACH_M.findIndex((m) => m >= furthest * 1.1);
    reach = Math.max(reach, holds < 0 ? REACH_M.length - 1 : holds);
  }

  /** Everything: the frame, the file or the language is another. */
  function redraw() {
    frame.reach = REACH_M[reach];
    mark(picture, "viewBox", `0 0 ${frame.w} ${frame.h}`);
    mark(picture, "aria-label", t("map"));
    for (const [node, key] of [[nearer, "nearer"], [wider, "wider"], [back, "map_back"]]) {
      mark(node, "aria-label", t(key));
      mark(node, "title", t(key));
    }
    mark(back, "hidden", frame.dragged ? null : "");
    buttons = {x: zooms.offsetLeft - 4, y: zooms.offsetTop - 4, w: zooms.offsetWidth + 8, h: zooms.offsetHeight + 8};
    tiles.draw();
    mark(picture, "class", ["map", drag && "draggable", tiles.shown && "tiled"].filter(Boolean).join(" "));
    drawGround();
    trails.draw();
    draw();
  }

  const px = (kind) => Math.round(PX[kind] * (frame.w < SMALL ? 0.84 : 1));

  const written = []; // boxes of what the ground has written
  function writing(x, y, key, text, anchor = "middle") {
    const size = px(key), w = width(text, size, key !== "scale");
    written.push({x: anchor === "middle" ? x - w / 2 : x, y: y - size * UP, w, h: size * (UP + DOWN)});
    return svg("text", {x, y, class: key, "font-size": size, "text-anchor": anchor}, text);
  }

  function drawGround() {
    written.length = 0;
    const made = [];
    const home = frame.known ? frame.on(about.lat, about.lon) : {x: frame.w / 2, y: frame.h / 2};
    for (const part of [0.25, 0.5, 0.75, 1]) {
      const r = frame.ring * part;
      made.push(svg("circle", {cx: home.x, cy: home.y, r, class: "ring"}));
      if (part === 0.5 || part === 1) made.push(writing(home.x + 6, home.y - r + 16, "scale", far(frame.reach * part), "start"));
    }
    for (let eighth = 0; eighth < 8; eighth += 1) {
      const turn = eighth * Math.PI / 4;
      const [x, y] = [Math.sin(turn), -Math.cos(turn)];
      made.push(svg("line", {x1: home.x, y1: home.y, x2: home.x + x * frame.ring, y2: home.y + y * frame.ring, class: "ray"}));
      if (eighth % 2 === 0) {
        made.push(writing(home.x + x * (frame.ring + 13), home.y + y * (frame.ring + 13) + 6, "bearing", t(`bearing_${eighth}`)));
      }
    }
    made.push(svg("path", {d: `M${home.x - 13} ${home.y + 9} h26 l-13 -24 z`, class: "here"}));
    ground.replaceChildren(...made);
  }

  /** Who stands where: groups of people who are shown as one dot. */
  function together() {
    const dots = [];
    let beyond = 0;
    for (const [unit, row] of Object.entries(rows.unit)) {
      const at = frame.on(row.lat, row.lon);
      if (at && frame.holds(at)) dots.push({...at, unit, row, rank: BELIEFS.indexOf(belief(row))});
      else if (at) beyond += 1;
    }
    dots.sort((a, b) => b.rank - a.rank); // a group stands where its best known member is
    const groups = gather(dots, TOGETHER);
    for (const group of groups) {
      group.scale = frame.scale;
      group.rank = group.of[0].rank;
      group.picked = group.of.some(({unit}) => picked.has(unit));
    }
    groups.reverse(); // who is there now is drawn last, on top
    return {groups, beyond};
  }

  /** A name to be placed: `lines` of text beside a dot. */
  function label(key, kind, at, r, lines, most = Infinity) {
    const size = px(kind);
    return {key, kind, lines, size, most, r, x: at.x, y: at.y, h: size * (LINE * (lines.length - 1) + UP + DOWN),
      w: Math.max(...lines.map((text) => width(text, size, true)))};
  }

  function draw() {
    if (!chosen) {
      const was = reach;
      widen();
      if (reach !== was) return redraw();
    }
    const hide = discreet();
    mark(curtain, "hidden", hide ? null : "");
    say(word, t("curtain"));
    say(look, t("curtain_look"));
    const {groups, beyond} = together();
    const sos = Object.values(rows.sos).map((row) => ({row, at: frame.on(rows.fix[row.id]?.lat, rows.fix[row.id]?.lon)}))
      .filter(({at}) => frame.holds(at));
    const spots = Object.entries(rows.place).map(([key, row]) => ({key, row, at: frame.on(row.lat, row.lon), visit: rows.point[key]}))
      .filter(({at}) => frame.holds(at, 12));
    keyed(people, groups, (group) => group.of[0].unit, () => person(picked.show));
    keyed(alarms, sos, ({row}) => row.id, alarm);
    keyed(points, spots, ({key}) => key, point);
    const unnamed = drawNames(groups, sos, spots);
    picked.draw();
    const foot = [t("map_legend", {span: span(OLD_S)}), beyond && t("map_beyond", {n: beyond}), unnamed && t("map_unnamed", {n: unnamed})];
    say(legend, foot.filter(Boolean).join(" · "));
    say(source, tiles.says());
    mark(source, "data-fault", tiles.fault ? "" : null);
    return undefined;
  }

  /** Names in the order of what they are worth; how many people have none. */
  function drawNames(groups, sos, spots) {
    const home = frame.known && frame.on(about.lat, about.lon);
    const wanted = [
      ...sos.map(({row, at}) => label(`sos ${row.id}`, "sos", at, 26, [`${t("sos")} ${member(rows, row.unit)}`])),
      ...groups.filter(({of}) => of.length <= NAMES).sort((a, b) => b.picked - a.picked || b.rank - a.rank)
        .map((group) => label(`unit ${group.of[0].unit}`, "who", group, radius(group), group.of.map(({unit, row}) => named(unit, row)), LEAD)),
      ...(frame.holds(home) ? [label("here", "here", home, 16, [about.name])] : []),
      ...spots.map((spot) => label(`spot ${spot.key}`, "spot", spot.at, 10, [pointText(spot)], 36)),
      ...about.villages.map((village, n) => ({...village, n, at: frame.on(village.lat, village.lon)})).filter(({at}) => frame.holds(at))
        .map(({n, name, at}) => label(`village ${n}`, "village", at, 0, [name], 16)),
    ];
    const taken = [
      ...groups.map((group) => around(group, radius(group) + 2)), ...sos.map(({at}) => around(at, 22)),
      ...spots.map(({at}) => around(at, 11)), ...(home ? [around(home, 15)] : []), ...written,
      buttons,
    ];
    before = place(wanted, taken, frame, before);
    const found = wanted.filter(({key}) => before.has(key)).map((one) => ({...one, box: before.get(one.key)}));
    keyed(leads, found.filter(({box}) => box.line), ({key}) => key, () => {
      const made = svg("line", {class: "lead"});
      made.draw = ({box}) => ["x1", "y1", "x2", "y2"].forEach((end) => mark(made, end, box.line[end].toFixed(1)));
      return made;
    });
    keyed(names, found, ({key}) => key, nameplate);
    return groups.filter(({of}) => of.length > NAMES || !before.has(`unit ${of[0].unit}`)).reduce((n, {of}) => n + of.length, 0);
  }

  function makeDraggable() {
    let from = null, asked = 0;
    picture.addEventListener("pointerdown", (event) => {
      from = {x: event.clientX, y: event.clientY, moved: false};
    });
    picture.addEventListener("pointermove", (event) => {
      if (!from || !event.buttons) return;
      const [x, y] = [event.clientX - from.x, event.clientY - from.y];
      if (!from.moved && Math.hypot(x, y) < 8) return; // a trembling finger means the dot
      if (!from.moved) picture.setPointerCapture(event.pointerId);
      from = {x: event.clientX, y: event.clientY, moved: true};
      chosen = true;
      frame.drag(x, y);
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        redraw();
      });
    });
    for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, () => { from = null; });
  }

  redraw();
  return {draw, stop() {
    tiles.stop();
    trails.stop();
    sized.disconnect();
  }};
}

/** A name, or a column of them. draw({lines, size, kind, box}) */
function nameplate() {
  const made = svg("text", {});
  made.draw = ({lines, size, kind, box}) => {
    mark(made, "class", `name ${kind}`);
    mark(made, "font-size", size);
    keyed(made, lines.map((text, n) => ({text, n, x: box.x, y: box.y + (n * LINE + UP) * size})), ({n}) => n, () => {
      const row = svg("tspan", {});
      row.draw = ({text, x, y}) => {
        mark(row, "x", x.toFixed(1));
        mark(row, "y", y.toFixed(1));
        say(row, text);
      };
      return row;
    });
  };
  return made;
}
