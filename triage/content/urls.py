"""The pages of the content desk that are no model's form; each topic has its own."""

from django.urls import path

from .views import (
    changes,
    copies,
    effects,
    faults,
    grid,
    ledger,
    likelihoods,
    maps,
    reading,
    rule,
    topics,
)

app_name = "content"
urlpatterns = [
    path("-/reading/<str:part>", reading.reading, name="reading"),
    path("-/rule", rule.checked, name="rule"),
    path("<slug:topic>/", topics.topic, name="topic"),
    path("<slug:topic>/names", rule.names, name="names"),
    path("<slug:topic>/faults", faults.faults, name="faults"),
    path("<slug:topic>/fault-counts", faults.fault_counts, name="fault_counts"),
    path("<slug:topic>/effects", effects.effects, name="effects"),
    path("<slug:topic>/cases/<str:file>/<path:key>", effects.case, name="case"),
    path("<slug:topic>/map", maps.topic_map, name="map"),
    path("<slug:topic>/matrix", maps.matrix, name="matrix"),
    path("<slug:topic>/evidence", ledger.ledger, name="ledger"),
    path("<slug:topic>/evidence.csv", ledger.as_csv, name="ledger_csv"),
    path("<slug:topic>/grid/<str:feature>", grid.grid, name="grid"),
    path("<slug:topic>/row-sum", likelihoods.row_sum, name="row_sum"),
    path(
        "<slug:topic>/conditions/<int:condition>/sum-of-priors",
        likelihoods.sum_of_priors,
        name="sum_of_priors",
    ),
    path("<slug:topic>/copy", copies.topic, name="copy_topic"),
    path("<slug:topic>/conditions/<str:key>/copy", copies.condition, name="copy_condition"),
    path("<slug:topic>/features/<str:key>/copy", copies.feature, name="copy_feature"),
    path("<slug:topic>/changes", changes.changes, name="changes"),
    path("<slug:topic>/changes.csv", changes.as_csv, name="changes_csv"),
]
