// The view of widgets.frame.Frame: draws a picture, answers it, reports presses and drags.

const PACE = 50; // milliseconds between two reports of a drag: 20 a second, as many as pictures come back
const SIZES = [0.02, 1];
const LONGEST = 1000; // milliseconds after which a picture is answered, decoded or not: the page is alive

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/** Calls `report` at most once per PACE, and always for the last change. */
function paced(report) {
  let waiting = null;
  return () => {
    if (waiting !== null) return;
    waiting = setTimeout(() => {
      waiting = null;
      report();
    }, PACE);
  };
}

/** Resolves once the tab is hidden, or late: a hidden tab never finishes decoding, yet somebody has it open. */
function undecoded(signal) {
  return new Promise((resolve) => {
    const look = () => document.hidden && resolve();
    const late = setTimeout(resolve, LONGEST);
    document.addEventListener("visibilitychange", look, { signal });
    signal.addEventListener("abort", () => clearTimeout(late));
    look();
  });
}

function drawing(model, image) {
  let shown = null;
  return async () => {
    const number = model.get("sent");
    const bytes = model.get("picture");
    if (!bytes?.byteLength) return;
    const url = URL.createObjectURL(new Blob([bytes]));
    const decoded = new AbortController();
    image.src = url;
    try {
      await Promise.race([image.decode(), undecoded(decoded.signal)]);
    } catch {
      // overtaken by a newer picture, which will be answered in its turn
    }
    decoded.abort();
    if (shown !== null) URL.revokeObjectURL(shown);
    shown = url;
    if (model.get("use") !== "press") model.send({ acknowledged: number });
  };
}

/** The query string of the page takes over the keys of `address`; notebooks in JupyterLab keep theirs. */
function followAddress(model) {
  const address = model.get("address");
  if (!address || document.body.dataset.voila === undefined) return;
  const query = new URLSearchParams(location.search);
  for (const [key, value] of new URLSearchParams(address)) query.set(key, value);
  const readable = query.toString().replaceAll("%3A", ":").replaceAll("%40", "@").replaceAll("%2C", ",");
  history.replaceState(null, "", `?${readable}`);
}

function pressing(model, image, signal) {
  image.addEventListener("click", () => model.send({ pressed: true }), { signal });
  image.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      model.send({ pressed: true });
    },
    { signal },
  );
}

/** Dragging and its keyboard twin; two fingers or the wheel change the size. */
function moving(model, image, mark, signal) {
  const report = paced(() => model.save_changes());
  const pointers = new Map(); // id -> [x, y] in the picture
  let grip = null; // from the pointer to the label's centre
  let spread = null; // distance of two fingers

  const place = (x, y) => {
    model.set("x", clamp(x, 0, 1));
    model.set("y", clamp(y, 0, 1));
    report();
  };
  const grow = (factor) => {
    model.set("size", clamp(model.get("size") * factor, ...SIZES));
    report();
  };
  const at = (event) => {
    const box = image.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const distance = () => {
    const [[ax, ay], [bx, by]] = pointers.values();
    return Math.hypot(ax - bx, ay - by);
  };
  const on = (name, act) => image.addEventListener(name, act, { signal, passive: false });

  on("pointerdown", (event) => {
    event.preventDefault();
    image.focus();
    image.setPointerCapture(event.pointerId);
    const [x, y] = at(event);
    pointers.set(event.pointerId, [x, y]);
    grip = { x: model.get("x") - x, y: model.get("y") - y, moved: false };
    spread = pointers.size === 2 ? distance() : null;
  });
  on("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const [x, y] = at(event);
    pointers.set(event.pointerId, [x, y]);
    if (pointers.size === 2) {
      grow(distance() / spread);
      spread = distance();
    } else if (pointers.size === 1) {
      grip.moved = true;
      place(x + grip.x, y + grip.y);
    }
  });
  const release = (event) => {
    const was = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (was && event.type === "pointerup" && pointers.size === 0 && spread === null && !grip.moved) {
      place(...was); // a click without a drag puts the label there
    }
    if (pointers.size === 1) {
      const [[x, y]] = pointers.values(); // the finger that stays goes on dragging without a jump
      grip = { x: model.get("x") - x, y: model.get("y") - y, moved: true };
    }
    spread = pointers.size === 0 ? null : spread;
  };
  on("pointerup", release);
  on("pointercancel", release);
  on("wheel", (event) => {
    event.preventDefault();
    grow(Math.exp(-clamp(event.deltaY, -100, 100) / 1000));
  });
  on("keydown", (event) => {
    const step = event.shiftKey ? 0.1 : 0.02;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const sizes = { "+": 1.1, "=": 1.1, "-": 1 / 1.1 };
    if (event.key in moves) place(model.get("x") + moves[event.key][0], model.get("y") + moves[event.key][1]);
    else if (event.key in sizes) grow(sizes[event.key]);
    else return;
    event.preventDefault();
  });

  const follow = () => {
    mark.style.left = `${100 * model.get("x")}%`;
    mark.style.top = `${100 * model.get("y")}%`;
  };
  model.on("change:x change:y", follow);
  follow();
}

function render({ model, el }) {
  const image = document.createElement("img");
  const mark = document.createElement("span");
  const ended = new AbortController();
  const use = model.get("use");
  const draw = drawing(model, image);
  const describe = () => {
    image.alt = model.get("alt");
    image.style.width = `${model.get("width")}px`;
  };
  const sharpen = () => image.classList.toggle("cb-pixels", image.clientWidth > 2 * image.naturalWidth);
  const resized = new ResizeObserver(sharpen);
  const addressed = () => followAddress(model);

  mark.className = "cb-mark";
  image.draggable = false;
  el.classList.add(`cb-frame-${use}`);
  el.append(image);
  if (use !== "look") image.tabIndex = 0;
  if (use === "press") {
    image.setAttribute("role", "button");
    pressing(model, image, ended.signal);
  }
  if (use === "move") {
    el.append(mark);
    image.setAttribute("aria-roledescription", "picture with a label; arrow keys move it, plus and minus size it");
    moving(model, image, mark, ended.signal);
  }
  image.addEventListener("load", sharpen);
  resized.observe(image);
  model.on("change:sent", draw);
  model.on("change:alt change:width", describe);
  model.on("change:address", addressed);
  describe();
  draw();
  addressed();

  return () => {
    ended.abort(); // anywidget itself takes the model's listeners away
    resized.disconnect();
  };
}

export default { render };
