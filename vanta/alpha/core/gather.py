"""A graph that a person can look at: fences that passed are one box, and of many things of a kind the strongest. Pure.

Nothing is dropped without a count: what is not drawn by itself stands in a box that says how many there are, with the
links of all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from vanta.alpha.core.graph import Graph, Link, Thing
from vanta.alpha.core.labels import Label
from vanta.alpha.core.words import count

MOST = 12
"""So many things of one kind are drawn by themselves."""


def passed_together(graph: Graph) -> Graph:
    """The fences that let an intent pass, as one box for each verdict."""
    verdict_of = {link.source: link.target for link in graph.links}
    groups: dict[str, list[Thing]] = {}
    for thing in graph.things:
        if thing.kind == "fence" and not thing.label.tone:
            groups.setdefault(f"fences {verdict_of.get(thing.key, '')}", []).append(thing)
    return _merged(graph, {key: (Label(f"{count(len(rows), 'fence')} passed", _names(rows)), rows)
                           for key, rows in groups.items() if len(rows) > 1})


def weighed_once(graph: Graph) -> Graph:
    """Without the weights that a reason has in a persona's view, where it weighs in the conviction that is viewed.

    They are shares of another sum: side by side in a drawing they would be read as one.
    """
    views = {thing.key for thing in graph.things if thing.kind == "view"}
    belief = {link.source for link in graph.links if link.bp is not None and link.target not in views}
    return replace(graph, links=tuple(link for link in graph.links if link.target not in views or link.bp is None
                                      or link.source not in belief))


def strongest(graph: Graph, most: int = MOST) -> Graph:
    """Of each kind the strongest, the earliest of equals, and one box for all others."""
    groups: dict[str, tuple[Label, list[Thing]]] = {}
    for place in dict.fromkeys((thing.kind, thing.rank) for thing in graph.things):
        rows = sorted((thing for thing in graph.things if (thing.kind, thing.rank) == place),
                      key=lambda one: -one.strength)
        if len(rows) > most:
            rest = rows[most - 1:]
            groups[f"more {place}"] = (Label(f"{len(rest):,} more",
                                             f"of {len(rows):,} {_plural(place[0])}; the sentences below "
                                             "tell all of them"), rest)
    return _merged(graph, groups)


def _names(rows: Iterable[Thing]) -> str:
    return ", ".join(thing.label.text for thing in rows)


def _plural(kind: str) -> str:
    return {"raw": "raw records", "pnl": "results", "effect": "effects"}.get(kind, f"{kind}s")


def _merged(graph: Graph, groups: Mapping[str, tuple[Label, list[Thing]]]) -> Graph:
    """The graph with each group as one thing, where its first member stood."""
    into = {thing.key: key for key, (_, rows) in groups.items() for thing in rows}
    things: dict[str, Thing] = {}
    for thing in graph.things:
        key = into.get(thing.key, thing.key)
        if key not in things:
            things[key] = thing if key == thing.key else replace(thing, key=key, label=groups[key][0], strength=0)
    links: dict[tuple[str, str], Link] = {}
    for link in graph.links:
        ends = into.get(link.source, link.source), into.get(link.target, link.target)
        alone = ends == (link.source, link.target)
        if ends[0] != ends[1]:
            links.setdefault(ends, Link(*ends, link.bp if alone else None))
    return Graph(tuple(things.values()), tuple(links.values()), tuple(into.get(key, key) for key in graph.about))
