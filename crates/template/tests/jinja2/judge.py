"""Renders the templates of a corpus with Python's Jinja2, for jinja2.rs to compare with.

Reads the corpus from standard input, writes a list of [text, null] or [null, error]."""

import json
import sys

import jinja2

corpus = json.load(sys.stdin)
environments = {
    "templates": jinja2.Environment(),
    "html_templates": jinja2.Environment(autoescape=True),
}
results = {}
for key, environment in environments.items():
    results[key] = []
    for template in corpus[key]:
        try:
            text = environment.from_string(template).render(corpus["context"])
            results[key].append([text, None])
        except Exception as error:
            results[key].append([None, f"{type(error).__name__}: {error}"])
json.dump(results, sys.stdout)
