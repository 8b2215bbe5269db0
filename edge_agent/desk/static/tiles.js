// The map beneath the map: tiles of the agent's local file, or none and a sentence that says why.
import {keyed, mark, svg} from "./dom.js";
import {about} from "./format.js";
import {t} from "./words.js";

const MOST = 96; // tiles at once: 1024x600 at a coarse zoom has about 30
const AGAIN_MS = 30000; // the file is looked at again while it has a fault

/** A layer of tiles; changed() when the file was looked at. */
export function makeTiles(frame, changed) {
  const images = svg("g", {class: "tiles"});
  const veil = svg("rect", {class: "veil"}); // people before landscape
  const root = svg("g", {}, images, veil);
  let map = {zooms: [], fault: null};
  let shown = 0;
  let timer = 0;

  async function look() {
    const answer = await fetch("/map.json").catch(() => null);
    if (answer?.ok) map = await answer.json();
    frame.datum = map.zooms.length && map.datum === "gcj02" ? "gcj02" : "wgs84";
    clearTimeout(timer);
    timer = map.fault ? setTimeout(look, AGAIN_MS) : 0;
    changed();
  }

  function image({z, x, y}) {
    const made = svg("image", {preserveAspectRatio: "none", href: `/tiles/${z}/${x}/${y}?v=${map.version}`});
    made.addEventListener("error", () => { // the sketch shows through; is it the file?
      mark(made, "visibility", "hidden");
      timer ||= setTimeout(look, 2000);
    });
    made.draw = ({left, top, width, height}) => {
      mark(made, "x", Math.floor(left));
      mark(made, "y", Math.floor(top));
      mark(made, "width", Math.ceil(left + width) - Math.floor(left)); // no seams between tiles
      mark(made, "height", Math.ceil(top + height) - Math.floor(top));
    };
    return made;
  }

  function draw() {
    const z = frame.known && map.zooms.length ? frame.zoom(map.zooms) : null;
    const tiles = z === null ? [] : frame.tiles(z, MOST);
    shown = tiles.length;
    keyed(images, tiles, (one) => `${map.version} ${one.z}/${one.x}/${one.y}`, image);
    mark(veil, "width", shown ? frame.w : 0);
    mark(veil, "height", shown ? frame.h : 0);
  }

  look();
  return {
    root,
    draw,
    stop: () => clearTimeout(timer),
    /** What the map is: a sentence for its foot. */
    says() {
      if (map.fault) return t(map.fault, {file: map.file, name: about.name});
      if (!map.zooms.length) return t("map_sketch");
      return shown ? map.approval || t("map_no_approval") : t("map_coarse");
    },
    get shown() {
      return shown > 0;
    },
    get fault() {
      return Boolean(map.fault);
    },
  };
}
