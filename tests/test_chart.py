"""A chart of a panel, without a browser: what the kernel tells of it."""

import comm
import plotly.graph_objects as go
from comm.base_comm import BaseComm

from widgets.chart import Chart


def test_a_chart_is_told_of_with_its_figure_in_it(monkeypatch):
    """Whoever loads a page while a thread makes a chart is given what the first message has."""
    opened = []

    class Told(BaseComm):
        def publish_msg(self, msg_type, data=None, **_):
            if msg_type == "comm_open":
                opened.append(data["state"])

    monkeypatch.setattr(comm, "create_comm", Told)
    chart = Chart(go.Figure(go.Bar(x=["a", "b"], y=[1, 2]), {"height": 123}))
    ours = [state for state in opened if state.get("_widget_data") is not None]
    assert len(ours) == 1 and chart.comm is not None
    assert list(ours[0]["_widget_data"][0]["x"]) == ["a", "b"]
    assert ours[0]["_widget_layout"]["height"] == 123


def test_charts_share_plotlys_script():
    """It is five megabytes, which a page would take seconds to load for each of them."""
    states = [Chart(go.Figure(go.Bar(y=[1, 2]))).get_state() for _ in range(2)]
    first, second = (state["_plotly"] for state in states)
    assert first == second
    assert all(len(str(state["_esm"])) < 5000 for state in states)
