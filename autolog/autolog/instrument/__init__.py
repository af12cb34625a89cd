"""The machinery of autologging: it watches calls of the user's libraries and never makes them.

What an integration needs is here: `spec` to describe itself, `patcher` to say which calls are
watched, `guard` for the shape of an observer, `recorder` for what it may write. No framework is
imported in this package, and none of it is loaded by ``import autolog``.
"""
