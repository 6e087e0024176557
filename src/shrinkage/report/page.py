"""One self-contained HTML file from a template, scripts, styles and data, which is shown literally."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

__all__ = ["rendered"]

_ENDS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def rendered(template: str, scripts: Sequence[str], data: Any, **shown: Any) -> str:
    """The page: ``template`` with styles, ``scripts`` (one module, in order) and ``data`` inlined.

    Args:
        template: A file of ``templates``; everything that it shows is escaped.
        scripts: Files of ``static``, each of which may use what those before it define.
        data: Plain values; the scripts find them as ``DATA``. No text in them can end the script.
        shown: What the template names.

    Raises:
        ImportError: jinja2 is not installed.
    """
    try:
        from jinja2 import DictLoader, Environment, StrictUndefined
    except ModuleNotFoundError as error:
        raise ImportError('pages need jinja2, which is not installed: pip install "shrinkage[report]"') from error
    room = files("shrinkage.report")
    sources = {item.name: item.read_text("utf-8") for item in (room / "templates").iterdir()}
    environment = Environment(loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined)
    static = {name: (room / "static" / name).read_text("utf-8") for name in ("page.css", *scripts)}
    code = "\n".join(static[name] for name in scripts)
    return environment.get_template(template).render(style=static["page.css"], code=code, data=_safe(data), **shown)


def _safe(data: Any) -> str:
    """JSON that no HTML parser takes for anything else."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escaped in _ENDS.items():
        text = text.replace(character, escaped)
    return text
