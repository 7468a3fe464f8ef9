// The live view of an execution. Everything that comes from users goes through textContent, never through HTML.

/** @typedef {[number, number|null, string, boolean]} Bar  start, end, state, whether it waited */
/** @typedef {[string, string|null, string, string, number, number|null, number, Bar[], number]} Row
 *  id, parent, label, state, start, end, attempts, bars, round of a loop */
/** @typedef {[number, string, string, string, string]} Line  sequence, time, level, task, message */
/** @typedef {{task: string, name: string, text: string, columns: string[], rows: string[][], total: number}} Output */
/** @typedef {{id: string, flow: string, state: string, start: number, now: number, counts: Record<string, number>}} Header */

const MOST_LINES = 500;
const TERMINAL = new Set(["SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "SKIPPED", "RETRIED"]);
const STATES = new Set([...TERMINAL, "CREATED", "QUEUED", "RUNNING", "PAUSED", "RETRYING", "RESTARTED", "KILLING",
  "TRACE", "DEBUG", "INFO", "WARN", "ERROR"]);

/** An element with a class and a text. @param {string} tag @param {string} [className] @param {string} [text] */
function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** @param {string} state */
const colour = (state) => (STATES.has(state) ? `nbflow-c-${state}` : "");

/** @param {number} total seconds */
function duration(total) {
  const length = Math.max(total, 0);
  if (length < 0.1) return `${Math.round(length * 1000)} ms`;
  if (length < 60) return `${length.toFixed(length < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(Math.round(length) / 60);
  const rest = Math.round(length) % 60;
  if (minutes < 60) return `${minutes} min ${String(rest).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

class View {
  /** @param {HTMLElement} el @param {() => void} kill */
  constructor(el, kill) {
    /** @type {Map<string, Row>} */ this.rows = new Map();
    /** @type {Map<string, {root: HTMLElement, track: HTMLElement, label: HTMLElement, fact: HTMLElement}>} */
    this.drawn = new Map();
    /** @type {Header|null} */ this.header = null;
    this.offset = 0;
    this.lastLine = 0;
    this.root = make("div", "nbflow-x");
    this.chip = make("span", "nbflow-chip");
    this.name = make("b");
    this.time = make("span");
    this.id = make("code");
    this.counts = make("small");
    this.kill = /** @type {HTMLButtonElement} */ (make("button", "nbflow-kill", "Kill"));
    this.kill.title = "End this execution and every process it started";
    this.kill.addEventListener("click", () => {
      this.kill.disabled = true;
      kill();
    });
    const head = make("div", "nbflow-head");
    head.append(this.chip, this.name, this.time, this.id, this.counts, this.kill);
    this.list = make("div", "nbflow-rows");
    this.outputs = make("div");
    this.outputBox = this.fold("Outputs", this.outputs);
    this.logs = make("div", "nbflow-logs");
    this.logBox = this.fold("Log", this.logs);
    this.logBox.open = true;
    this.root.append(head, this.list, this.outputBox, this.logBox);
    el.append(this.root);
  }

  /** @param {string} title @param {HTMLElement} content */
  fold(title, content) {
    const box = /** @type {HTMLDetailsElement} */ (make("details"));
    box.append(make("summary", "", title), content);
    box.hidden = true;
    return box;
  }

  /** Show a whole state. @param {{header?: Header, rows?: Row[], logs?: Line[], outputs?: Output[]}} state */
  full(state) {
    if (!state || !state.header) return;
    this.setHeader(state.header);
    this.setRows(state.rows ?? []);
    this.addLines(state.logs ?? []);
    this.setOutputs(state.outputs ?? []);
  }

  /** Show what has changed. @param {any} message */
  delta(message) {
    if (!message || message.kind !== "delta") return;
    this.setHeader(message.header);
    this.setRows(message.rows);
    this.addLines(message.logs);
    if (message.outputs) this.setOutputs(message.outputs);
  }

  /** @param {Header} header */
  setHeader(header) {
    this.header = header;
    this.offset = header.now - Date.now() / 1000; // the kernel's clock may be another than the browser's
    this.chip.textContent = header.state;
    this.chip.className = `nbflow-chip ${colour(header.state)}`;
    this.name.textContent = header.flow;
    this.id.textContent = header.id;
    const counts = Object.entries(header.counts ?? {}).map(([state, count]) => `${count} ${state}`);
    this.counts.textContent = counts.join(" · ");
    this.kill.hidden = TERMINAL.has(header.state);
    this.tick();
  }

  /** @param {Row[]} rows */
  setRows(rows) {
    let isNew = false;
    for (const row of rows) {
      isNew = !this.rows.has(row[0]) || isNew;
      this.rows.set(row[0], row);
      this.drawRow(row);
    }
    if (isNew) this.arrange();
    this.tick();
  }

  /** @param {Row} row */
  drawRow(row) {
    const [id, , label, state, , , attempts, bars] = row;
    let drawn = this.drawn.get(id);
    if (!drawn) {
      const root = make("div", "nbflow-row");
      drawn = { root, label: make("div", "nbflow-label"), track: make("div", "nbflow-track"), fact: make("div") };
      root.append(drawn.label, drawn.track, drawn.fact);
      this.drawn.set(id, drawn);
    }
    drawn.label.textContent = label;
    drawn.label.title = label;
    drawn.fact.className = `nbflow-fact ${colour(state)}`;
    drawn.fact.dataset.text = attempts > 1 ? `${state} ×${attempts}` : state;
    drawn.track.replaceChildren(
      ...bars.map(([start, end, barState, isWaiting]) => {
        const bar = make("div", `nbflow-bar ${colour(barState)}${isWaiting ? " nbflow-waiting" : ""}`);
        bar.style.setProperty("--s", String(start));
        bar.style.setProperty("--e", end === null ? "var(--now)" : String(end));
        return bar;
      }),
    );
  }

  /** Put the rows into the order of the tree: parents, then what lies in them. */
  arrange() {
    /** @type {Map<string|null, Row[]>} */ const children = new Map();
    for (const row of this.rows.values()) {
      const parent = row[1] !== null && this.rows.has(row[1]) ? row[1] : null;
      const siblings = children.get(parent);
      if (siblings) siblings.push(row);
      else children.set(parent, [row]);
    }
    for (const siblings of children.values()) siblings.sort((a, b) => a[8] - b[8]);
    /** @type {HTMLElement[]} */ const order = [];
    /** @param {string|null} parent @param {number} depth */
    const visit = (parent, depth) => {
      for (const row of children.get(parent) ?? []) {
        const drawn = this.drawn.get(row[0]);
        if (!drawn) continue;
        drawn.label.style.paddingLeft = `${depth * 14}px`;
        order.push(drawn.root);
        visit(row[0], depth + 1);
      }
    };
    visit(null, 0);
    let next = this.list.firstElementChild;
    for (const element of order) {
      if (element === next) next = next.nextElementSibling;
      else this.list.insertBefore(element, next);
    }
  }

  /** Move on what goes on: two style properties for all bars, and the durations of running rows. */
  tick() {
    if (!this.header) return;
    let now = Date.now() / 1000 + this.offset - this.header.start;
    if (TERMINAL.has(this.header.state)) {
      now = Math.max(0, ...[...this.rows.values()].map((row) => row[5] ?? row[4]));
    }
    this.list.style.setProperty("--now", now.toFixed(3));
    this.list.style.setProperty("--length", Math.max(now, 0.001).toFixed(3));
    this.time.textContent = duration(now);
    for (const row of this.rows.values()) {
      const fact = this.drawn.get(row[0])?.fact;
      if (!fact) continue;
      const text = `${fact.dataset.text} ${duration((row[5] ?? now) - row[4])}`;
      if (fact.textContent !== text) fact.textContent = text;
    }
  }

  /** @param {Line[]} lines */
  addLines(lines) {
    const fresh = lines.filter((line) => line[0] > this.lastLine);
    if (!fresh.length) return;
    this.lastLine = fresh[fresh.length - 1][0];
    const isAtEnd = this.logs.scrollHeight - this.logs.scrollTop - this.logs.clientHeight < 30;
    this.logs.append(
      ...fresh.map(([, time, level, task, message]) => {
        const line = make("div", "", `${time} `);
        line.append(make("span", `nbflow-level ${colour(level)}`, level.padEnd(5)), " ");
        if (task) line.append(make("b", "", task), " ");
        line.append(message);
        return line;
      }),
    );
    while (this.logs.childElementCount > MOST_LINES) this.logs.firstElementChild?.remove();
    this.logBox.hidden = false;
    if (isAtEnd) this.logs.scrollTop = this.logs.scrollHeight;
  }

  /** @param {Output[]} outputs */
  setOutputs(outputs) {
    const text = JSON.stringify(outputs);
    if (text === this.outputs.dataset.last) return;
    this.outputs.dataset.last = text;
    this.outputs.replaceChildren(...outputs.map((output) => this.output(output)));
    this.outputBox.hidden = outputs.length === 0;
  }

  /** @param {Output} output */
  output({ task, name, text, columns, rows, total }) {
    const block = make("div");
    if (task) block.append(make("b", "", task), ".");
    block.append(`${name}: `);
    if (!columns.length) {
      block.append(make("code", "", text));
      return block;
    }
    const table = make("table");
    const head = make("tr");
    head.append(...columns.map((column) => make("th", "", column)));
    table.append(head);
    for (const row of rows) {
      const line = make("tr");
      line.append(...row.map((cell) => make("td", "", cell)));
      table.append(line);
    }
    block.append(table);
    if (total > rows.length) block.append(make("div", "", `… and ${total - rows.length} more rows`));
    return block;
  }
}

/** @param {{model: any, el: HTMLElement}} context */
function render({ model, el }) {
  const view = new View(el, () => model.send({ kind: "kill" }));
  const onState = () => view.full(model.get("state"));
  /** @param {unknown} message */
  const onMessage = (message) => view.delta(message);
  model.on("change:state", onState);
  model.on("msg:custom", onMessage);
  onState();
  const timer = setInterval(() => {
    if (view.header && !TERMINAL.has(view.header.state)) view.tick();
  }, 250);
  return () => {
    clearInterval(timer);
    model.off("change:state", onState);
    model.off("msg:custom", onMessage);
  };
}

export default { render };
