"""The bare round trip: what an answer costs before anybody thinks about it.

A session row, the earlier answers, one more row, a page from a template of the same size, behind
the middleware that every Django project has. No content, no rules, no engine.
"""
