// Where a place stands on the drawn map, in px from its left upper corner; north is up.
//
// The whole page has WGS-84. Here, and nowhere else, a place is shifted to the datum of the map
// that is drawn beneath it; distances and bearings in words are never taken from shifted places.
import {about} from "./format.js";
import gcoord from "./gcoord.js";

const DEGREE_M = 111320; // of latitude
const MARGIN = 26; // px around the outermost ring: the letters of the bearings
const TILE_PX = 256;
const EQUATOR_M = 40075016.7; // of Web Mercator, EPSG:3857

/** [lon, lat] in degrees of a WGS-84 place (1e-7 degree) as a map of that datum has it. GCJ-02 is
 * for China: what lies outside is not shifted. */
export function shown(lat7, lon7, datum) {
  const place = [lon7 / 1e7, lat7 / 1e7];
  return datum === "gcj02" ? gcoord.transform(place, gcoord.WGS84, gcoord.GCJ02) : place;
}

const northing = (lat) => Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI; // -1..1
const latitude = (north) => Math.atan(Math.sinh(north * Math.PI)) * 180 / Math.PI;

/** What the map shows: its size, the outermost ring's reach, and what was dragged to the middle. */
export class Frame {
  constructor() {
    this.resize(860, 500);
    this.datum = "wgs84";
    this.reach = 500; // m
    this.centre();
  }

  resize(w, h) {
    [this.w, this.h] = [w, h];
    this.ring = Math.max(60, Math.min(w, h) / 2 - MARGIN); // px of the outermost ring's radius
  }

  /** The checkpoint in the middle. */
  centre() {
    [this.east, this.north] = [0, 0]; // of the middle, m
  }

  drag(x, y) {
    this.east -= x / this.scale;
    this.north += y / this.scale;
  }

  get dragged() {
    return this.east !== 0 || this.north !== 0;
  }

  get scale() { // px per m
    return this.ring / this.reach;
  }

  get known() {
    return about.lat !== null && about.lat !== undefined;
  }

  get home() {
    return shown(about.lat, about.lon, this.datum);
  }

  /** {x, y} of a WGS-84 place; null where it or the checkpoint is unknown. */
  on(lat7, lon7) {
    if (lat7 === undefined || lat7 === null || !this.known) return null;
    return this.spot(...shown(lat7, lon7, this.datum));
  }

  /** {x, y} of a place in degrees of the map's own datum. */
  spot(lon, lat, [homeLon, homeLat] = this.home) {
    const shrink = Math.cos(homeLat * Math.PI / 180);
    return {
      x: this.w / 2 + ((lon - homeLon) * DEGREE_M * shrink - this.east) * this.scale,
      y: this.h / 2 - ((lat - homeLat) * DEGREE_M - this.north) * this.scale,
    };
  }

  holds(at, beyond = 0) {
    return Boolean(at) && at.x > -beyond && at.x < this.w + beyond && at.y > -beyond && at.y < this.h + beyond;
  }

  /** The zoom of `zooms` that is as fine as the screen, or the finest there is; null without any. */
  zoom(zooms, density = devicePixelRatio) {
    const metres = 1 / (this.scale * density); // of a pixel of the screen
    const shrink = Math.cos(this.home[1] * Math.PI / 180);
    const wanted = Math.log2(EQUATOR_M * shrink / TILE_PX / metres) - 0.3; // a bit coarse is no harm
    return zooms.find((z) => z >= wanted) ?? zooms.at(-1) ?? null;
  }

  /** The tiles of zoom `z` under the frame: [{z, x, y, left, top, width, height}]; at most `most`,
   * else none: a map for the town shows nothing of the county. */
  tiles(z, most) {
    const home = this.home;
    const n = 2 ** z;
    const shrink = Math.cos(home[1] * Math.PI / 180);
    const span = (x, y) => [
      home[0] + (this.east + (x - this.w / 2) / this.scale) / DEGREE_M / shrink,
      home[1] + (this.north - (y - this.h / 2) / this.scale) / DEGREE_M,
    ];
    const [west, north] = span(0, 0), [east, south] = span(this.w, this.h);
    const column = (lon) => Math.floor((lon + 180) / 360 * n);
    const row = (lat) => Math.floor((1 - northing(lat)) / 2 * n);
    const columns = [Math.max(0, column(west)), Math.min(n - 1, column(east))];
    const rows = [Math.max(0, row(north)), Math.min(n - 1, row(south))];
    if ((columns[1] - columns[0] + 1) * (rows[1] - rows[0] + 1) > most) return [];
    const corner = (x, y) => this.spot(x / n * 360 - 180, latitude(1 - 2 * y / n), home);
    const found = [];
    for (let x = columns[0]; x <= columns[1]; x += 1) {
      for (let y = rows[0]; y <= rows[1]; y += 1) {
        const a = corner(x, y), b = corner(x + 1, y + 1);
        found.push({z, x, y, left: a.x, top: a.y, width: b.x - a.x, height: b.y - a.y});
      }
    }
    return found;
  }
}
