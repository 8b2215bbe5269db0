// Who was tapped on the map: a list beside it, and their tracks brought out.
import {button, el, keyed, mark, say} from "./dom.js";
import {fromHere} from "./format.js";
import {rows} from "./live.js";
import {named} from "./marks.js";
import {t} from "./words.js";

export function makePicked(changed) {
  let units = [];
  const title = el("strong", {}), list = el("ul", {});
  const close = button("×", "quiet", () => show([]));
  const box = el("div", {class: "pickedlist", hidden: true}, el("div", {class: "pickedhead"}, title, close), list);

  function show(chosen) {
    units = chosen;
    changed();
  }

  function draw() {
    const there = units.filter((unit) => rows.unit[unit]);
    mark(box, "hidden", there.length ? null : "");
    say(title, there.length > 1 ? t("people_here", {n: there.length}) : "");
    mark(close, "aria-label", t("close"));
    keyed(list, there, (unit) => unit, () => {
      const name = el("b", {}), place = el("span", {});
      const item = el("li", {}, name, place);
      item.draw = (unit) => {
        const row = rows.unit[unit];
        say(name, named(unit, row));
        say(place, fromHere(row.lat, row.lon));
      };
      return item;
    });
  }

  return {box, draw, show, has: (unit) => units.includes(unit)};
}
