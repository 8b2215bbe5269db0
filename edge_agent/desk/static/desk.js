// The board's rows -> the page. One EventSource; the browser reconnects, we say while it is stale.
"use strict";

const rows = {};
const byId = (id) => document.getElementById(id);

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function card(title, lines, kind) {
  const made = element("div", undefined, `card ${kind || ""}`);
  made.append(element("strong", title));
  for (const line of lines) if (line) made.append(element("p", line, "dim"));
  return made;
}

const degrees = (scaled) => (scaled / 1e7).toFixed(5);
const clock = (unix) => new Date((unix + 8 * 3600) * 1000).toISOString().slice(11, 19); // UTC+8

function reading(row) {
  if (row.value === null || row.value === undefined) return row.text || "—";
  return `${row.value / 1000} ${row.unit || ""}`;
}

const draw = {
  sos() {
    byId("sos").replaceChildren(...Object.entries(rows.sos)
      .filter(([, row]) => !row.closed)
      .sort(([, a], [, b]) => a.since - b.since)
      .map(([id, row]) => {
        const box = element("div", undefined, "sos");
        box.append(element("strong", `求助 SOS ${row.unit}`));
        const where = row.lat === undefined ? "位置不明 no position"
          : `${degrees(row.lat)}, ${degrees(row.lon)} ±${row.acc}m`;
        box.append(element("p", `${clock(row.since)} ${row.discreet ? "静默 discreet " : ""}${where}`));
        const lights = element("div", undefined, "lights");
        for (const [key, word] of [["held", "本站已收到 held here"], ["county", "县平台已收到 county has it"],
          ["onscene", "已到场 on scene"]]) {
          lights.append(element("span", (row[key] ? "✔ " : "… ") + word, row[key] ? "lit" : ""));
        }
        box.append(lights);
        for (const [going, word] of [[false, "看到了"], [true, "我们出发"]]) {
          const button = element("button", word);
          button.addEventListener("click", () => press(id, going));
          box.append(button, " ");
        }
        return box;
      }));
  },
  unit() {
    byId("units").replaceChildren(...Object.entries(rows.unit).map(([id, row]) => card(
      `${row.member || id}`, [
        row.lat === undefined ? "" : `${degrees(row.lat)}, ${degrees(row.lon)}`,
        row.tst ? `定位于 ${clock(row.tst)}` : "", row.online === false ? "离线 offline" : "",
        row.batt === undefined || row.batt === null ? "" : `电量 ${row.batt}%`,
      ], row.online === false ? "work" : "good")));
  },
  bay() {
    byId("bays").replaceChildren(...Object.entries(rows.bay).map(([, row]) => card(
      `${row.number} ${row.word || row.state}`,
      [row.camera ? `${row.camera} ${row.member || ""}` : "", row.total ? `${Math.floor(100 * row.done / row.total)}%` : ""],
      row.light)));
  },
  sensor() {
    byId("sensors").replaceChildren(...Object.entries(rows.sensor).map(([id, row]) => card(
      `${id} ${reading(row)}`,
      [row.alarm ? `报警 alarm: ${row.alarm}` : "", row.quality === "good" ? "" : row.quality,
        row.read ? clock(row.read) : ""],
      row.alarm ? "alarm" : row.quality === "good" ? "good" : "work")));
  },
  uplink() {
    const row = rows.uplink.county || {};
    byId("uplink").textContent = row.up ? `县平台已连接，待传 ${row.backlog || 0} 条`
      : `县平台断开，记录已保存 ${row.backlog || 0} 条`;
  },
  fault() {
    byId("faults").replaceChildren(...Object.entries(rows.fault).map(([name, row]) => card(
      name, [row.why], "alarm")));
  },
};

async function press(sos, going) {
  await fetch("/seen", {method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify({sos, going, who: ""})});
}

const source = new EventSource("/events");
source.addEventListener("view", (event) => {
  Object.assign(rows, JSON.parse(event.data));
  byId("stale").hidden = true;
  for (const section of Object.keys(draw)) draw[section]();
});
source.addEventListener("change", (event) => {
  const [section, key, row] = JSON.parse(event.data);
  if (row === null) delete rows[section][key];
  else rows[section][key] = row;
  if (draw[section]) draw[section]();
});
source.addEventListener("error", () => { byId("stale").hidden = false; });
