// The page: one stream of rows in, one view at a time; the SOS above all of it.
import {checks} from "./checks.js";
import {devices} from "./devices.js";
import {button, el, mark, say} from "./dom.js";
import {about, setAbout} from "./format.js";
import {follow, rows} from "./live.js";
import {log, people} from "./people.js";
import {bayView, map, overview, unitView} from "./places.js";
import {loginPanel, may, open, sessionBar, watchHands} from "./session.js";
import {shift} from "./shift.js";
import {draw as drawSos} from "./sos.js";
import {looked} from "./story.js";
import {makeTop} from "./top.js";
import {choose, chosen, loadWords, t} from "./words.js";

const CALM_MS = 300; // between two drawings of a view; an SOS waits for none
const ALARMING = new Set(["sos", "fix", "scene", "order", "shift"]); // what may sound
const VIEWS = [ // name, right, maker
  ["overview", "page", overview], ["map", "page", map], ["bays", "page", bayView],
  ["units", "page", unitView], ["devices", "page", devices], ["checks", "page", checks],
  ["shift", "page", shift], ["log", "log", log], ["people", "self", people],
];

const byId = (id) => document.getElementById(id);
let view = null;
let shown = "overview";
let drawTop = () => {};
let bar = null;
const dirty = new Set();
let waiting = 0;
let anew = true; // the next whole view of the rows makes the page's view anew, too

async function know() {
  const answer = await fetch("/about.json").catch(() => null);
  if (!answer?.ok) return;
  setAbout(await answer.json());
}

function show(name) {
  view?.stop?.();
  const root = byId("view");
  root.replaceChildren();
  const there = VIEWS.filter(([, right]) => may(right));
  const found = there.find(([id]) => id === name) || there[0];
  mark(document.body, "data-view", found ? found[0] : "login");
  if (found) shown = found[0];
  view = found ? found[2](root, {again}) : loginPanel(root, again);
  view.draw();
  byId("nav").replaceChildren(...there.map(([id]) => {
    const tab = button(t(`nav_${id}`), "", () => show(id));
    mark(tab, "aria-current", id === shown ? "page" : null);
    return tab;
  }));
}

/** Everything anew: another language, another person, another agent. */
async function again() {
  await know();
  if (about.elsewhere) location.reload(); // logged out away from the machine's own screen
  anew = true;
  document.title = `${about.name} · ${t("title")}`;
  mark(byId("nav"), "aria-label", t("views"));
  say(byId("stale"), t("stale"));
  bar.draw();
  reopen();
}

function drawAll() {
  drawTop();
  drawSos();
  if (anew) show(shown);
  else view.draw(); // what is half typed stays
  anew = false;
}

function changed(section) {
  if (ALARMING.has(section)) requestAnimationFrame(drawSos);
  dirty.add(section);
  waiting ||= setTimeout(() => {
    waiting = 0;
    requestAnimationFrame(() => {
      drawTop();
      if (view.sections.some((one) => dirty.has(one))) view.draw(dirty);
      dirty.clear();
    });
  }, CALM_MS);
}

async function locked() {
  if (open()) about.session.locked = true;
  await again();
}

const tongue = (after) => button(t("other_language"), "quiet", (pressed) => {
  choose(chosen() === "zh" ? "en" : "zh");
  say(pressed, t("other_language"));
  return after();
});

/** Away from the machine's own screen nothing is shown and nothing comes before a log-in. */
function stranger() {
  byId("top").replaceChildren(el("strong", {class: "place"}, t("title")),
    el("span", {class: "tools"}, tongue(stranger)));
  byId("view").replaceChildren();
  mark(document.body, "data-view", "login");
  loginPanel(byId("view"), () => location.reload());
  document.title = t("title");
  document.body.dataset.ready = "true";
}

let stale = false;
let reopen = () => {};

function begin() {
  bar = sessionBar(locked, again);
  bar.draw();
  drawTop = makeTop(byId("top"), byId("banners"), el("span", {class: "tools"}, bar, tongue(again)));
  watchHands(locked);
  for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, looked, {capture: true});
  reopen = follow({
    changed,
    async restarted() {
      if (stale) {
        const before = JSON.stringify(about.session);
        await know();
        anew ||= JSON.stringify(about.session) !== before;
        stale = false;
      }
      mark(byId("stale"), "hidden", true);
      drawAll();
      document.body.dataset.ready = "true";
    },
    stale(is) {
      if (is) stale = true;
      mark(byId("stale"), "hidden", !is);
    },
    locked,
    async refused() { // the session is over
      await know();
      if (about.elsewhere) location.reload();
    },
  });
  document.title = `${about.name} · ${t("title")}`;
  mark(byId("nav"), "aria-label", t("views"));
  say(byId("stale"), t("stale"));
  setInterval(() => { // clocks and ages move without any event
    if (!rows.sos) return;
    drawTop();
    drawSos();
  }, 1000);
  setInterval(() => view?.sections.length && rows.sos && view.draw(), 5000);
}

await loadWords();
await know();
if (about.elsewhere) stranger();
else begin();
