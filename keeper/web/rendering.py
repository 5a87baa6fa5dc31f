"""Pages from templates, in which everything that isn't markup of ours is escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from keeper.web import assets, text


def render(template: str, **values: object) -> str:
    """A page; raises jinja2.UndefinedError for a value that its template lacks."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("keeper.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= text.FILTERS
    environment.globals |= {
        "island": assets.tags,
        "built": assets.address,
        "before_paint": assets.before_paint,
    }
    return environment
