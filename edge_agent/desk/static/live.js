// The board's rows as they are now. The browser reconnects by itself; we say while it is stale.

export const rows = {};
const SILENT_MS = 12000; // three of the server's keepalives

/**
 * changed(section) after each change; restarted() when everything is new; stale(bool); locked();
 * refused() while the agent lives and gives us nothing.
 */
export function follow({changed, restarted, stale, locked, refused}) {
  let source = null;
  let heard = Date.now();
  const alive = () => {
    heard = Date.now();
    stale(false);
  };
  const open = () => {
    source?.close();
    source = new EventSource("/events");
    source.addEventListener("view", (event) => {
      Object.assign(rows, JSON.parse(event.data));
      alive();
      restarted();
    });
    source.addEventListener("change", (event) => {
      const [section, key, row] = JSON.parse(event.data);
      if (row === null) delete rows[section][key];
      else rows[section][key] = row;
      alive();
      changed(section, key);
    });
    source.addEventListener("alive", alive);
    source.addEventListener("locked", locked);
    source.addEventListener("error", () => stale(true));
    heard = Date.now();
  };
  open();
  // A refused answer ends an EventSource for good, a dead host leaves it waiting: begin again.
  setInterval(() => {
    if (Date.now() - heard > SILENT_MS || source.readyState === EventSource.CLOSED) {
      stale(true);
      if (source.readyState === EventSource.CLOSED) refused();
      open();
    }
  }, 2000);
  return open;
}
