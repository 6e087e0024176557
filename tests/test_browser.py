"""The pages in a real browser: nothing in a name runs, the keyboard moves what it should, nothing is fetched."""

import shutil

import numpy as np
import pytest

pytest.importorskip("jinja2")
pytest.importorskip("selenium", reason="no selenium here to drive a browser")
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from shrinkage.records import Curve
from shrinkage.records.text import printable
from shrinkage.report import explain, report
from tests.pages import BROWSER, fit_of, named

DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no Chromium with its driver here")

HOSTILE = [
    "<img src=x onerror=\"window.taken='img'\">",
    "</script><script>window.taken='script'</script>",
    "</title><svg onload=\"window.taken='svg'\">",
    "'\";window.taken=1;//${window.taken=2}`",
    "javascript:window.taken=3",
    "{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("http://x.invalid","y")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\x1b[31mred\x1b]0;title\x07\x1b[0m",
    "größe 大小 \u202etxt.exe \u2028 \U0001f600",
    "a" * 100_000,
    " \t ",
]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    profile = tmp_path_factory.mktemp("profile")
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    found.set_window_size(1000, 900)
    yield found
    found.quit()


@pytest.fixture(scope="module")
def fitted():
    return fit_of(len(HOSTILE))


def opened(driver, file):
    """The page, after its scripts; nothing went wrong in them, and nothing was asked of a network."""
    driver.get_log("browser")
    driver.get(file.as_uri())
    assert driver.get_log("browser") == []
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    return driver


def in_one_column(driver):
    return driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def cells(driver):
    rows = driver.find_elements(By.CSS_SELECTOR, "#coefficients tbody tr")
    return {r.find_elements(By.TAG_NAME, "td")[0].get_property("textContent"): r.text.split()[-1] for r in rows}


@pytest.fixture
def page(driver, fitted, tmp_path):
    path = named(fitted.path_, HOSTILE)
    curve = Curve(HOSTILE[0], HOSTILE[1], np.linspace(0, 1, 5), np.ones((12, 5)), np.zeros((9, 2)))
    file = tmp_path / "fit.html"
    report(
        file, path, index=8, cv=fitted.cv_, penalty=fitted.penalty_, curve=curve, title=HOSTILE[2],
        facts={name: other for name, other in zip(HOSTILE, reversed(HOSTILE), strict=True)}, command=HOSTILE[3],
    )  # fmt: skip
    return opened(driver, file)


def test_every_name_stands_as_it_is_and_none_runs(page):
    assert page.execute_script("return window.taken") is None
    assert page.title == printable(HOSTILE[2])
    assert page.find_element(By.TAG_NAME, "h1").get_property("textContent") == printable(HOSTILE[2])
    assert page.find_element(By.TAG_NAME, "pre").get_property("textContent") == HOSTILE[3]
    shown = {printable(name) for name in HOSTILE}
    assert set(cells(page)) == {"(intercept)", *shown}
    tips = {tip.get_property("textContent").rpartition(": ")[0] for tip in page.find_elements(By.TAG_NAME, "title")}
    assert shown <= tips
    facts = [td.get_property("textContent") for td in page.find_elements(By.CSS_SELECTOR, "td.long")]
    assert {printable(name, 2000) for name in HOSTILE} <= set(facts)
    labels = {node.get_property("textContent") for node in page.find_elements(By.CSS_SELECTOR, "text.label")}
    assert {printable(HOSTILE[0], 60), printable(HOSTILE[1], 60)} <= labels
    assert not page.find_elements(By.CSS_SELECTOR, "img, iframe, [onload], [onerror]")
    assert in_one_column(page)


def test_arrow_keys_move_coefficients_and_sentence_along_the_path(page, fitted):
    slider = page.find_element(By.CSS_SELECTOR, "input[type=range]")
    said = page.find_element(By.ID, "said")
    assert "this is the model that was chosen" in said.text
    for _ in range(5):
        slider.send_keys(Keys.ARROW_LEFT)
    assert f"{np.count_nonzero(fitted.path_.coefs[3])} of {len(HOSTILE)} coefficients" in said.text
    assert "this is the model" not in said.text
    found = {name: float(value.replace("−", "-")) for name, value in cells(page).items()}
    expected = {printable(n): w for n, w in zip(HOSTILE, fitted.path_.coefs[3], strict=True) if w != 0}
    assert found == pytest.approx({"(intercept)": fitted.path_.intercepts[3], **expected}, rel=1e-5)
    slider.send_keys(Keys.HOME)
    assert said.text.startswith("0 of")


def test_light_and_dark_are_the_readers(page):
    papers = []
    for scheme in ("light", "dark"):
        feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        papers.append(page.execute_script("return getComputedStyle(document.body).backgroundColor"))
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    light, dark = (sum(map(int, paper.strip("rgb()").split(","))) for paper in papers)
    assert light > 600 > 200 > dark


def test_the_explainers_point_follows_the_arrow_keys(driver, tmp_path):
    explain(tmp_path / "explain.html")
    page = opened(driver, tmp_path / "explain.html")
    handle = page.find_element(By.CSS_SELECTOR, "circle.handle[tabindex]")
    name, before = handle.get_attribute("data-key"), handle.get_attribute("aria-label")
    page.execute_script("arguments[0].focus()", handle)
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    focused = page.switch_to.active_element
    assert focused.get_attribute("data-key") == name  # drawn anew, and still in the reader's hand
    assert focused.get_attribute("aria-label") != before
    assert page.get_log("browser") == []


def test_documentation_opens_on_a_phone_without_scrolling_sideways(driver, tmp_path):
    pages = pytest.importorskip("docs.pages")
    pages.build(tmp_path)
    driver.set_window_size(420, 800)
    for name in ("index.html", "docs/start/migration.html", "docs/networks.html", "benchmarks/RESULTS.html"):
        assert in_one_column(opened(driver, tmp_path / name)), name
    driver.set_window_size(1000, 900)
