"""The documentation's pages: whole, without a network, every link leads somewhere, code as it was written."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag

import pytest

pytest.importorskip("markdown_it")
pytest.importorskip("pygments")
pytest.importorskip("jinja2")
from docs.pages import ROOT, BrokenLink, build


class Reader(HTMLParser):
    """What a browser would ask for, and what it would show as code."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.asked, self.code, self._depth = [], set(), [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        if tag in ("link", "script", "img", "iframe") or "src" in found:
            self.asked.append(tag)
        if tag == "pre":
            self._depth = 1
            self.code.append("")

    def handle_endtag(self, tag):
        if tag == "pre":
            self._depth = 0

    def handle_data(self, data):
        if self._depth:
            self.code[-1] += data


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("docs")
    return out, build(out)


def test_every_markdown_file_is_a_page(built):
    out, files = built
    names = {file.relative_to(out).as_posix() for file in files}
    sources = {path.relative_to(ROOT).with_suffix(".html").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert sources | {"index.html", "CONTRIBUTING.html", "docs/explain.html"} < names
    assert all(file.stat().st_size > 1000 for file in files if file.suffix == ".html")


def test_pages_ask_for_nothing_and_every_link_leads_somewhere(built):
    files = built[1]
    pages = {file: Reader(file.read_text("utf-8")) for file in files if file.suffix == ".html"}
    for file, page in pages.items():
        if file.name != "explain.html":  # which has a script of its own, and a test
            assert not page.asked, file
            assert "@import" not in file.read_text("utf-8")
        for link in page.links:
            if re.match(r"(https|mailto):", link):
                continue
            path, anchor = urldefrag(unquote(link))
            target = (file.parent / path).resolve() if path else file
            assert target in files, (file, link)
            assert not anchor or anchor in pages[target].ids, (file, link)


def test_code_stands_as_it_was_written(built):
    out, _ = built
    source = (ROOT / "docs/start/migration.md").read_text("utf-8")
    written = [block.rstrip() for block in re.findall(r"```\w+\n(.*?)```", source, re.DOTALL)]
    shown = Reader((out / "docs/start/migration.html").read_text("utf-8")).code
    assert [block.rstrip() for block in shown] == written
    assert len(written) > 5


def test_pages_are_in_their_language_and_link_to_each_other(built):
    out, _ = built
    chinese = (out / "docs/start/l2-on-one-layer.zh.html").read_text("utf-8")
    assert '<html lang="zh">' in chinese
    readme = Reader((out / "index.html").read_text("utf-8"))
    assert "docs/networks.html" in readme.links  # named in code, and so a link


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# A\n\n[b](b.md)\n", r"docs/a.md: a link to 'b.md', where there is no page or file docs/b.md"),
        ("# A\n\n[b](#nothing)\n", "docs/a.md has no heading 'nothing'"),
    ],
    ids=["page", "heading"],
)
def test_a_link_to_nowhere_is_an_error_and_nothing_is_written(tmp_path, text, message):
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# R\n")
    (tmp_path / "docs" / "a.md").write_text(text)
    with pytest.raises(BrokenLink, match=message):
        build(tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()


def test_what_looks_like_html_in_markdown_is_text(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# <script>alert(1)</script>\n\n<img src=x>\n\n[x](javascript:alert(1))\n")
    build(tmp_path / "out", tmp_path)
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "javascript:" not in str(Reader(page).links)
