// The view of widgets.keys.Keys: a place that takes the keyboard and reports each key.

function render({ model, el }) {
  const place = document.createElement("div");
  place.className = "cb-keys";
  place.tabIndex = 0;
  place.setAttribute("role", "application");
  const tell = () => {
    place.textContent = model.get("hint");
    place.setAttribute("aria-label", model.get("hint"));
  };
  tell();
  model.on("change:hint", tell);
  const gone = new AbortController();
  place.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
      event.preventDefault();
      event.stopPropagation(); // JupyterLab would take letters for commands
      model.send({ key: event.key });
    },
    { signal: gone.signal },
  );
  el.append(place);
  return () => gone.abort();
}

export default { render };
