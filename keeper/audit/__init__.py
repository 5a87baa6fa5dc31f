"""One tool that recomputes everything a network claims, and names what isn't so.

Each part (:mod:`keeper.audit.parts`) reads a :class:`~keeper.audit.sources.Source` and answers with a
:class:`~keeper.audit.findings.Part`. Nothing here acts: what acts for the keeper isn't imported.
"""
