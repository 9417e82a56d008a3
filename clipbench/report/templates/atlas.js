// Filter, sort, map, and a closer look at one unit. The page is complete without it.
const units = document.getElementById("units");
const all = [...units.children];
const details = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function filter() {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const unit of all) unit.hidden = !words.every((word) => unit.dataset.find.includes(word));
  const shown = all.filter((unit) => !unit.hidden).length;
  byId("count").textContent = shown === all.length ? "" : `${shown} of ${all.length}`;
}

function sort() {
  const key = byId("sort").value;
  const value = (unit) => Number(unit.dataset[key] ?? "-Infinity");
  const order = key === "channel" ? (a, b) => a.id - b.id : (a, b) => value(b) - value(a) || a.id - b.id;
  units.append(...[...all].sort(order));
}

function look(channel) {
  const told = details[channel];
  if (!told) return;
  byId("title").textContent = told.title;
  byId("told").textContent = told.told;
  byId("photos").src = told.photos;
  byId("facets").replaceChildren(...told.facets.map(({ name, picture }) => {
    const figure = document.createElement("figure");
    figure.append(
      Object.assign(document.createElement("img"), { src: picture, alt: `in the facet ${name}` }),
      Object.assign(document.createElement("figcaption"), { textContent: name }),
    );
    return figure;
  }));
  byId("words").textContent = told.words ? `words: ${told.words}` : "";
  byId("more").replaceChildren(told.link ? Object.assign(document.createElement("a"), {
    href: told.link, textContent: "everything about it",
  }) : Object.assign(document.createElement("code"), { textContent: told.command }));
  byId("one").showModal();
}

byId("find").addEventListener("input", filter);
byId("sort").addEventListener("change", sort);
byId("map")?.addEventListener("change", (event) => units.classList.toggle("map", event.target.checked));
units.addEventListener("click", (event) => {
  const unit = event.target.closest(".unit");
  if (!unit) return;
  history.replaceState(null, "", `#${unit.id}`);
  look(unit.id);
});
if (location.hash) look(location.hash.slice(1));
