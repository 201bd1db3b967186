"""The tear sheet, executed over a run, opened in a browser: it is all there, it fits, and it asks nothing of a network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from finished_run import RUN_ID

from touchstone import reports
from touchstone.notebook import open_run

FOLDER = Path(__file__).parents[2] / "notebooks" / "reports"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHARTS = [
    "What became of the capital",
    "Drawdown, net of costs",
    "Net return by month, percent",
    "Information coefficient over time",
    "Quantile returns",
    "How much cost it bears",
    "Trade costs",
]
MEASURE = """
<script id="measure">addEventListener("load", () => {
  const wide = [...document.querySelectorAll(".wide, .card, .caveats, td, th")].filter(e => e.scrollWidth > e.clientWidth + 1).length;
  const charts = [...document.querySelectorAll("svg[role=img]")].map(e => {
    const box = e.getBoundingClientRect(), outside = [...e.querySelectorAll("g[id^=text]")].filter(t => {
      const b = t.getBoundingClientRect();
      return b.width && (b.left < box.left - 1 || b.right > box.right + 1 || b.top < box.top - 1 || b.bottom > box.bottom + 1);
    });
    const texts = e.querySelectorAll("g[id^=text]").length;
    const name = e.getAttribute("aria-label"), size = {width: box.width, height: box.height};
    return {name, ...size, texts, outside: outside.length, overlaps: overlaps(e)};
  });
  const loaded = performance.getEntriesByType("resource").length, page = document.documentElement.scrollWidth - innerWidth;
  const found = {charts, wide, page, loaded};
  document.body.innerHTML = "<pre id=found>" + JSON.stringify(found) + "</pre>";
});
function overlaps(svg) {
  const boxes = [...svg.querySelectorAll("g[id^=text]")].map(t => t.getBoundingClientRect()).filter(b => b.width);
  let n = 0;
  for (let i = 0; i < boxes.length; i++) for (let j = 0; j < i; j++) {
    const a = boxes[i], b = boxes[j];
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) n++;
  }
  return n;
}
</script>
"""


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    return reports.render("tear_sheet", run_id=RUN_ID, folder=FOLDER, cwd=project).decode()


def browse(page: str, folder: Path, *, width: int = 1200) -> str:
    """The page's elements after a browser has loaded it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install it to see the tear sheet rendered")
    file = folder / "page.html"
    file.write_text(page)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", f"--user-data-dir={folder / 'profile'}", f"--window-size={width},3000"]
    command = [CHROMIUM, *flags, "--dump-dom", file.as_uri()]
    return subprocess.run(command, capture_output=True, check=True, timeout=120, text=True).stdout


class Loaded(HTMLParser):
    """What script, link and img tags name."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in {"script", "link", "img", "iframe"}:
            self.addresses += [values.get("src") or values.get("href") or ""]
        if tag == "svg":
            self.labels.append(values.get("aria-label") or "")


def test_a_browser_shows_every_chart_and_the_verdict_and_names_no_address(page: str, project: Path, tmp_path: Path) -> None:
    shown = browse(page, tmp_path)

    loaded = Loaded()
    loaded.feed(shown)
    assert loaded.labels == CHARTS
    assert not [address for address in loaded.addresses if "//" in address]
    verdict = open_run(RUN_ID, root=project).verdict
    assert re.search(r'class="badge (passed|rejected)">(PASSED|REJECTED)<', shown).group(2) == (
        "PASSED" if verdict["passed"] else "REJECTED"
    )
    assert shown.count('class="pill ') == len(verdict["rules"])


@pytest.mark.parametrize("width", [1200, 1024])
def test_in_a_browser_everything_fits_nothing_overlaps_and_nothing_is_fetched(page: str, tmp_path: Path, width: int) -> None:
    shown = browse(page.replace("</head>", MEASURE + "</head>"), tmp_path, width=width)

    found = json.loads(re.search(r"<pre id=\"found\">(.*?)</pre>", shown).group(1).replace("&amp;", "&"))
    assert found["loaded"] == 0
    assert found["wide"] == 0
    assert found["page"] <= 0
    assert [chart["name"] for chart in found["charts"]] == CHARTS
    for chart in found["charts"]:
        assert chart["width"] > 350
        assert chart["height"] > 90
        assert chart["texts"] > 5
        assert chart["outside"] == 0, f"text leaves the frame of {chart['name']}"
        assert chart["overlaps"] == 0, f"texts of {chart['name']} overlap"


def test_the_page_hides_code_and_machine_and_clock(page: str, project: Path) -> None:
    body = page[page.index("<body>") :]

    for secret in ("open_run(", "import pandas", str(project), "/work", "/tmp", "/home", "papermill", "Block("):
        assert secret not in body
    assert not re.search(r"\b\d\d:\d\d:\d\d\b", body)
    assert "{&#x27;" not in body, "no dictionary is dumped"
    assert "{'" not in re.sub(r"<style>.*?</style>", "", body, flags=re.DOTALL)
    assert f"<title>Tear sheet · run {RUN_ID[:12]}</title>" in page


def test_the_page_says_what_the_run_says(page: str, project: Path) -> None:
    run = open_run(root=project)
    card = run.scorecard

    for text in (
        *run.metadata["caveats"],
        "S&amp;P 500 (price only)" if "&amp;" in page else "S&P 500 (price only)",
        "needs volume, which the source does not carry",
        RUN_ID,
        *run.record("identity")["data"].values(),
        f"{card['luck']['n_trials']} trials counted",
        f"{card['rank_ic']['mean']:.3f}".replace("-", "\N{MINUS SIGN}"),
        f"{card['sharpe']['net']:.2f}".replace("-", "\N{MINUS SIGN}"),
        "validation.gate.positive_years.threshold",
    ):
        assert text in page


def test_another_folder_gives_the_same_bytes(page: str, project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another {place}"
    shutil.copytree(project, elsewhere)

    assert reports.render("tear_sheet", run_id=RUN_ID, folder=FOLDER, cwd=elsewhere).decode() == page


def test_the_notebook_is_committed_without_outputs() -> None:
    cells = json.loads((FOLDER / "tear_sheet.ipynb").read_text())["cells"]

    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
