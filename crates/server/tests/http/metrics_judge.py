"""Reads what monitoring is made of: metrics with Prometheus' own client library, strictly
by OpenMetrics, alert rules as YAML, the dashboard as JSON, and every expression with a
parser of PromQL."""

import json
import sys

import promql_parser
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

case = json.load(sys.stdin)
samples = []
for family in text_string_to_metric_families(case["metrics"]):
    for sample in family.samples:
        samples.append({"name": sample.name, "labels": sample.labels, "value": sample.value})

expressions = []
alerts = []
for group in yaml.safe_load(case["alerts"])["groups"]:
    for rule in group["rules"]:
        if set(rule) - {"alert", "expr", "for", "labels", "annotations"}:
            raise ValueError(f"unknown key in {rule}")
        alerts.append(rule["alert"])
        expressions.append(("alert", rule["expr"]))
ids = set()
for panel in json.loads(case["dashboard"])["panels"]:
    if panel["id"] in ids:
        raise ValueError(f"two panels have the id {panel['id']}")
    ids.add(panel["id"])
    expressions += [("panel", target["expr"]) for target in panel.get("targets", [])]


def series(node):
    """The names of the series in an expression, in any depth."""
    if isinstance(node, promql_parser.VectorSelector):
        return {node.name}
    names = set()
    for attribute in ("lhs", "rhs", "expr", "vector_selector", "args", "param"):
        inner = getattr(node, attribute, None)
        for child in inner if isinstance(inner, list) else [inner]:
            if child is not None:
                names |= series(child)
    return names


named = [
    {
        "place": place,
        "expression": expression,
        "series": sorted(series(promql_parser.parse(expression))),
    }
    for place, expression in expressions
]
json.dump({"samples": samples, "alerts": alerts, "named": named}, sys.stdout)
