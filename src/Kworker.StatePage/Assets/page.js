// Takes the parts of the page that the server sends anew in place of those that are there, without touching what has not changed: so that focus, selection, scrolling and what the
// reader has opened or sorted stay. Everything works without it, but for that the page then comes anew every few seconds.
"use strict";
{
  const script = document.currentScript;
  const interval = Number(script.dataset.interval);
  const live = document.getElementById("live");
  const pause = document.getElementById("pause");
  const filter = document.getElementById("filter");
  const help = document.getElementById("help");
  const sorts = new Map(); // table id → { column, descending }
  let source = null;
  let latest = 0;

  const say = (text, tone) => {
    if (live.textContent !== text) live.textContent = text;
    live.dataset.tone = tone;
  };

  // What the reader decides and the server does not know of.
  const ours = new Set(["open", "aria-sort", "hidden"]);

  function morphAttributes(from, to) {
    for (const { name } of [...from.attributes])
      if (!to.hasAttribute(name) && !ours.has(name)) from.removeAttribute(name);
    for (const { name, value } of to.attributes)
      if (from.getAttribute(name) !== value && !ours.has(name)) from.setAttribute(name, value);
  }

  const keyOf = node => node.nodeType === Node.ELEMENT_NODE && node.hasAttribute("data-key") ? `${node.tagName} ${node.getAttribute("data-key")}` : null;

  function morph(from, to) {
    if (from.isEqualNode(to)) return;
    morphAttributes(from, to);
    if (from.tagName === "TBODY") return morphRows(from, to);
    if (from.tagName === "THEAD") return; // headings stay: they carry the sort buttons
    const keyed = new Map();
    for (const child of from.childNodes) {
      const key = keyOf(child);
      if (key !== null && !keyed.has(key)) keyed.set(key, child);
    }
    let at = from.firstChild;
    for (const next of [...to.childNodes]) {
      const key = keyOf(next);
      const match = key !== null ? keyed.get(key) : at !== null && keyOf(at) === null ? at : null;
      if (key !== null) keyed.delete(key);
      if (match && match.nodeType === next.nodeType && match.nodeName === next.nodeName) {
        if (match === at) at = at.nextSibling;
        else from.insertBefore(match, at);
        if (match.nodeType === Node.ELEMENT_NODE) morph(match, next);
        else if (match.nodeValue !== next.nodeValue) match.nodeValue = next.nodeValue;
      } else {
        from.insertBefore(next, at);
      }
    }
    while (at !== null) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function morphRows(body, to) {
    const rows = new Map();
    for (const row of body.rows) {
      const key = row.getAttribute("data-key");
      rows.set(key, [...(rows.get(key) ?? []), row]);
    }
    const list = [];
    for (const next of [...to.rows]) {
      const row = rows.get(next.getAttribute("data-key"))?.shift();
      if (row && row.className === next.className) {
        morph(row, next);
        list.push(row);
      } else {
        list.push(next);
      }
    }
    const kept = new Set(list);
    for (const row of [...body.rows]) if (!kept.has(row)) row.remove();
    place(body, sorted(body.closest("table"), list));
    filterRows(body);
  }

  // Moves only what stands in the wrong place.
  function place(body, rows) {
    let at = body.firstElementChild;
    for (const row of rows) {
      if (row === at) at = at.nextElementSibling;
      else body.insertBefore(row, at);
    }
  }

  function sorted(table, rows) {
    const sort = sorts.get(table.id);
    if (!sort) return rows;
    const valueOf = row => {
      const cell = row.cells[sort.column];
      if (!cell) return "";
      return cell.hasAttribute("data-value") ? Number(cell.getAttribute("data-value")) : cell.textContent.trim();
    };
    const direction = sort.descending ? -1 : 1;
    return rows.map(row => [valueOf(row), row]).sort(([a], [b]) => {
      if (a === "" || b === "") return (a === "") - (b === ""); // nothing stands last, either way
      if (typeof a === "number" && typeof b === "number") return (a - b) * direction;
      return String(a).localeCompare(String(b), "en", { numeric: true }) * direction;
    }).map(([, row]) => row);
  }

  function sortBy(table, column) {
    const header = table.tHead.rows[0].cells[column];
    const before = sorts.get(table.id);
    // Numbers begin with the largest, texts with the first.
    const descending = before?.column === column ? !before.descending : header.classList.contains("n");
    sorts.set(table.id, { column, descending });
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    place(table.tBodies[0], sorted(table, [...table.tBodies[0].rows]));
  }

  function prepare(root) {
    for (const table of root.querySelectorAll("table")) {
      for (const header of table.tHead.rows[0].cells) {
        if (header.firstElementChild) continue;
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = header.textContent;
        button.addEventListener("click", () => sortBy(table, header.cellIndex));
        header.replaceChildren(button);
      }
    }
  }

  function filterRows(body) {
    const word = filter.value.trim().toLowerCase();
    for (const row of body.rows) {
      const isHidden = word !== "" && !row.classList.contains("empty") && !row.textContent.toLowerCase().includes(word);
      if (row.hidden !== isHidden) row.hidden = isHidden;
    }
  }

  function take(id, html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    const next = template.content.firstElementChild;
    const element = document.getElementById(id);
    if (element) morph(element, next);
    else document.getElementById("content").append(next);
    prepare(document.getElementById(id));
  }

  function connect() {
    source = new EventSource(script.dataset.events);
    source.addEventListener("part", event => {
      const part = JSON.parse(event.data);
      take(part.id, part.html);
    });
    source.addEventListener("done", () => {
      latest = performance.now();
      say("live", "Busy");
      document.documentElement.dataset.updates = String(Number(document.documentElement.dataset.updates ?? 0) + 1);
    });
    source.addEventListener("error", () => {
      say(source.readyState === EventSource.CLOSED ? "refused: reload" : "connection lost", "Bad");
    });
  }

  function togglePause() {
    const isPaused = source !== null;
    if (isPaused) {
      source.close();
      source = null;
      say("paused", "Warning");
    } else {
      say("connecting", "Quiet");
      connect();
    }
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Go on" : "Pause";
  }

  function step(direction) {
    const headings = [...document.querySelectorAll("main h2")];
    const now = headings.indexOf(document.activeElement);
    const seen = headings.findIndex(heading => heading.getBoundingClientRect().top > 60);
    const next = now >= 0 ? now + direction : direction > 0 ? seen : (seen < 0 ? headings.length : seen) - 1;
    const heading = headings[Math.max(0, Math.min(headings.length - 1, next))];
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "start" });
  }

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target === filter) {
      if (event.key === "Escape") {
        filter.value = "";
        filter.dispatchEvent(new Event("input"));
        filter.blur();
      }
      return;
    }
    const keys = { "/": () => filter.focus(), p: togglePause, j: () => step(1), k: () => step(-1), "?": () => help.showModal() };
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (act === null) return;
    event.preventDefault();
    act();
  });

  filter.addEventListener("input", () => document.querySelectorAll("tbody").forEach(filterRows));
  pause.addEventListener("click", togglePause);
  document.getElementById("help-open").addEventListener("click", () => help.showModal());
  setInterval(() => {
    if (source?.readyState === EventSource.OPEN && performance.now() - latest > 5 * interval + 2000) say("no news", "Bad");
  }, 1000);

  const links = new Map([...document.querySelectorAll("nav a")].map(link => [link.getAttribute("href").slice(1), link]));
  const observer = new IntersectionObserver(entries => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach(link => link.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main section").forEach(section => observer.observe(section));

  prepare(document);
  document.getElementById("controls").hidden = false;
  connect();
}
