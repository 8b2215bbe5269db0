// The views that only show: overview, map, bays, units.
import {bays, deal, sensors, units} from "./cards.js";
import {el, mark, say} from "./dom.js";
import {makeMap, sections as mapSections} from "./map.js";
import {t} from "./words.js";

function titled(root, key) {
  const box = el("div", {class: "cards"});
  root.append(el("h2", {}, t(key)), box);
  return box;
}

export function overview(root) {
  const left = el("div", {class: "left"}), right = el("div", {class: "right"});
  root.append(el("h1", {class: "away"}, t("nav_overview")), el("div", {class: "overview"}, left, right));
  const map = makeMap(left);
  const bayBox = titled(right, "bays"), sensorBox = titled(right, "sensors"), unitBox = titled(right, "units");
  return {
    sections: [...mapSections, "bay", "sensor"],
    stop: map.stop,
    draw(dirty) {
      if (!dirty || mapSections.some((section) => dirty.has(section))) map.draw();
      deal(bayBox, bays());
      deal(sensorBox, sensors().slice(0, 4));
      deal(unitBox, units(8));
      for (const box of [bayBox, sensorBox, unitBox]) mark(box.previousSibling, "hidden", !box.children.length);
    },
  };
}

export function map(root) {
  root.append(el("h1", {class: "away"}, t("nav_map")));
  const made = makeMap(root, {drag: true});
  return {sections: mapSections, stop: made.stop, draw: () => made.draw()};
}

export function bayView(root) {
  root.append(el("h1", {class: "away"}, t("nav_bays")));
  const box = titled(root, "bays");
  box.classList.add("large");
  const none = el("p", {class: "none"});
  root.append(none);
  return {sections: ["bay"], draw() {
    const all = bays();
    deal(box, all);
    say(none, all.length ? "" : t("no_bays"));
  }};
}

export function unitView(root) {
  root.append(el("h1", {class: "away"}, t("nav_units")));
  const box = titled(root, "units");
  const none = el("p", {class: "none"});
  root.append(none);
  return {sections: ["unit"], draw() {
    const all = units();
    deal(box, all);
    say(none, all.length ? "" : t("no_units"));
  }};
}
