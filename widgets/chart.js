// The view of widgets.chart.Chart: plotly's own, which is loaded once for all charts of a page.
//
// Plotly's own widget brings five megabytes of script with every chart, and anywidget gives a widget up
// whose script takes over two seconds to load, as that does on a busy machine.

const loaded = (globalThis.clipbenchPlotly ??= new Map()); // version -> promise of the module

function load(version, code) {
  if (!loaded.has(version)) {
    const url = URL.createObjectURL(new Blob([code()], { type: "text/javascript" }));
    loaded.set(version, import(url).finally(() => URL.revokeObjectURL(url)));
  }
  return loaded.get(version);
}

async function start(model) {
  const source = await model.widget_manager.get_model(model.get("_plotly").slice("IPY_MODEL_".length));
  const plotly = await load(source.get("version"), () => source.get("code"));
  const chart = plotly.default();
  chart.initialize({ model });
  return chart;
}

export default () => {
  let chart; // a promise: who awaits it in `initialize` is given up, in `render` it may take its time
  return {
    initialize({ model }) {
      chart = start(model);
    },
    async render(view) {
      return (await chart).render(view);
    },
  };
};
