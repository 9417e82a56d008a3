"""The notebooks as they are shipped, run in JupyterLab from top to bottom."""

import shutil

import pytest
from driving import FOOLED, ROOT, run_all
from playwright.sync_api import expect


@pytest.fixture
def shipped(notebooks, lab):
    """The address of a shipped notebook, of which a copy is served."""

    def address(name: str) -> str:
        shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", notebooks)
        return lab(name)

    return address


def test_the_first_chapter_runs_to_its_end(shipped, visit):
    page = visit(shipped("00_start"))
    run_all(page)
    page.locator(".jp-Notebook h2", has_text="Try this").scroll_into_view_if_needed()
    expect(page.locator(".cb-page h3", has_text=FOOLED)).to_be_visible()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    expect(page.locator(".jp-OutputArea-output .js-plotly-plot .barlayer").first).to_be_attached()
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_the_dashboard_runs_in_a_notebook_too(shipped, visit):
    page = visit(shipped("dashboard"))
    run_all(page)
    page.get_by_role("button", name="Fool it").click()
    expect(page.locator(".cb-page h3", has_text=FOOLED)).to_be_visible()
    expect(page.locator(".cb-ready")).to_be_attached()


def test_a_link_looks_like_one_in_jupyterlab(lab, write_notebook, visit):
    link = '<p class="cb-note">Save as <a class="cb-link" href="data:,x" download="x.json">json</a></p>'
    cell = f"import ipywidgets\nfrom widgets import parts\nparts.Page(ipywidgets.HTML('{link}'))"
    page = visit(lab(write_notebook("link", cell)))
    run_all(page)
    shown = page.locator(".jp-OutputArea-output a.cb-link")
    expect(shown).to_have_css("text-decoration-line", "underline")
    colour, around = (
        shown.evaluate(f"link => getComputedStyle({which}).color") for which in ("link", "link.parentElement")
    )
    assert colour != around
