"""The plain admin in which staff edit the drafts and read the releases."""

from django.contrib import admin

from . import (
    conditions,
    features,
    likelihoods,
    red_flags,
    releases,
    reviews,
    saved_cases,
    sources,
    syndromes,
    texts,
    topics,
)

__all__ = [
    "conditions",
    "features",
    "likelihoods",
    "red_flags",
    "releases",
    "reviews",
    "saved_cases",
    "sources",
    "syndromes",
    "texts",
    "topics",
]

admin.site.site_header = "Symptom checker: content"
admin.site.site_title = "Content"
admin.site.index_title = "Drafts and releases"
